/* SPDX-License-Identifier: Apache-2.0 */
#include "session_fixture.h"

struct sessions *table;

struct sessions *table_of(size_t max)
{
    struct sessions_options o = {.idle_seconds = IDLE, .absolute_seconds = ABSOLUTE, .max = max};
    return sessions_new(&o);
}

void session_setup(void)
{
    table = table_of(100000);
}

void session_teardown(void)
{
    sessions_free(&table);
}

struct session_row row_of(const char *account)
{
    return (struct session_row){
        .id = "id",
        .account = account,
        .provider = "discord",
        .subject = "80351110224678912",
        .name = "Nelly",
        .email = "nelly@example.com",
        .created = NOW,
        .seen = NOW,
        .ends = NOW + ABSOLUTE,
    };
}

int add_row(struct sessions *t, struct ticket *ticket, struct session_row row, struct err *err)
{
    session_token_make(ticket->token, ticket->hash);
    memcpy(row.hash, ticket->hash, sizeof row.hash);
    return sessions_add(t, &row, err);
}

void add(struct ticket *ticket, const char *account)
{
    struct err err = ERR_INIT;
    ck_assert_msg(add_row(table, ticket, row_of(account), &err) == 0, "%s", err.text);
}

int check_at(const struct ticket *t, int64_t now)
{
    struct session_view v;
    return sessions_check(table, str_of(t->token), now, &v);
}
