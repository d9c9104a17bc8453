-- Hashes of signs' passwords for external brokers, a JSON object by broker.

-- +goose Up

ALTER TABLE credentials ADD COLUMN verifiers TEXT NOT NULL DEFAULT 'null';
