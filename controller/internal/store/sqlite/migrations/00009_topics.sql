-- The topics on which the broker may retain documents of this controller. unwanted_ms is the time since which a topic
-- is unwanted, or 0 for a topic in use.

-- +goose Up

CREATE TABLE topics (
    topic       TEXT   NOT NULL PRIMARY KEY,
    unwanted_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
