-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO authorization_request (hash, app, kind, params, bind, created, expires)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: get
SELECT app, kind, params, bind, created, expires
FROM authorization_request WHERE hash = $1 AND expires > $2;

-- name: drop
DELETE FROM authorization_request WHERE hash = $1;

-- name: count
SELECT count(*) FROM authorization_request;

-- name: sweep
DELETE FROM authorization_request WHERE hash IN
    (SELECT hash FROM authorization_request WHERE expires <= $1 ORDER BY expires, hash LIMIT $2);
