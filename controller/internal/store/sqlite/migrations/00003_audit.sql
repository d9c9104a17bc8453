-- The audit log: append-only, chained by digest.

-- +goose Up

CREATE TABLE audit (
    n         INTEGER NOT NULL PRIMARY KEY,
    at_ms     INTEGER NOT NULL,
    who       TEXT    NOT NULL,
    from_addr TEXT    NOT NULL,
    action    TEXT    NOT NULL,
    kind      TEXT    NOT NULL,
    owner     TEXT    NOT NULL,
    id        TEXT    NOT NULL,
    before    BLOB,
    after     BLOB,
    digest    TEXT    NOT NULL
) STRICT;
