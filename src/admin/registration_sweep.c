/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Apps that registered themselves and that nobody ever let in go after a while, by the actor
 * "system"; not those that an admin lets people in to unasked. Whether there are any is looked up
 * once an hour; each goes by itself, in the turn of the changes of admins, and only if it is still
 * so by then.
 */
#include "admin/app.h"
#include "admin/registration.h"

#define STEPS_BETWEEN 3600 /* a step is a second */
#define STEPS_FIRST 5
#define AT_ONCE 20
#define ID_MAX 32

struct found {
    char ids[AT_ONCE][ID_MAX + 1];
    size_t n;
    const char *wanted; /* one app; NULL: any */
    const struct apps *apps;
};

/* What people said yes to stays for good, grants do not: where they are not asked (an admin vouched
 * for the app), nothing says that nobody uses it. */
static bool leaves_traces(const struct found *f, const char *id)
{
    const struct app *app = apps_find(f->apps, id);
    return !app || app->common.consent;
}

static int take(void *arg, const struct registration_row *row, struct err *err)
{
    struct found *f = arg;
    (void)err;
    if (f->n == AT_ONCE || strlen(row->app) > ID_MAX ||
        (f->wanted && strcmp(f->wanted, row->app) != 0) || !leaves_traces(f, row->app))
        return 0;
    memcpy(f->ids[f->n++], row->app, strlen(row->app) + 1);
    return 0;
}

static int look(struct db *db, const struct op *op, struct found *f, struct err *err)
{
    const int64_t unused = op->config->issuer.registration_unused;
    f->n = 0;
    f->apps = op->apps;
    return unused > 0 ? registration_unused(db, op->now - unused, take, f, err) : 0;
}

/* ---- one that goes ----------------------------------------------------------------------------
 */

static int delete_row(struct db *db, struct op *op, struct err *err)
{
    struct found f = {.wanted = op->id};
    struct settings_row row;
    if (look(db, op, &f, err) < 0)
        return -1;
    const int rc = f.n > 0 ? settings_row_get(db, SETTINGS_APP, op->id, op->arena, &row, err) : 0;
    if (rc < 0)
        return -1;
    if (rc == 0)
        return op_refuse(op, ERR_CONFLICT, "somebody uses it by now");
    return app_drop(db, op, row.version, err);
}

static int delete_work(struct op *op, struct err *err)
{
    return op_write(op, delete_row, err);
}

/* ---- which ones -------------------------------------------------------------------------------
 */

static int look_up(struct db *db, struct op *op, struct err *err)
{
    return look(db, op, op->more, err);
}

static int look_work(struct op *op, struct err *err)
{
    op->more = arena_alloc(op->arena, sizeof(struct found));
    return op_read(op, look_up, err);
}

static int look_finish(struct op *op, struct err *err)
{
    static const struct op_rule rule = {.scope = ADMIN_WRITE,
                                        .action = "app.delete",
                                        .work = delete_work,
                                        .finish = app_dropped,
                                        .reloaded = op_rows_in_force};
    const struct found *f = op->more;
    (void)err;
    for (size_t i = 0; i < f->n; i++)
        op_run_system(op->admin, f->ids[i], NULL, &rule);
    return 0;
}

void admin_step(void *arg)
{
    static const struct op_rule rule = {
        .scope = ADMIN_READ, .work = look_work, .finish = look_finish};
    struct admin *a = arg;
    if (a->step++ % STEPS_BETWEEN == STEPS_FIRST)
        op_run_system(a, NULL, NULL, &rule);
}
