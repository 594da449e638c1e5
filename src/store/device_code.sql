-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO device_code (hash, user_code, app, scopes, resource, state, poll_every, ip, user_agent,
    created, expires)
VALUES ($1, $2, $3, $4, $5, 'waiting', $6, $7, $8, $9, $10);

-- name: get
SELECT hash, user_code, app, scopes, resource, state, grant_id, poll_every, last_poll, ip,
    user_agent, created, expires
FROM device_code WHERE hash = $1;

-- name: typed
SELECT hash, user_code, app, scopes, resource, state, grant_id, poll_every, last_poll, ip,
    user_agent, created, expires
FROM device_code WHERE user_code = $1;

-- name: polled
UPDATE device_code SET last_poll = $2, poll_every = $3 WHERE hash = $1;

-- name: decide
UPDATE device_code SET state = $2, grant_id = $3 WHERE hash = $1 AND state = 'waiting';

-- name: use
UPDATE device_code SET state = 'used' WHERE hash = $1 AND state = 'allowed';

-- name: sweep
DELETE FROM device_code WHERE hash IN
    (SELECT hash FROM device_code WHERE expires <= $1 ORDER BY expires, hash LIMIT $2);
