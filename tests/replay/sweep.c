/* SPDX-License-Identifier: Apache-2.0 */
#include "replay/sweep.h"

#include <stdio.h>
#include <string.h>

#define MEMBERS_MAX 256

/* "may=done,not_allowed" on the REPLY's line: what else a fault in it may lead to. */
static bool may(const struct script_step *reply, const char *what)
{
    const char *list = strstr(reply->rest, "may=");
    struct str rest = str_of(list ? list + 4 : ""), piece;
    while (str_split(&rest, ',', &piece))
        if (str_is(piece, what))
            return true;
    return false;
}

static bool kind_fits(const struct script_step *reply, const struct fault *f,
                      const struct run_outcome *o, const struct run_outcome *good)
{
    if (o->kind == ERR_UPSTREAM_DOWN || o->kind == ERR_UPSTREAM_BAD)
        return true;
    if (o->kind == ERR_MISCONFIGURED && f->kind == FAULT_REFUSED)
        return true;
    return (!good->done && o->kind == good->kind) || may(reply, err_kind_name(o->kind));
}

/* NULL: it ended as it must. `optional`: a login without the member is fine too. */
static const char *fault_in(const struct script_step *reply, const struct fault *f,
                            const struct run_outcome *o, const struct run_outcome *good,
                            bool optional)
{
    if (*o->complaint)
        return o->complaint;
    if (!o->fault_met)
        return NULL; /* the conversation does not get there under this script */
    if (!o->done)
        return kind_fits(reply, f, o, good) ? NULL : o->text;
    if (!good->done)
        return may(reply, "done") ? NULL : "a login came out of a conversation that must fail";
    if (strcmp(o->subject, good->subject) != 0)
        return may(reply, "other") ? NULL : "somebody else was signed in";
    return optional || may(reply, "done") ? NULL : "the login was accepted";
}

static bool try_fault(const struct run *base, const struct script_step *reply,
                      const struct fault *f, const struct run_outcome *good, bool *optional)
{
    struct run_outcome o;
    struct run bent = *base;
    bent.fault = f;
    run_script(&bent, &o);
    if (f->kind == FAULT_REMOVE)
        *optional = o.done;
    const char *wrong = fault_in(reply, f, &o, good, *optional);
    if (!wrong)
        return true;
    fprintf(stderr, "%s:%d: %s %s: %s%s%s\n", base->script->path, reply->line,
            f->member ? f->member : "reply", fault_name(f->kind),
            o.done ? "" : err_kind_name(o.kind), o.done ? "" : ": ", wrong);
    return false;
}

static size_t sweep_reply(const struct run *base, size_t number, const struct script_step *reply,
                          const struct run_outcome *good, size_t *runs)
{
    size_t wrong = 0;
    bool never = false;
    struct arena *a = arena_new();
    struct answer_member *members = arena_alloc(a, MEMBERS_MAX * sizeof *members);
    const struct answer_context ctx = {base->keys, "", RUN_NOW, a};
    for (enum fault_kind k = FAULT_NONE + 1; k < FAULT_REMOVE; k++) {
        const struct fault f = {.kind = k, .reply = number};
        wrong += !try_fault(base, reply, &f, good, &never);
        ++*runs;
    }
    size_t n = answer_members(&ctx, reply, members, MEMBERS_MAX);
    for (size_t i = 0; i < n; i++) {
        bool optional = false;
        for (enum fault_kind k = FAULT_REMOVE; k < FAULT_END; k++) {
            const struct fault f = {.kind = k, .reply = number, .member = members[i].pointer};
            if (!fault_changes_type(k, members[i].type))
                continue;
            wrong += !try_fault(base, reply, &f, good, &optional);
            ++*runs;
        }
    }
    arena_free(&a);
    return wrong;
}

size_t sweep_script(const struct run *base, const struct run_outcome *good, size_t *runs)
{
    size_t wrong = 0, number = 0;
    *runs = 0;
    for (size_t i = 0; i < base->script->n; i++)
        if (base->script->v[i].kind == STEP_REPLY)
            wrong += sweep_reply(base, number++, &base->script->v[i], good, runs);
    return wrong;
}
