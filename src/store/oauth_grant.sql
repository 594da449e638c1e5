-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO oauth_grant (id, app, account, session, provider, scopes, resource, claims, auth_time,
    amr, acr, ip, user_agent, created, ends, sid, subject)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: get
SELECT id, app, account, session, provider, scopes, resource, claims, auth_time, amr, acr, ip,
    user_agent, created, ends, ended, sid, subject
FROM oauth_grant WHERE id = $1;

-- name: end
UPDATE oauth_grant SET ended = $2 WHERE id = $1 AND ended IS NULL;

-- name: end_account
-- '' is any app.
UPDATE oauth_grant SET ended = $3
WHERE account = $1 AND ended IS NULL AND ($2 = '' OR app = $2);

-- name: end_session
UPDATE oauth_grant SET ended = $2 WHERE session = $1 AND ended IS NULL;

-- name: of_account
SELECT id, app, account, session, provider, scopes, resource, claims, auth_time, amr, acr, ip,
    user_agent, created, ends, ended, sid, subject
FROM oauth_grant
WHERE account = $1 AND ended IS NULL AND ends > $3 AND ($2 = '' OR app = $2)
ORDER BY created DESC, id;

-- name: of_session
SELECT id, app, account, session, provider, scopes, resource, claims, auth_time, amr, acr, ip,
    user_agent, created, ends, ended, sid, subject
FROM oauth_grant WHERE session = $1 AND ended IS NULL AND ends > $2
ORDER BY created DESC, id;

-- name: any
SELECT id FROM oauth_grant WHERE ended IS NULL LIMIT 1;

-- name: follow
UPDATE oauth_grant SET session = $2 WHERE session = $1 AND ended IS NULL;

-- name: sweep
DELETE FROM oauth_grant WHERE id IN
    (SELECT id FROM oauth_grant WHERE ends <= $1 ORDER BY ends, id LIMIT $2);
