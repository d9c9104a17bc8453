-- Proof of play: records of what signs have shown, signed with the signs' own keys.

-- +goose Up

-- The first public key that a sign presented with its password. A person must confirm another key.
CREATE TABLE sign_keys (
    sign      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    x         BYTEA   NOT NULL CHECK (length(x) = 32),
    pinned_ms BIGINT  NOT NULL
);

CREATE TABLE play_records (
    sign     TEXT COLLATE "C" NOT NULL,
    chain    TEXT COLLATE "C" NOT NULL,
    n        BIGINT  NOT NULL,
    digest   TEXT COLLATE "C" NOT NULL,
    from_ms  BIGINT  NOT NULL,
    until_ms BIGINT  NOT NULL,
    jws      BYTEA   NOT NULL,
    PRIMARY KEY (sign, chain, n)
);

CREATE TABLE plays (
    sign     TEXT COLLATE "C" NOT NULL,
    chain    TEXT COLLATE "C" NOT NULL,
    n        BIGINT  NOT NULL,
    item     TEXT COLLATE "C" NOT NULL,
    campaign TEXT COLLATE "C" NOT NULL,
    frame    TEXT COLLATE "C" NOT NULL,
    why      TEXT COLLATE "C" NOT NULL,
    count    BIGINT  NOT NULL,
    ms       BIGINT  NOT NULL,
    FOREIGN KEY (sign, chain, n) REFERENCES play_records (sign, chain, n)
);

CREATE INDEX plays_by_record ON plays (sign, chain, n);
CREATE INDEX play_records_by_time ON play_records (sign, from_ms);
