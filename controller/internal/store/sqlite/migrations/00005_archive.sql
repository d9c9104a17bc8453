-- Kept documents are compact: what signs and days share is stored once. Older
-- rows stay as they are.

-- +goose Up

-- data is deflated, digest the SHA-256 of what it was, uses the number of
-- documents that name it.
CREATE TABLE parts (
    id     INTEGER NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    uses   INTEGER NOT NULL,
    data   BLOB NOT NULL
) STRICT;

-- compact says that jws is an archived document, whose other parts are the four
-- that follow; notes are those of a document that is not compact.
ALTER TABLE documents ADD COLUMN compact INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN notes BLOB;
ALTER TABLE documents ADD COLUMN frames INTEGER;
ALTER TABLE documents ADD COLUMN items INTEGER;
ALTER TABLE documents ADD COLUMN loops INTEGER;
ALTER TABLE documents ADD COLUMN notes_part INTEGER;

CREATE INDEX documents_by_time ON documents (iat) WHERE kept = 1;
