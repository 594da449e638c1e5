/* SPDX-License-Identifier: Apache-2.0 */
/* What an operation reads from the query. */
#include "admin/op.h"

int op_query_known(const struct op *op, const char *const *known, struct err *err)
{
    for (size_t i = 0; i < op->query.n; i++) {
        size_t k = 0;
        while (known[k] && strcmp(known[k], op->query.v[i].name) != 0)
            k++;
        if (!known[k])
            return err_set(err, ERR_INVALID, "the query has a parameter that there is not");
    }
    return 0;
}

int op_query_number(struct op *op, const char *name, const struct op_bounds *b, int64_t *out,
                    struct err *err)
{
    const char *text;
    int rc = form_get(&op->query, name, &text);
    if (rc == 0)
        return 0;
    if (rc < 0 || !text_int(str_of(text), out) || *out < b->least || *out > b->most)
        return op_field(op, err, name, "must be a number from %lld to %lld", (long long)b->least,
                        (long long)b->most);
    return 1;
}

int op_query_text(struct op *op, const char *name, const char **out, struct err *err)
{
    int rc = form_get(&op->query, name, out);
    if (rc == 0 || (rc == 1 && !**out))
        *out = NULL;
    return rc < 0 ? op_field(op, err, name, "came more than once") : 0;
}

int op_query_flag(struct op *op, const char *name, int *out, struct err *err)
{
    const char *text;
    *out = -1;
    if (op_query_text(op, name, &text, err) < 0)
        return -1;
    if (text && strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
        return op_field(op, err, name, "must be true or false");
    if (text)
        *out = text[0] == 't';
    return 0;
}
