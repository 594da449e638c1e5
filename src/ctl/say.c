/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/say.h"

#include "ctl/date.h"
#include "ctl/input.h"

int say(struct ctl *c, const struct client_call *call, void (*print)(const struct jval *body))
{
    struct client_reply r;
    const int rc = client_ask(c, call, &r);
    if (rc == CTL_DONE && !ctl_printed(c, r.body))
        print(r.body);
    client_reply_deinit(&r);
    return rc;
}

int say_thing(struct ctl *c, const char *path, void (*print)(const struct jval *body))
{
    return say(c, &(const struct client_call){.method = "GET", .path = path}, print);
}

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

int say_change(struct ctl *c, const char *method, const char *path, struct jval *body)
{
    struct client_reply r;
    const int rc = client_get(c, path, &r);
    const char *etag = r.etag;
    client_reply_deinit(&r);
    if (rc != CTL_DONE) {
        jval_free(&body);
        return rc;
    }
    const struct client_call call = {
        .method = method, .path = path, .body = body, .if_match = etag};
    return say_done(c, &call, "Done.");
}

int say_once(struct ctl *c, const struct ctl_args *a, const char *path, const char *member,
             struct jval *body)
{
    struct client_reply r;
    int64_t expires = 0;
    if (ctl_option(a, "expires") && !date_read(ctl_option(a, "expires"), &expires)) {
        jval_free(&body);
        return ctl_misused("--expires wants a day to come, as 2027-01-31, or how long: 12h, 90d");
    }
    if (expires)
        jval_set_int(body, "expires", expires);
    const struct client_call call = {.method = "POST", .path = path, .body = body};
    const int rc = client_ask(c, &call, &r);
    if (rc == CTL_DONE && !ctl_printed(c, r.body)) {
        const char *secret = jval_text(jval_get(r.body, member));
        fputs("Keep it now, it is not shown again:\n", stderr);
        table_text(stdout, secret ? secret : "?");
        fputc('\n', stdout);
    }
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
