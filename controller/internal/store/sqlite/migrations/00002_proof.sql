-- Proof of play: records of what signs have shown, signed with the signs' own keys.

-- +goose Up

-- The first public key that a sign presented with its password. A person must confirm another key.
CREATE TABLE sign_keys (
    sign      TEXT    NOT NULL PRIMARY KEY,
    x         BLOB    NOT NULL CHECK (length(x) = 32),
    pinned_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE play_records (
    sign     TEXT    NOT NULL,
    chain    TEXT    NOT NULL,
    n        INTEGER NOT NULL,
    digest   TEXT    NOT NULL,
    from_ms  INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    jws      BLOB    NOT NULL,
    PRIMARY KEY (sign, chain, n)
) STRICT;

CREATE TABLE plays (
    sign     TEXT    NOT NULL,
    chain    TEXT    NOT NULL,
    n        INTEGER NOT NULL,
    item     TEXT    NOT NULL,
    campaign TEXT    NOT NULL,
    frame    TEXT    NOT NULL,
    why      TEXT    NOT NULL,
    count    INTEGER NOT NULL,
    ms       INTEGER NOT NULL,
    FOREIGN KEY (sign, chain, n) REFERENCES play_records (sign, chain, n)
) STRICT;

CREATE INDEX plays_by_record ON plays (sign, chain, n);
CREATE INDEX play_records_by_time ON play_records (sign, from_ms);
