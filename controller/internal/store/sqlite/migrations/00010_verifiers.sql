-- Signs' passwords as outside brokers check them, a JSON object by broker.

-- +goose Up

ALTER TABLE credentials ADD COLUMN verifiers TEXT NOT NULL DEFAULT 'null';
