-- SPDX-License-Identifier: Apache-2.0

-- name: next
SELECT min(asked) FROM upstream_token WHERE provider = $1;

-- name: due
-- Who was asked about last before $2, taken so that nobody else asks: from now on $3 counts as the
-- time, and until $4 nobody renews the tokens.
UPDATE upstream_token SET asked = $3, busy = $4
WHERE provider = $1 AND subject IN (SELECT subject FROM upstream_token
    WHERE provider = $1 AND asked <= $2 AND busy <= $5 ORDER BY asked LIMIT $6) AND asked <= $2
RETURNING provider, subject;

-- name: live
-- Whether anybody is signed in through this identity; idle ones are swept before long.
SELECT 1 FROM identity i JOIN session s ON s.account = i.account
WHERE i.provider = $1 AND i.subject = $2 AND s.provider = $1 AND s.subject = $2
    AND s.ends > $3 LIMIT 1;

-- name: others
-- Whether the identity has other tokens than those of version $3.
SELECT 1 FROM upstream_token WHERE provider = $1 AND subject = $2 AND version <> $3;

-- name: account
SELECT account FROM identity WHERE provider = $1 AND subject = $2;

-- name: idle
UPDATE upstream_token SET busy = 0 WHERE provider = $1 AND subject = $2;

-- name: later
-- Not answered: once more, sooner than the period.
UPDATE upstream_token SET asked = $3, busy = 0 WHERE provider = $1 AND subject = $2;

-- name: passed
UPDATE identity SET checked = $3 WHERE provider = $1 AND subject = $2;

-- name: identity_groups
UPDATE identity SET group_names = $3 WHERE provider = $1 AND subject = $2;

-- name: session_groups
UPDATE session SET group_names = $4 WHERE account = $1 AND provider = $2 AND subject = $3
    AND coalesce(group_names, '') <> coalesce($4, '');

-- name: end
DELETE FROM session WHERE account = $1 AND provider = $2 AND subject = $3;
