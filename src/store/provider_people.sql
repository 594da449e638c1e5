-- SPDX-License-Identifier: Apache-2.0

-- name: count
SELECT (SELECT count(DISTINCT account) FROM identity WHERE provider = $1),
    (SELECT count(*) FROM session WHERE provider = $1);
