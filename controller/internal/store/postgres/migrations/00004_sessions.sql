-- Sessions of the web interface. token is a hash, so that a reader of the table cannot take over a session.

-- +goose Up

CREATE TABLE sessions (
    token     TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    who       TEXT COLLATE "C" NOT NULL,
    data      BYTEA  NOT NULL,
    expiry_ms BIGINT NOT NULL
);

CREATE INDEX sessions_by_who ON sessions (who);
CREATE INDEX sessions_by_expiry ON sessions (expiry_ms);
