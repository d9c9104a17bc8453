-- Kept documents are compact: what signs and days share is stored once. Older
-- rows stay as they are.

-- +goose Up

-- data is deflated, digest the SHA-256 of what it was, uses the number of
-- documents that name it.
CREATE TABLE parts (
    id     BIGINT NOT NULL PRIMARY KEY,
    digest BYTEA NOT NULL UNIQUE CHECK (length(digest) = 32),
    uses   BIGINT NOT NULL,
    data   BYTEA NOT NULL
);

-- compact says that jws is an archived document, whose other parts are the four
-- that follow; notes are those of a document that is not compact.
ALTER TABLE documents ADD COLUMN compact BIGINT NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN notes BYTEA;
ALTER TABLE documents ADD COLUMN frames BIGINT;
ALTER TABLE documents ADD COLUMN items BIGINT;
ALTER TABLE documents ADD COLUMN loops BIGINT;
ALTER TABLE documents ADD COLUMN notes_part BIGINT;

CREATE INDEX documents_by_time ON documents (iat) WHERE kept = 1;
