-- SPDX-License-Identifier: Apache-2.0

-- name: put
-- After a sign-in. Some upstreams give a refresh token at the first consent only: then the old one
-- still counts.
INSERT INTO upstream_token (provider, subject, access, refresh, scope, expires, obtained, version,
    asked, busy)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, 0)
ON CONFLICT (provider, subject)
DO UPDATE SET access = excluded.access, refresh = coalesce(excluded.refresh, upstream_token.refresh),
    scope = excluded.scope, expires = excluded.expires, obtained = excluded.obtained,
    version = excluded.version, asked = excluded.asked;

-- name: put_late
-- Of a sign-in that took effect later: what came in between is newer.
INSERT INTO upstream_token (provider, subject, access, refresh, scope, expires, obtained, version,
    asked, busy)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $7, 0)
ON CONFLICT (provider, subject)
DO UPDATE SET access = excluded.access, refresh = coalesce(excluded.refresh, upstream_token.refresh),
    scope = excluded.scope, expires = excluded.expires, obtained = excluded.obtained,
    version = excluded.version, asked = excluded.asked
WHERE upstream_token.version < excluded.version;

-- name: get
SELECT provider, subject, access, refresh, scope, expires, obtained, version, busy
FROM upstream_token WHERE provider = $1 AND subject = $2;

-- name: of_account
-- Of the identities of one provider, subject $3's, else the one seen last.
SELECT t.provider, t.subject, t.access, t.refresh, t.scope, t.expires, t.obtained, t.version, t.busy
FROM upstream_token t JOIN identity i ON i.provider = t.provider AND i.subject = t.subject
WHERE i.account = $1 AND t.provider = $2
ORDER BY CASE WHEN t.subject = $3 THEN 0 ELSE 1 END, i.last_seen DESC LIMIT 1;

-- name: claim
UPDATE upstream_token SET busy = $4
WHERE provider = $1 AND subject = $2 AND version = $3 AND busy <= $5;

-- name: renew
UPDATE upstream_token SET access = $4, refresh = coalesce($5, refresh), scope = coalesce($6, scope),
    expires = $7, obtained = $8, version = $9
WHERE provider = $1 AND subject = $2 AND version = $3;

-- name: release
UPDATE upstream_token SET busy = 0 WHERE provider = $1 AND subject = $2 AND version = $3;

-- name: forget
DELETE FROM upstream_token WHERE provider = $1 AND subject = $2 AND version = $3;

-- name: any
SELECT 1 FROM upstream_token WHERE provider = $1 LIMIT 1;

-- name: forget_provider
DELETE FROM upstream_token WHERE provider = $1 AND subject IN
    (SELECT subject FROM upstream_token WHERE provider = $1 LIMIT $2);

-- name: page_old
-- What was sealed with another key than $1, from behind a row on.
SELECT provider, subject, access, refresh, scope, expires, obtained, version, busy
FROM upstream_token
WHERE (substr(access, 1, 4) <> $1 OR (refresh IS NOT NULL AND substr(refresh, 1, 4) <> $1))
    AND (provider, subject) > ($2, $3)
ORDER BY provider, subject LIMIT $4;

-- name: reseal
UPDATE upstream_token SET access = $4, refresh = $5
WHERE provider = $1 AND subject = $2 AND version = $3;

-- name: count_sealed_with
SELECT count(*) FROM upstream_token
WHERE substr(access, 1, 4) = $1 OR (refresh IS NOT NULL AND substr(refresh, 1, 4) = $1);
