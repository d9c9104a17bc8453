-- The triggers prevent accidental changes of the log. They are no protection against a person who can write to the
-- database and drop them.

-- +goose Up

-- +goose StatementBegin
CREATE FUNCTION audit_appended_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'the audit log is appended only'; END $$;
-- +goose StatementEnd

CREATE TRIGGER audit_keeps_entries BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
FOR EACH STATEMENT EXECUTE FUNCTION audit_appended_only();
