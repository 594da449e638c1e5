-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO spent (flow, expires) VALUES ($1, $2) ON CONFLICT (flow) DO NOTHING;

-- name: sweep
DELETE FROM spent WHERE flow IN (SELECT flow FROM spent WHERE expires <= $1 ORDER BY expires LIMIT $2);

-- name: page
SELECT flow, expires FROM spent WHERE flow > $1 AND expires > $2 ORDER BY flow LIMIT $3;
