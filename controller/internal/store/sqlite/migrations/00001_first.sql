-- Times are Unix seconds, or milliseconds in columns that end in _ms.

-- +goose Up

-- A deleted object keeps its row without data, so that a version is never used twice.
CREATE TABLE objects (
    kind       TEXT    NOT NULL,
    owner      TEXT    NOT NULL,
    id         TEXT    NOT NULL,
    data       BLOB    NOT NULL,
    version    INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL,
    deleted    INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, owner, id)
) STRICT;

CREATE TABLE signing_keys (
    kid   TEXT    NOT NULL PRIMARY KEY,
    role  TEXT    NOT NULL,
    seed  BLOB    NOT NULL,
    nbf   INTEGER NOT NULL,
    exp   INTEGER NOT NULL,
    state TEXT    NOT NULL CHECK (state IN ('next', 'active', 'retired', 'revoked'))
) STRICT;

-- This table has one row. roots is a JSON array of base64 public keys.
CREATE TABLE key_set (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch INTEGER NOT NULL,
    seq   INTEGER NOT NULL,
    jws   BLOB    NOT NULL,
    roots TEXT    NOT NULL
) STRICT;

CREATE TABLE seqs (
    role    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    epoch   INTEGER NOT NULL,
    last    INTEGER NOT NULL,
    PRIMARY KEY (role, subject, epoch)
) STRICT, WITHOUT ROWID;

-- jws is the last column, so that reading heads does not touch its overflow pages.
CREATE TABLE documents (
    role    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    epoch   INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    iat     INTEGER NOT NULL,
    exp     INTEGER NOT NULL,
    digest  TEXT    NOT NULL,
    kept    INTEGER NOT NULL,
    jws     BLOB    NOT NULL,
    PRIMARY KEY (role, subject, epoch, seq)
) STRICT;

-- The latest document of each subject.
CREATE TABLE latest (
    role    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    epoch   INTEGER NOT NULL,
    seq     INTEGER NOT NULL,
    PRIMARY KEY (role, subject),
    FOREIGN KEY (role, subject, epoch, seq) REFERENCES documents (role, subject, epoch, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE credentials (
    sign       TEXT    NOT NULL PRIMARY KEY,
    sha256     BLOB    NOT NULL CHECK (length(sha256) = 32),
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE settings (
    key   TEXT NOT NULL PRIMARY KEY,
    value TEXT NOT NULL
) STRICT;
