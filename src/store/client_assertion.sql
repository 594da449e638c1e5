-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO client_assertion (expires, hash) VALUES ($1, $2)
ON CONFLICT (expires, hash) DO NOTHING;

-- name: sweep
DELETE FROM client_assertion WHERE (expires, hash) IN
    (SELECT expires, hash FROM client_assertion WHERE expires <= $1 ORDER BY expires, hash LIMIT $2);
