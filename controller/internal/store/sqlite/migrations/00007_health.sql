-- The conditions of signs, one row for each change. Sign '' is the controller itself, which is online while it listens
-- to signs. faults is a JSON array of texts.

-- +goose Up

CREATE TABLE health (
    sign   TEXT NOT NULL,
    at_ms  INTEGER NOT NULL,
    online INTEGER NOT NULL,
    clock  TEXT NOT NULL,
    faults TEXT NOT NULL,
    PRIMARY KEY (sign, at_ms)
) STRICT, WITHOUT ROWID;
