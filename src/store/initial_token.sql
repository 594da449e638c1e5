-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO initial_token (id, hash, name, owner, created, expires)
VALUES ($1, $2, $3, $4, $5, $6);

-- name: use
UPDATE initial_token SET used = $2 WHERE id = $1 AND used IS NULL AND expires > $2;

-- name: drop
DELETE FROM initial_token WHERE id = $1;

-- name: sweep
DELETE FROM initial_token WHERE expires <= $1;

-- name: all
SELECT id, hash, name, owner, created, expires, used FROM initial_token ORDER BY created, id;
