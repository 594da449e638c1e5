-- SPDX-License-Identifier: Apache-2.0

-- name: get
SELECT id, created, disabled_since, disabled_until, disabled_reason FROM account WHERE id = $1;

-- name: identities
SELECT provider, subject, username, name, email, email_evidence, picture, locale, group_names,
    first_seen, last_seen, linked, email_since, checked
FROM identity WHERE account = $1
ORDER BY last_seen DESC, provider, subject;

-- name: search
-- From behind the id $1: who has the text $2 as id or subject, or is like the pattern $3; "" is
-- anybody. $6: 1 not disabled at $7, 2 disabled.
SELECT id, created, disabled_since, disabled_until, disabled_reason FROM account a
WHERE id > $1
    AND ($2 = '' OR id = $2 OR EXISTS (SELECT 1 FROM identity i WHERE i.account = a.id
        AND (i.subject = $2 OR lower(i.username) LIKE lower($3) ESCAPE '\'
            OR lower(i.name) LIKE lower($3) ESCAPE '\' OR lower(i.email) LIKE lower($3) ESCAPE '\')))
    AND ($4 = '' OR EXISTS (SELECT 1 FROM identity i WHERE i.account = a.id AND i.provider = $4))
    AND ($5 = '' OR EXISTS (SELECT 1 FROM account_role r WHERE r.account = a.id AND r.role = $5))
    AND ($6 = 0 OR ($6 = 2) = (disabled_since IS NOT NULL
        AND (disabled_until IS NULL OR disabled_until > $7)))
ORDER BY id LIMIT $8;
