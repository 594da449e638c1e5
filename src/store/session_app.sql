-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO session_app (session, app, sid, account, id) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (session, app, sid) DO NOTHING;

-- name: any
SELECT 1 FROM session_app LIMIT 1;

-- name: follow
UPDATE session_app SET session = $2, missing = NULL WHERE session = $1;

-- name: tell
INSERT INTO logout_delivery (id, app, account, sid, attempts, next, created)
SELECT id, app, account, sid, 0, $2, $2 FROM session_app WHERE session = $1
ON CONFLICT (id) DO NOTHING;

-- name: drop
DELETE FROM session_app WHERE session = $1;

-- name: tell_account
INSERT INTO logout_delivery (id, app, account, sid, attempts, next, created)
SELECT id, app, account, sid, 0, $2, $2 FROM session_app WHERE account = $1
ON CONFLICT (id) DO NOTHING;

-- name: drop_account
DELETE FROM session_app WHERE account = $1;

-- name: page
-- All rows of a session are alike but for the app.
SELECT a.session, MAX(a.missing), MAX(s.id)
FROM session_app a LEFT JOIN session s ON s.account = a.account AND s.id = a.session
WHERE a.session > $1 GROUP BY a.session ORDER BY a.session LIMIT $2;

-- name: miss
UPDATE session_app SET missing = $2 WHERE session = $1;
