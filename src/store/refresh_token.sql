-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO refresh_token (hash, grant_id, created, expires) VALUES ($1, $2, $3, $4);

-- name: get
SELECT grant_id, created, expires, used, successor FROM refresh_token WHERE hash = $1;

-- name: use
UPDATE refresh_token SET used = $2, successor = $3 WHERE hash = $1 AND used IS NULL;

-- name: forget
UPDATE refresh_token SET successor = NULL WHERE hash IN
    (SELECT hash FROM refresh_token WHERE successor IS NOT NULL AND used <= $1
    ORDER BY used, hash LIMIT $2);

-- name: sweep
DELETE FROM refresh_token WHERE hash IN
    (SELECT hash FROM refresh_token WHERE expires <= $1 ORDER BY expires, hash LIMIT $2);
