-- SPDX-License-Identifier: Apache-2.0

-- name: next
SELECT coalesce(max(n), 0) + 1 FROM audit;

-- name: add
INSERT INTO audit (n, at, actor_kind, actor, actor_name, ip, request_id, action, object, was,
    became, outcome, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13);

-- name: page
-- Newest first; '' is any.
SELECT n, at, actor_kind, actor, actor_name, ip, request_id, action, object, was, became, outcome,
    reason
FROM audit
WHERE n < $1 AND ($2 = '' OR actor = $2 OR actor_name = $2 OR actor_kind = $2)
    AND ($3 = '' OR action = $3) AND ($4 = '' OR object = $4)
ORDER BY n DESC LIMIT $5;
