-- SPDX-License-Identifier: Apache-2.0

-- name: all
SELECT name, permissions, description, version, created, changed,
    (SELECT count(*) FROM account_role a WHERE a.role = role.name)
FROM role ORDER BY name;

-- name: get
SELECT name, permissions, description, version, created, changed FROM role WHERE name = $1;

-- name: put
INSERT INTO role (name, permissions, description, version, created, changed)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (name) DO UPDATE
SET permissions = excluded.permissions, description = excluded.description,
    version = excluded.version, changed = excluded.changed;

-- name: drop
DELETE FROM role WHERE name = $1;

-- name: take_from_all
DELETE FROM account_role WHERE role = $1;

-- name: count
SELECT count(*) FROM role;

-- name: holder_count
SELECT count(*) FROM account_role WHERE role = $1;

-- name: holders
-- Who an account is: the identity that was seen last.
SELECT r.account, r.since, i.provider, i.username, i.name, i.email
FROM (SELECT account, since FROM account_role WHERE role = $1 ORDER BY since, account LIMIT $2) r
    LEFT JOIN identity i ON i.account = r.account AND NOT EXISTS (SELECT 1 FROM identity j
        WHERE j.account = i.account AND (j.last_seen > i.last_seen OR (j.last_seen = i.last_seen
            AND (j.provider > i.provider OR (j.provider = i.provider AND j.subject > i.subject)))))
ORDER BY r.since, r.account;
