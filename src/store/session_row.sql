-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO session (hash, id, account, provider, subject, username, name, email, email_evidence,
    picture, group_names, amr, ip, user_agent, created, seen, ends, auth_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18);

-- name: end
DELETE FROM session WHERE hash = $1;

-- name: touch
-- Never back in time: a late write-behind must not shorten a session.
UPDATE session SET seen = $2 WHERE hash = $1 AND seen < $2;

-- name: sweep
-- Within the slice from $1 to $2: what has ended or was idle for too long.
DELETE FROM session WHERE hash IN (SELECT hash FROM session
    WHERE hash >= $1 AND hash <= $2 AND (ends <= $3 OR seen <= $4) ORDER BY hash LIMIT $5);

-- name: page
-- Live rows in the order of their hash, from behind $1.
SELECT hash, id, account, provider, subject, username, name, email, email_evidence, picture,
    group_names, amr, ip, user_agent, created, seen, ends,
    (SELECT @JSON_LIST@(role) FROM account_role r WHERE r.account = session.account), auth_time
FROM session WHERE hash > $1 AND ends > $2 AND seen > $3
ORDER BY hash LIMIT $4;

-- name: list
-- One account's, live, the one seen last first.
SELECT hash, id, account, provider, subject, username, name, email, email_evidence, picture,
    group_names, amr, ip, user_agent, created, seen, ends,
    (SELECT @JSON_LIST@(role) FROM account_role r WHERE r.account = session.account), auth_time
FROM session WHERE account = $1 AND ends > $2 AND seen > $3
ORDER BY seen DESC, created DESC, id LIMIT $4;

-- name: end_of
-- By its public id, for its owner alone.
DELETE FROM session WHERE account = $1 AND id = $2 RETURNING hash;

-- name: stands
SELECT ends FROM session WHERE account = $1 AND id = $2 AND ends > $3;

-- name: end_others
DELETE FROM session WHERE account = $1 AND hash <> $2;

-- name: get
SELECT hash, id, account, provider, subject, username, name, email, email_evidence, picture,
    group_names, amr, ip, user_agent, created, seen, ends,
    (SELECT @JSON_LIST@(role) FROM account_role r WHERE r.account = session.account), auth_time
FROM session WHERE hash = $1;
