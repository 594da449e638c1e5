-- SPDX-License-Identifier: Apache-2.0

-- name: add
INSERT INTO signing_key (kid, alg, sealed, created, active_from) VALUES ($1, $2, $3, $4, $5);

-- name: retire
UPDATE signing_key SET retired_at = $2 WHERE kid = $1 AND retired_at IS NULL;

-- name: drop
DELETE FROM signing_key WHERE retired_at < $1;

-- name: all
SELECT kid, alg, sealed, created, active_from, retired_at FROM signing_key
ORDER BY created, kid;

-- name: page_old
-- What was sealed with another key than $1, behind kid $2.
SELECT kid, alg, sealed, created, active_from, retired_at FROM signing_key
WHERE substr(sealed, 1, 4) <> $1 AND kid > $2 ORDER BY kid LIMIT 1;

-- name: seal
UPDATE signing_key SET sealed = $2 WHERE kid = $1;

-- name: count_sealed_with
SELECT count(*) FROM signing_key WHERE substr(sealed, 1, 4) = $1;
