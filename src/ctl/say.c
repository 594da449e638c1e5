/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/say.h"

#include "ctl/input.h"

int say_list(struct ctl *c, const struct say_list *l, const struct table_column *columns, size_t n)
{
    struct client_reply r;
    const int rc = client_get(c, l->path, &r);
    if (rc == CTL_DONE && !ctl_printed(c, r.body))
        table_print(stdout, jval_get(r.body, l->member), columns, n, l->none);
    client_reply_deinit(&r);
    return rc;
}

int say_done(struct ctl *c, const struct client_call *call, const char *done)
{
    struct client_reply r;
    const int rc = client_ask(c, call, &r);
    if (rc == CTL_DONE && !ctl_printed(c, r.body))
        puts(done);
    client_reply_deinit(&r);
    return rc;
}

int say_sure(const struct ctl_args *a, const char *question)
{
    if (ctl_option(a, "yes"))
        return CTL_DONE;
    if (!input_is_terminal())
        return ctl_misused("say --yes to do it without being asked");
    return input_confirm(question) ? CTL_DONE : CTL_REFUSED;
}

struct jval *say_force(const struct ctl_args *a)
{
    if (!ctl_option(a, "force"))
        return NULL;
    struct jval *body = jval_new_object();
    jval_set_bool(body, "force", true);
    return body;
}
