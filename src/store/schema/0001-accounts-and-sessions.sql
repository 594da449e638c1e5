-- SPDX-License-Identifier: Apache-2.0
-- Ids and subjects are text, compared byte by byte: '0123' is not '123', and 21 digits stay 21 digits.
-- Times are seconds since 1970 in 64 bits.
-- Every index is a page more that a login writes: none is there for the sake of sweeps. A @KEYED@
-- table is its primary key's index (WITHOUT ROWID to SQLite), which pays where rows are small.

CREATE TABLE account (
    id @TEXT@ NOT NULL PRIMARY KEY,
    created @INT@ NOT NULL,
    disabled_since @INT@,   -- NULL: not disabled
    disabled_until @INT@,   -- NULL: for good
    disabled_reason @TEXT@
) @STRICT@;

-- Who someone is upstream. `subject` is the provider's own unchanging id for the person.
CREATE TABLE identity (
    provider @TEXT@ NOT NULL,
    subject @TEXT@ NOT NULL,
    account @TEXT@ NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    username @TEXT@,
    name @TEXT@,
    email @TEXT@,
    email_evidence @INT@ NOT NULL,
    picture @TEXT@,
    locale @TEXT@,
    group_names @TEXT@,     -- JSON array of strings
    first_seen @INT@ NOT NULL,
    last_seen @INT@ NOT NULL,
    PRIMARY KEY (provider, subject)
) @STRICT@;
CREATE INDEX identity_account ON identity (account);

-- `hash` is the SHA-256 of the cookie; the cookie itself is never stored. Sweeps go by its first
-- byte.
CREATE TABLE session (
    hash @BLOB@ NOT NULL PRIMARY KEY,
    id @TEXT@ NOT NULL,
    account @TEXT@ NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    provider @TEXT@ NOT NULL,
    subject @TEXT@ NOT NULL,
    username @TEXT@,
    name @TEXT@,
    email @TEXT@,
    email_evidence @INT@ NOT NULL,
    picture @TEXT@,
    group_names @TEXT@,
    amr @TEXT@,
    ip @TEXT@,
    user_agent @TEXT@,
    created @INT@ NOT NULL,
    seen @INT@ NOT NULL,
    ends @INT@ NOT NULL     -- the absolute limit
) @STRICT@;
CREATE INDEX session_account ON session (account);

-- Flow ids that were used, until the state that carries them expires. Both are sealed in that state,
-- so the pair is as unique as the flow; in this order rows come at one end and go at the other.
CREATE TABLE spent (
    expires @INT@ NOT NULL,
    flow @BLOB@ NOT NULL,
    PRIMARY KEY (expires, flow)
) @KEYED@;
