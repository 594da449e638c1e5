-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO spent (expires, flow) VALUES ($1, $2) ON CONFLICT (expires, flow) DO NOTHING;

-- name: sweep
DELETE FROM spent WHERE (expires, flow) IN
    (SELECT expires, flow FROM spent WHERE expires <= $1 ORDER BY expires, flow LIMIT $2);

-- name: page
SELECT expires, flow FROM spent WHERE (expires, flow) > ($1, $2) ORDER BY expires, flow LIMIT $3;
