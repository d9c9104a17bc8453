-- Reports on all signs read records by time.

-- +goose Up

CREATE INDEX play_records_by_begin ON play_records (from_ms, sign, chain, n);
