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

-- name: permissions
-- A JSON list for each role.
SELECT role.permissions FROM account_role JOIN role ON role.name = account_role.role
WHERE account_role.account = $1 ORDER BY role.name;
