-- SPDX-License-Identifier: Apache-2.0

-- name: of_session
INSERT INTO logout_delivery (id, app, account, sid, attempts, next, created)
SELECT MIN(id), app, account, sid, 0, $2, $2 FROM oauth_grant
WHERE session = $1 AND ended IS NULL AND account IS NOT NULL AND sid IS NOT NULL
GROUP BY app, account, sid
ON CONFLICT (id) DO NOTHING;

-- name: of_account
INSERT INTO logout_delivery (id, app, account, sid, attempts, next, created)
SELECT MIN(id), app, account, sid, 0, $2, $2 FROM oauth_grant
WHERE account = $1 AND ended IS NULL AND sid IS NOT NULL
GROUP BY app, account, sid
ON CONFLICT (id) DO NOTHING;

-- name: each
SELECT id, app, account, sid, attempts, next, created
FROM logout_delivery ORDER BY next, id LIMIT $1;

-- name: postpone
UPDATE logout_delivery SET attempts = attempts + 1, next = $2 WHERE id = $1;

-- name: done
DELETE FROM logout_delivery WHERE id = $1;
