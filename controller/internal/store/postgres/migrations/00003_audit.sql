-- The audit log: append-only, chained by digest.

-- +goose Up

CREATE TABLE audit (
    n         BIGINT  NOT NULL PRIMARY KEY,
    at_ms     BIGINT  NOT NULL,
    who       TEXT COLLATE "C" NOT NULL,
    from_addr TEXT COLLATE "C" NOT NULL,
    action    TEXT COLLATE "C" NOT NULL,
    kind      TEXT COLLATE "C" NOT NULL,
    owner     TEXT COLLATE "C" NOT NULL,
    id        TEXT COLLATE "C" NOT NULL,
    before    BYTEA,
    after     BYTEA,
    digest    TEXT COLLATE "C" NOT NULL
);
