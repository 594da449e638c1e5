-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO registration (app, hash, created) VALUES ($1, $2, $3);

-- name: has
SELECT 1 FROM registration WHERE app = $1;

-- name: count
SELECT count(*) FROM registration;

-- name: all
SELECT app, hash, created FROM registration ORDER BY app;

-- name: unused
SELECT app, hash, created FROM registration r WHERE created < $1
AND NOT EXISTS (SELECT 1 FROM consent c WHERE c.app = r.app)
AND NOT EXISTS (SELECT 1 FROM oauth_grant g WHERE g.app = r.app)
AND NOT EXISTS (SELECT 1 FROM app_secret s WHERE s.app = r.app AND s.last_used IS NOT NULL)
ORDER BY app;
