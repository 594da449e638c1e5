-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO audit (n, at, actor_kind, actor, actor_name, ip, request_id, user_agent, action, object,
    provider, app, was, became, outcome, reason, hash)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17);

-- name: newest
SELECT n, hash FROM audit ORDER BY n DESC LIMIT 1;

-- name: anchor
SELECT n, hash FROM audit_anchor ORDER BY n DESC LIMIT 1;

-- name: ends
SELECT coalesce((SELECT min(n) FROM audit), 0), coalesce((SELECT max(n) FROM audit), 0);

-- name: walk
-- As they are: a row's hash is over exactly this.
SELECT n, at, actor_kind, actor, actor_name, ip, request_id, user_agent, action, object, provider,
    app, was, became, outcome, reason, hash
FROM audit WHERE n > $1 ORDER BY n LIMIT $2;

-- name: back
-- Newest first between two numbers; '' is any. An account's name is not the audit's to keep.
SELECT n, at, actor_kind, actor, coalesce(actor_name, (SELECT coalesce(i.name, i.username)
        FROM identity i WHERE a.actor_kind = 'account' AND i.account = a.actor
        ORDER BY i.last_seen DESC LIMIT 1)),
    ip, request_id, user_agent, action, object, provider, app, was, became, outcome, reason, hash
FROM audit a
WHERE n >= $1 AND n <= $2 AND at >= $4 AND at <= $5
    AND ($6 = '' OR actor = $6 OR actor_name = $6 OR actor_kind = $6)
    AND ($7 = '' OR actor = $7 OR object = $7)
    AND ($8 = '' OR action = $8) AND ($9 = '' OR substr(action, 1, length($9)) = $9)
    AND ($10 = '' OR object = $10) AND ($11 = '' OR provider = $11) AND ($12 = '' OR app = $12)
    AND ($13 = '' OR ip = $13) AND ($14 = '' OR outcome = $14)
ORDER BY n DESC LIMIT $3;

-- name: forward
SELECT n, at, actor_kind, actor, coalesce(actor_name, (SELECT coalesce(i.name, i.username)
        FROM identity i WHERE a.actor_kind = 'account' AND i.account = a.actor
        ORDER BY i.last_seen DESC LIMIT 1)),
    ip, request_id, user_agent, action, object, provider, app, was, became, outcome, reason, hash
FROM audit a
WHERE n >= $1 AND n <= $2 AND at >= $4 AND at <= $5
    AND ($6 = '' OR actor = $6 OR actor_name = $6 OR actor_kind = $6)
    AND ($7 = '' OR actor = $7 OR object = $7)
    AND ($8 = '' OR action = $8) AND ($9 = '' OR substr(action, 1, length($9)) = $9)
    AND ($10 = '' OR object = $10) AND ($11 = '' OR provider = $11) AND ($12 = '' OR app = $12)
    AND ($13 = '' OR ip = $13) AND ($14 = '' OR outcome = $14)
ORDER BY n LIMIT $3;

-- name: oldest
SELECT n, at, hash FROM audit ORDER BY n LIMIT $1;

-- name: trim
DELETE FROM audit WHERE n <= $1;

-- name: unanchor
DELETE FROM audit_anchor;

-- name: moor
INSERT INTO audit_anchor (n, hash, at) VALUES ($1, $2, $3);
