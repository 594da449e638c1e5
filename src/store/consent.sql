-- SPDX-License-Identifier: Apache-2.0

-- name: put
INSERT INTO consent (account, app, scopes, claims, terms, created, changed)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (account, app) DO UPDATE
SET scopes = excluded.scopes, claims = excluded.claims, terms = excluded.terms,
    changed = excluded.changed;

-- name: get
SELECT account, app, scopes, claims, terms, created, changed
FROM consent WHERE account = $1 AND app = $2;

-- name: drop
DELETE FROM consent WHERE account = $1 AND app = $2;

-- name: all
SELECT account, app, scopes, claims, terms, created, changed
FROM consent WHERE account = $1 ORDER BY app;

-- name: move
UPDATE consent SET account = $2 WHERE account = $1
    AND app NOT IN (SELECT app FROM consent WHERE account = $2);
