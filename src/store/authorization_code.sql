-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO authorization_code (hash, grant_id, redirect_uri, challenge, nonce, claims, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: use
UPDATE authorization_code SET used = $2 WHERE hash = $1 AND used IS NULL;

-- name: get
SELECT grant_id, redirect_uri, challenge, nonce, claims, expires, used
FROM authorization_code WHERE hash = $1;

-- name: sweep
DELETE FROM authorization_code WHERE hash IN
    (SELECT hash FROM authorization_code WHERE expires <= $1 ORDER BY expires, hash LIMIT $2);
