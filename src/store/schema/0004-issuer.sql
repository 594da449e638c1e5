-- SPDX-License-Identifier: Apache-2.0
-- usher as a provider: what apps hold, and what people said yes to. `hash` is always the SHA-256 of
-- what somebody else holds; the thing itself is never stored. Apps may live in files, so no `app`
-- refers to a row. Everything that expires is swept in the order it does.

-- When the upstream says it asked the person for a proof; NULL: it does not say.
ALTER TABLE session ADD COLUMN auth_time @INT@;

-- What usher signs with. The private half is sealed for exactly this kid and alg.
CREATE TABLE signing_key (
    kid @TEXT@ NOT NULL PRIMARY KEY,
    alg @TEXT@ NOT NULL,            -- RS256, ES256, EdDSA
    sealed @BLOB@ NOT NULL,         -- the first four bytes are the id of the sealing key
    created @INT@ NOT NULL,         -- published from then on
    active_from @INT@ NOT NULL,     -- signs from then on, until a younger one does
    retired_at @INT@                -- NULL: signs, or will; else when the last token it signed ends
) @STRICT@;

-- An authorization request that waits: pushed by an app (RFC 9126), or pending while a person signs
-- in upstream and says yes.
CREATE TABLE authorization_request (
    hash @BLOB@ NOT NULL PRIMARY KEY,
    app @TEXT@ NOT NULL,
    kind @TEXT@ NOT NULL,           -- pushed, pending
    params @TEXT@ NOT NULL,         -- JSON object, judged already
    bind @BLOB@,                    -- SHA-256 of the browser's binding cookie; NULL: no browser yet
    created @INT@ NOT NULL,
    expires @INT@ NOT NULL
) @STRICT@;
CREATE INDEX authorization_request_expires ON authorization_request (expires);

CREATE TABLE consent (
    account @TEXT@ NOT NULL REFERENCES account (id) ON DELETE CASCADE,
    app @TEXT@ NOT NULL,
    scopes @TEXT@ NOT NULL,         -- JSON array of strings
    claims @TEXT@,                  -- JSON array of claims asked for one by one; NULL: none
    terms @BLOB@,                   -- SHA-256 of what of the app, when changed, has to be asked again
    created @INT@ NOT NULL,
    changed @INT@ NOT NULL,
    PRIMARY KEY (account, app)
) @STRICT@;

-- One sign-in of one person at one app, or one delegation: what its codes and tokens hang on.
-- Ended ones stay until `ends`, so that what comes late is known.
CREATE TABLE oauth_grant (
    id @TEXT@ NOT NULL PRIMARY KEY,
    app @TEXT@ NOT NULL,
    account @TEXT@ REFERENCES account (id) ON DELETE CASCADE,   -- NULL: the app itself
    session @TEXT@,                 -- public id of the session it goes with; NULL: of none
    sid @TEXT@,                     -- the one it came from, as its app knows it
    provider @TEXT@,                -- what that session came through,
    subject @TEXT@,                 -- and as whom there
    scopes @TEXT@ NOT NULL,         -- parted by blanks
    resource @TEXT@,                -- JSON array of strings
    claims @TEXT@,                  -- JSON: the claims parameter, judged
    auth_time @INT@,
    amr @TEXT@,
    acr @TEXT@,
    ip @TEXT@,
    user_agent @TEXT@,
    created @INT@ NOT NULL,
    ends @INT@ NOT NULL,            -- the absolute limit of everything below it
    ended @INT@                     -- NULL: it stands
) @STRICT@;
CREATE INDEX oauth_grant_account ON oauth_grant (account) WHERE account IS NOT NULL;
CREATE INDEX oauth_grant_session ON oauth_grant (session) WHERE session IS NOT NULL;
CREATE INDEX oauth_grant_ends ON oauth_grant (ends);

CREATE TABLE authorization_code (
    hash @BLOB@ NOT NULL PRIMARY KEY,
    grant_id @TEXT@ NOT NULL REFERENCES oauth_grant (id) ON DELETE CASCADE,
    redirect_uri @TEXT@ NOT NULL,
    challenge @TEXT@,               -- PKCE, S256; NULL: none was asked for
    nonce @TEXT@,
    claims @TEXT@,                  -- JSON: what the ID token of this code has to say besides
    expires @INT@ NOT NULL,
    used @INT@                      -- NULL: not yet
) @STRICT@;
CREATE INDEX authorization_code_grant ON authorization_code (grant_id);
CREATE INDEX authorization_code_expires ON authorization_code (expires);

CREATE TABLE refresh_token (
    hash @BLOB@ NOT NULL PRIMARY KEY,
    grant_id @TEXT@ NOT NULL REFERENCES oauth_grant (id) ON DELETE CASCADE,
    created @INT@ NOT NULL,
    expires @INT@ NOT NULL,
    used @INT@,                     -- NULL: not yet
    successor @BLOB@                -- the answer to its use, sealed, for as long as it may come again
) @STRICT@;
CREATE INDEX refresh_token_grant ON refresh_token (grant_id);
CREATE INDEX refresh_token_expires ON refresh_token (expires);

-- `hash` is that of an opaque token or of a JWT's jti. A machine's JWT has a row only once it was
-- ended before its time; of all others the row is what makes them good.
CREATE TABLE access_token (
    hash @BLOB@ NOT NULL PRIMARY KEY,
    grant_id @TEXT@ REFERENCES oauth_grant (id) ON DELETE CASCADE,
    app @TEXT@ NOT NULL,
    account @TEXT@,                 -- NULL: the app itself
    scopes @TEXT@ NOT NULL,         -- parted by blanks
    resource @TEXT@ NOT NULL,       -- JSON array of strings: who it is for
    more @TEXT@,                    -- JSON object: what introspection says besides (act, auth_time)
    created @INT@ NOT NULL,
    expires @INT@ NOT NULL,
    ended @INT@                     -- NULL: it stands
) @STRICT@;
CREATE INDEX access_token_grant ON access_token (grant_id) WHERE grant_id IS NOT NULL;
CREATE INDEX access_token_expires ON access_token (expires);

CREATE TABLE device_code (
    hash @BLOB@ NOT NULL PRIMARY KEY,
    user_code @BLOB@ NOT NULL UNIQUE,   -- SHA-256 of the code as normalised
    app @TEXT@ NOT NULL,
    scopes @TEXT@ NOT NULL,
    resource @TEXT@,
    state @TEXT@ NOT NULL,          -- waiting, allowed, denied, used
    grant_id @TEXT@ REFERENCES oauth_grant (id) ON DELETE CASCADE,  -- once allowed
    poll_every @INT@ NOT NULL,
    last_poll @INT@,
    ip @TEXT@,
    user_agent @TEXT@,
    created @INT@ NOT NULL,
    expires @INT@ NOT NULL
) @STRICT@;
CREATE INDEX device_code_expires ON device_code (expires);
CREATE INDEX device_code_grant ON device_code (grant_id) WHERE grant_id IS NOT NULL;

-- Assertions apps signed in with, SHA-256 of app and jti: each counts once.
CREATE TABLE client_assertion (
    expires @INT@ NOT NULL,
    hash @BLOB@ NOT NULL,
    PRIMARY KEY (expires, hash)
) @KEYED@;

-- Apps that want to hear when a session is over, for as long as it is not.
CREATE TABLE session_app (
    session @TEXT@ NOT NULL,        -- its public id
    app @TEXT@ NOT NULL,
    sid @TEXT@ NOT NULL,            -- as the app knows it; another one, if it was renewed since
    account @TEXT@ NOT NULL,
    id @TEXT@ NOT NULL UNIQUE,      -- of the grant that came first
    missing @INT@,                  -- when it was seen that there is no such session; NULL: it was not
    PRIMARY KEY (session, app, sid)
) @STRICT@;
CREATE INDEX session_app_account ON session_app (account);

-- Apps that are to be told that a session is over.
CREATE TABLE logout_delivery (
    id @TEXT@ NOT NULL PRIMARY KEY,
    app @TEXT@ NOT NULL,
    account @TEXT@ NOT NULL,
    sid @TEXT@ NOT NULL,
    attempts @INT@ NOT NULL,
    next @INT@ NOT NULL,            -- not before
    created @INT@ NOT NULL
) @STRICT@;
CREATE INDEX logout_delivery_app ON logout_delivery (app, created, id);

-- Apps that registered themselves (RFC 7591): what they manage their row in `app` with.
CREATE TABLE registration (
    app @TEXT@ NOT NULL PRIMARY KEY REFERENCES app (id) ON DELETE CASCADE,
    hash @BLOB@ NOT NULL UNIQUE,
    created @INT@ NOT NULL
) @STRICT@;

-- What lets an app register: each once.
CREATE TABLE initial_token (
    id @TEXT@ NOT NULL PRIMARY KEY,
    hash @BLOB@ NOT NULL UNIQUE,
    name @TEXT@ NOT NULL,
    owner @TEXT@,
    created @INT@ NOT NULL,
    expires @INT@ NOT NULL,
    used @INT@                      -- NULL: not yet
) @STRICT@;
