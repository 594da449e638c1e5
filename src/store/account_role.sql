-- SPDX-License-Identifier: Apache-2.0

-- name: grant
-- No row changes when the account has it already.
INSERT INTO account_role (account, role, since) VALUES ($1, $2, $3)
ON CONFLICT (account, role) DO NOTHING;

-- name: revoke
DELETE FROM account_role WHERE account = $1 AND role = $2;

-- name: of
-- An account's, as JSON.
SELECT @JSON_LIST@(role) FROM account_role WHERE account = $1;

-- name: person
-- Who an account is, by the identity that was seen last.
SELECT i.provider, i.username, i.name, i.email, i.last_seen
FROM account a LEFT JOIN identity i ON i.account = a.id
WHERE a.id = $1
ORDER BY i.last_seen DESC LIMIT 1;

-- name: all
SELECT account, role, since FROM account_role ORDER BY since, account, role;
