-- Text sorts bytewise, as in SQLite. Times are Unix seconds, or milliseconds in columns that end in _ms.

-- +goose Up

-- A deleted object keeps its row without data, so that a version is never used twice.
CREATE TABLE objects (
    kind       TEXT COLLATE "C" NOT NULL,
    owner      TEXT COLLATE "C" NOT NULL,
    id         TEXT COLLATE "C" NOT NULL,
    data       BYTEA   NOT NULL,
    version    BIGINT  NOT NULL,
    updated_ms BIGINT  NOT NULL,
    deleted    BIGINT  NOT NULL DEFAULT 0,
    PRIMARY KEY (kind, owner, id)
);

CREATE TABLE signing_keys (
    kid   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    role  TEXT COLLATE "C" NOT NULL,
    seed  BYTEA   NOT NULL,
    nbf   BIGINT  NOT NULL,
    exp   BIGINT  NOT NULL,
    state TEXT COLLATE "C" NOT NULL CHECK (state IN ('next', 'active', 'retired', 'revoked'))
);

-- This table has one row. roots is a JSON array of base64 public keys.
CREATE TABLE key_set (
    id    BIGINT  NOT NULL PRIMARY KEY CHECK (id = 1),
    epoch BIGINT  NOT NULL,
    seq   BIGINT  NOT NULL,
    jws   BYTEA   NOT NULL,
    roots TEXT COLLATE "C" NOT NULL
);

CREATE TABLE seqs (
    role    TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    epoch   BIGINT  NOT NULL,
    last    BIGINT  NOT NULL,
    PRIMARY KEY (role, subject, epoch)
);

-- jws is the last column, so that reading heads does not touch its overflow pages.
CREATE TABLE documents (
    role    TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    epoch   BIGINT  NOT NULL,
    seq     BIGINT  NOT NULL,
    iat     BIGINT  NOT NULL,
    exp     BIGINT  NOT NULL,
    digest  TEXT COLLATE "C" NOT NULL,
    kept    BIGINT  NOT NULL,
    jws     BYTEA   NOT NULL,
    PRIMARY KEY (role, subject, epoch, seq)
);

-- The latest document of each subject.
CREATE TABLE latest (
    role    TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    epoch   BIGINT  NOT NULL,
    seq     BIGINT  NOT NULL,
    PRIMARY KEY (role, subject),
    FOREIGN KEY (role, subject, epoch, seq) REFERENCES documents (role, subject, epoch, seq)
);

CREATE TABLE credentials (
    sign       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sha256     BYTEA   NOT NULL CHECK (length(sha256) = 32),
    created_ms BIGINT  NOT NULL
);

CREATE TABLE settings (
    key   TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    value TEXT COLLATE "C" NOT NULL
);

-- This table has one row. Every controller that opens the database increments n, and writes only while n is unchanged.
CREATE TABLE fence (
    id BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    n  BIGINT NOT NULL
);

INSERT INTO fence (id, n) VALUES (1, 0);
