-- SPDX-License-Identifier: Apache-2.0
-- What admins make: providers, their secrets, roles, tokens; and who did what.

-- `version` is the number of the audit row that tells of the last change, so that no version ever
-- comes back, not even after a provider was deleted and made again.
CREATE TABLE provider (
    id @TEXT@ NOT NULL PRIMARY KEY,
    settings @TEXT@ NOT NULL,   -- JSON object of key and text, without secrets
    version @INT@ NOT NULL,
    created @INT@ NOT NULL,
    changed @INT@ NOT NULL
) @STRICT@;

-- Sealed for exactly this provider, key and slot: a row moved elsewhere does not open.
CREATE TABLE provider_secret (
    provider @TEXT@ NOT NULL REFERENCES provider (id) ON DELETE CASCADE,
    key @TEXT@ NOT NULL,
    slot @INT@ NOT NULL,        -- 0 active, 1 next, 2 retiring
    sealed @BLOB@ NOT NULL,     -- the first four bytes are the id of the sealing key
    created @INT@ NOT NULL,
    expires @INT@,              -- NULL: nobody said
    PRIMARY KEY (provider, key, slot)
) @STRICT@;

CREATE TABLE account_role (
    account @TEXT@ NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    role @TEXT@ NOT NULL,
    since @INT@ NOT NULL,
    PRIMARY KEY (account, role)
) @STRICT@;

-- `hash` is the SHA-256 of the token; the token itself is never stored.
CREATE TABLE api_token (
    id @TEXT@ NOT NULL PRIMARY KEY,
    hash @BLOB@ NOT NULL UNIQUE,
    name @TEXT@ NOT NULL,
    scopes @TEXT@ NOT NULL,     -- parted by blanks
    owner @TEXT@,               -- account that made it; NULL: somebody on the machine, or an operator
    created @INT@ NOT NULL,
    expires @INT@,              -- NULL: never
    last_used @INT@             -- NULL: not yet
) @STRICT@;

-- Rows are added and read; there is no statement that changes or deletes one.
CREATE TABLE audit (
    n @INT@ NOT NULL PRIMARY KEY,
    at @INT@ NOT NULL,
    actor_kind @TEXT@ NOT NULL,
    actor @TEXT@ NOT NULL,
    actor_name @TEXT@,
    ip @TEXT@,
    request_id @TEXT@,
    action @TEXT@ NOT NULL,
    object @TEXT@ NOT NULL,
    was @TEXT@,                 -- JSON; secrets only as "set" or "changed"
    became @TEXT@,
    outcome @TEXT@ NOT NULL,    -- done, refused
    reason @TEXT@
) @STRICT@;
