-- Visits to the pages. The token is its hash: who reads this cannot take a
-- session over.

-- +goose Up

CREATE TABLE sessions (
    token     TEXT    NOT NULL PRIMARY KEY,
    who       TEXT    NOT NULL,
    data      BLOB    NOT NULL,
    expiry_ms INTEGER NOT NULL
) STRICT;

CREATE INDEX sessions_by_who ON sessions (who);
CREATE INDEX sessions_by_expiry ON sessions (expiry_ms);
