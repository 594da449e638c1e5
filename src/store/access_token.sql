-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO access_token (hash, grant_id, app, account, scopes, resource, more, created, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9);

-- name: end
INSERT INTO access_token (hash, grant_id, app, account, scopes, resource, more, created, expires,
    ended)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (hash) DO UPDATE SET ended = excluded.ended WHERE access_token.ended IS NULL;

-- name: drop_of
DELETE FROM access_token WHERE grant_id = $1;

-- name: get
SELECT t.hash, t.grant_id, t.app, t.account, t.scopes, t.resource, t.more, t.created, t.expires,
    t.ended, g.app
FROM access_token t LEFT JOIN oauth_grant g ON g.id = t.grant_id
WHERE t.hash = $1 AND g.ended IS NULL;

-- name: page
SELECT t.hash, t.grant_id, t.app, t.account, t.scopes, t.resource, t.more, t.created, t.expires,
    t.ended, g.app
FROM access_token t LEFT JOIN oauth_grant g ON g.id = t.grant_id
WHERE t.hash > $1 AND t.expires > $2 AND g.ended IS NULL
ORDER BY t.hash LIMIT $3;

-- name: sweep
DELETE FROM access_token WHERE hash IN
    (SELECT hash FROM access_token WHERE expires <= $1 ORDER BY expires LIMIT $2);
