-- The conditions of signs, one row for each change. Sign '' is the controller itself, which is online while it listens
-- to signs. faults is a JSON array of texts.

-- +goose Up

CREATE TABLE health (
    sign   TEXT COLLATE "C" NOT NULL,
    at_ms  BIGINT NOT NULL,
    online BIGINT NOT NULL,
    clock  TEXT COLLATE "C" NOT NULL,
    faults TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (sign, at_ms)
);
