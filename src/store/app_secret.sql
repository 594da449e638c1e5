-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO app_secret (id, app, hash, created, expires) VALUES ($1, $2, $3, $4, $5);

-- name: count
-- Those of an app that are good at $2.
SELECT count(*) FROM app_secret WHERE app = $1 AND (expires IS NULL OR expires > $2);

-- name: drop
DELETE FROM app_secret WHERE app = $1 AND id = $2;

-- name: drop_of
DELETE FROM app_secret WHERE app = $1;

-- name: expire
UPDATE app_secret SET expires = $3
WHERE app = $1 AND id = $2 AND (expires IS NULL OR expires > $3);

-- name: has
SELECT 1 FROM app_secret WHERE app = $1 AND id = $2;

-- name: touch
UPDATE app_secret SET last_used = $2 WHERE id = $1 AND (last_used IS NULL OR last_used < $2);

-- name: all
-- Of one app, or of all when $1 is empty.
SELECT id, app, hash, created, expires, last_used FROM app_secret
WHERE $1 = '' OR app = $1 ORDER BY created, id;
