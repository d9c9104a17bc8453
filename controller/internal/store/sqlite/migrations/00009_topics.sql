-- What the broker may retain of ours, and since when nothing wants it (0: it is
-- wanted).

-- +goose Up

CREATE TABLE topics (
    topic       TEXT   NOT NULL PRIMARY KEY,
    unwanted_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
