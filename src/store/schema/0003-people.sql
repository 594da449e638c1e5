-- SPDX-License-Identifier: Apache-2.0
-- What people do with their accounts, what their apps ask of them, and a trail that shows when
-- somebody rewrote it.

-- When an identity came to its account other than by making it; since when its provider has said
-- this e-mail with this evidence; when the provider was last asked whether it still stands.
ALTER TABLE identity ADD COLUMN linked @INT@;
ALTER TABLE identity ADD COLUMN email_since @INT@;
ALTER TABLE identity ADD COLUMN checked @INT@;

-- Who else has this address is asked once in a person's life: at the first sign-in by an identity.
CREATE INDEX identity_email ON identity (email) WHERE email IS NOT NULL;

-- Identities that may not come back after their account was deleted: SHA-256 of provider, a zero
-- byte and subject, so that the table names nobody.
CREATE TABLE barred_identity (
    hash @BLOB@ NOT NULL PRIMARY KEY,
    provider @TEXT@ NOT NULL,
    since @INT@ NOT NULL
) @STRICT@;

-- What a role allows. "admin" needs no row.
CREATE TABLE role (
    name @TEXT@ NOT NULL PRIMARY KEY,
    permissions @TEXT@ NOT NULL,    -- JSON array of strings
    description @TEXT@ NOT NULL,
    version @INT@ NOT NULL,
    created @INT@ NOT NULL,
    changed @INT@ NOT NULL
) @STRICT@;
CREATE INDEX account_role_role ON account_role (role);

CREATE TABLE app (
    id @TEXT@ NOT NULL PRIMARY KEY,
    settings @TEXT@ NOT NULL,   -- JSON object of key and text, without secrets; "rules" is a list
    version @INT@ NOT NULL,
    created @INT@ NOT NULL,
    changed @INT@ NOT NULL
) @STRICT@;

-- Two may be valid at a time. `hash` is the SHA-256 of the secret, which was made here, 256 bits.
-- Apps of files have theirs here, too, so `app` refers to no row.
CREATE TABLE app_secret (
    id @TEXT@ NOT NULL PRIMARY KEY,
    app @TEXT@ NOT NULL,
    hash @BLOB@ NOT NULL UNIQUE,
    created @INT@ NOT NULL,
    expires @INT@,              -- NULL: never
    last_used @INT@
) @STRICT@;

ALTER TABLE audit ADD COLUMN provider @TEXT@;
ALTER TABLE audit ADD COLUMN app @TEXT@;
ALTER TABLE audit ADD COLUMN user_agent @TEXT@;
-- SHA-256 over the row before's and everything in this one; NULL in rows older than the chain.
ALTER TABLE audit ADD COLUMN hash @BLOB@;

-- Where the chain begins once old rows were let go: number and hash of the last one that went.
CREATE TABLE audit_anchor (
    n @INT@ NOT NULL PRIMARY KEY,
    hash @BLOB@ NOT NULL,
    at @INT@ NOT NULL
) @STRICT@;

-- Tokens of upstreams whose provider keeps them, sealed for exactly this identity.
CREATE TABLE upstream_token (
    provider @TEXT@ NOT NULL,
    subject @TEXT@ NOT NULL,
    access @BLOB@ NOT NULL,
    refresh @BLOB@,
    scope @TEXT@,
    expires @INT@,              -- NULL: the upstream did not say
    obtained @INT@ NOT NULL,
    version @INT@ NOT NULL,     -- another one whenever the tokens are others
    asked @INT@ NOT NULL,       -- when the upstream last confirmed them, or was to be asked
    busy @INT@ NOT NULL,        -- until when somebody may be renewing them; 0: nobody is
    PRIMARY KEY (provider, subject),
    FOREIGN KEY (provider, subject) REFERENCES identity (provider, subject) ON DELETE CASCADE
) @STRICT@;
-- Who is to be asked about next.
CREATE INDEX upstream_token_asked ON upstream_token (provider, asked);
