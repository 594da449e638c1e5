-- SPDX-License-Identifier: Apache-2.0

-- name: whose
-- A known identity's account, whether that is disabled, the address as of last time, and whether
-- there are roles to be read.
SELECT id, CASE WHEN disabled_since IS NOT NULL AND (disabled_until IS NULL OR disabled_until > $3)
    THEN 1 ELSE 0 END, email, email_evidence,
    CASE WHEN EXISTS (SELECT 1 FROM account_role r WHERE r.account = account.id) THEN 1 ELSE 0 END
FROM identity JOIN account ON account.id = identity.account
WHERE provider = $1 AND subject = $2;

-- name: refresh
-- What the provider says today, the address being what it was. No RETURNING: SQLite makes a table
-- for it.
UPDATE identity
SET username = $3, name = $4, picture = $5, locale = $6, group_names = $7, last_seen = $8
WHERE provider = $1 AND subject = $2;

-- name: refresh_email
-- The same with another address, or other evidence for it.
UPDATE identity
SET username = $3, name = $4, picture = $5, locale = $6, group_names = $7, last_seen = $8,
    email = $9, email_evidence = $10, email_since = $8
WHERE provider = $1 AND subject = $2;

-- name: find
SELECT account, (SELECT count(*) FROM account WHERE account.id = identity.account
    AND disabled_since IS NOT NULL AND (disabled_until IS NULL OR disabled_until > $3))
FROM identity WHERE provider = $1 AND subject = $2;

-- name: look
SELECT id, CASE WHEN disabled_since IS NOT NULL AND (disabled_until IS NULL OR disabled_until > $2)
    THEN 1 ELSE 0 END
FROM account WHERE id = $1;

-- name: holders
-- Whose identities have this address, if their provider vouches for it (evidence 1 and better).
SELECT account, CASE WHEN disabled_since IS NOT NULL
        AND (disabled_until IS NULL OR disabled_until > $2) THEN 1 ELSE 0 END,
    provider, email_evidence, last_seen
FROM identity JOIN account ON account.id = identity.account
WHERE email = $1 AND email_evidence > 0
ORDER BY account, provider, subject LIMIT $3;

-- name: add
INSERT INTO account (id, created) VALUES ($1, $2);

-- name: drop
DELETE FROM account WHERE id = $1;

-- name: add_identity
-- Nothing changes when the identity is somebody's.
INSERT INTO identity (provider, subject, username, name, email, email_evidence, picture, locale,
    group_names, first_seen, last_seen, email_since, account, linked)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $10, $11, $12)
ON CONFLICT (provider, subject) DO NOTHING;

-- name: barred
SELECT 1 FROM barred_identity WHERE hash = $1;

-- name: bar
INSERT INTO barred_identity (hash, provider, since) VALUES ($1, $2, $3)
ON CONFLICT (hash) DO NOTHING;
