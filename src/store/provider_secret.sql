-- SPDX-License-Identifier: Apache-2.0

-- name: put
INSERT INTO provider_secret (provider, key, slot, sealed, created, expires)
VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (provider, key, slot)
DO UPDATE SET sealed = excluded.sealed, created = excluded.created, expires = excluded.expires;

-- name: drop
DELETE FROM provider_secret WHERE provider = $1 AND key = $2 AND slot = $3;

-- name: get
SELECT provider, key, slot, sealed, created, expires FROM provider_secret
WHERE provider = $1 AND key = $2 AND slot = $3;

-- name: all
-- Of one provider, or of all when $1 is empty.
SELECT provider, key, slot, sealed, created, expires FROM provider_secret
WHERE $1 = '' OR provider = $1
ORDER BY provider, key, slot;

-- name: page_old
-- What was sealed with another key than $1, from behind a row on.
SELECT provider, key, slot, sealed, created, expires FROM provider_secret
WHERE substr(sealed, 1, 4) <> $1 AND (provider, key, slot) > ($2, $3, $4)
ORDER BY provider, key, slot LIMIT $5;

-- name: count_sealed_with
SELECT count(*) FROM provider_secret WHERE substr(sealed, 1, 4) = $1;

-- name: count
SELECT count(*) FROM provider_secret;
