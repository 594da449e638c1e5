-- SPDX-License-Identifier: Apache-2.0

-- name: identities
SELECT count(*) FROM identity WHERE account = $1;

-- name: keys
SELECT provider, subject FROM identity WHERE account = $1;

-- name: unlink
DELETE FROM identity WHERE account = $1 AND provider = $2 AND subject = $3;

-- name: end_identity
-- Sessions that came through an identity, but the one whose hash is $4.
DELETE FROM session WHERE account = $1 AND provider = $2 AND subject = $3 AND hash <> $4;

-- name: move_identities
UPDATE identity SET account = $1, linked = $3 WHERE account = $2;

-- name: move_roles
INSERT INTO account_role (account, role, since)
SELECT $1, role, since FROM account_role WHERE account = $2
ON CONFLICT (account, role) DO NOTHING;

-- name: move_tokens
UPDATE api_token SET owner = $1 WHERE owner = $2;

-- name: disable
UPDATE account SET disabled_since = $2, disabled_until = $3, disabled_reason = $4 WHERE id = $1;

-- name: enable
UPDATE account SET disabled_since = NULL, disabled_until = NULL, disabled_reason = NULL
WHERE id = $1 AND disabled_since IS NOT NULL;

-- name: admins
-- Whether the account $2 has the role, and how many others have it that are not disabled.
SELECT (SELECT count(*) FROM account_role WHERE role = $1 AND account = $2),
    (SELECT count(*) FROM account_role JOIN account ON account.id = account_role.account
     WHERE role = $1 AND account <> $2
        AND NOT (disabled_since IS NOT NULL AND (disabled_until IS NULL OR disabled_until > $3)));
