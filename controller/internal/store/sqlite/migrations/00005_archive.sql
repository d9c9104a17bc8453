-- Kept documents are compact: parts that are the same in many documents are stored once. Older rows stay unchanged.

-- +goose Up

-- data is deflated. digest is the SHA-256 of the text before compression. uses is the number of references.
CREATE TABLE parts (
    id     INTEGER NOT NULL PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    uses   INTEGER NOT NULL,
    data   BLOB NOT NULL
) STRICT;

-- If compact is 1, jws is an archived document and its parts are in the four columns frames to notes_part. If compact
-- is 0, notes has the notes.
ALTER TABLE documents ADD COLUMN compact INTEGER NOT NULL DEFAULT 0;
ALTER TABLE documents ADD COLUMN notes BLOB;
ALTER TABLE documents ADD COLUMN frames INTEGER;
ALTER TABLE documents ADD COLUMN items INTEGER;
ALTER TABLE documents ADD COLUMN loops INTEGER;
ALTER TABLE documents ADD COLUMN notes_part INTEGER;

CREATE INDEX documents_by_time ON documents (iat) WHERE kept = 1;
