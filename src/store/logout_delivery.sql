-- SPDX-License-Identifier: Apache-2.0

-- name: head
-- Of the next app behind $1 what it is to be told first.
SELECT id, app, account, sid, attempts, next, created
FROM logout_delivery WHERE app > $1 ORDER BY app, created, id LIMIT 1;

-- name: of_app
SELECT id, app, account, sid, attempts, next, created
FROM logout_delivery WHERE app = $1 ORDER BY created, id LIMIT $2;

-- name: postpone
UPDATE logout_delivery SET attempts = attempts + 1, next = $2 WHERE app = $1;

-- name: give_up
DELETE FROM logout_delivery WHERE app = $1 AND created <= $2;

-- name: done
DELETE FROM logout_delivery WHERE id = $1;
