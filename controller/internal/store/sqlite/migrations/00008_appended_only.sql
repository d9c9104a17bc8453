-- The triggers prevent accidental changes of the log. They are no protection against a person who can write to the
-- database and drop them.

-- +goose Up

-- +goose StatementBegin
CREATE TRIGGER audit_keeps_entries BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is appended only'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_loses_none BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is appended only'); END;
-- +goose StatementEnd
