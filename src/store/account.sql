-- SPDX-License-Identifier: Apache-2.0

-- name: refresh
-- A known identity: what the provider says today. No RETURNING: SQLite makes a table for it.
UPDATE identity
SET username = $3, name = $4, email = $5, email_evidence = $6, picture = $7, locale = $8,
    group_names = $9, last_seen = $10
WHERE provider = $1 AND subject = $2;

-- name: whose
-- Its account, and whether that is disabled.
SELECT id, CASE WHEN disabled_since IS NOT NULL AND (disabled_until IS NULL OR disabled_until > $3)
    THEN 1 ELSE 0 END
FROM identity JOIN account ON account.id = identity.account
WHERE provider = $1 AND subject = $2;

-- name: find
SELECT account, (SELECT count(*) FROM account WHERE account.id = identity.account
    AND disabled_since IS NOT NULL AND (disabled_until IS NULL OR disabled_until > $3))
FROM identity WHERE provider = $1 AND subject = $2;

-- name: add
INSERT INTO account (id, created) VALUES ($1, $2);

-- name: drop
DELETE FROM account WHERE id = $1;

-- name: add_identity
-- No row comes back when somebody else was faster.
INSERT INTO identity (provider, subject, username, name, email, email_evidence, picture, locale,
    group_names, first_seen, last_seen, account)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $10, $11)
ON CONFLICT (provider, subject) DO NOTHING
RETURNING account, 0;
