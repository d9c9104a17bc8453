-- Sessions of the web interface. token is a hash, so that a reader of the table cannot take over a session.

-- +goose Up

CREATE TABLE sessions (
    token     TEXT    NOT NULL PRIMARY KEY,
    who       TEXT    NOT NULL,
    data      BLOB    NOT NULL,
    expiry_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_by_who ON sessions (who);
CREATE INDEX sessions_by_expiry ON sessions (expiry_ms);
