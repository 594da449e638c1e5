-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO api_token (id, hash, name, scopes, created, expires, owner)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: drop
DELETE FROM api_token WHERE id = $1;

-- name: drop_of
DELETE FROM api_token WHERE owner = $1;

-- name: touch
UPDATE api_token SET last_used = $2 WHERE id = $1 AND (last_used IS NULL OR last_used < $2);

-- name: all
SELECT id, hash, name, scopes, created, expires, last_used, owner FROM api_token ORDER BY created, id;
