-- The log is appended only. Somebody who can write the database can take this
-- away, too; a slip of the hand cannot.

-- +goose Up

-- +goose StatementBegin
CREATE TRIGGER audit_keeps_entries BEFORE UPDATE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is appended only'); END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_loses_none BEFORE DELETE ON audit
BEGIN SELECT RAISE(ABORT, 'the audit log is appended only'); END;
-- +goose StatementEnd
