-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO provider (id, settings, version, created, changed) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (id) DO NOTHING;

-- name: set
UPDATE provider SET settings = $2, version = $3, changed = $4 WHERE id = $1 AND version = $5;

-- name: drop
DELETE FROM provider WHERE id = $1 AND version = $2;

-- name: get
SELECT id, settings, version, created, changed, NULL FROM provider WHERE id = $1;

-- name: all
SELECT id, settings, version, created, changed, NULL FROM provider ORDER BY id;
