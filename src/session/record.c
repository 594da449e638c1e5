/* SPDX-License-Identifier: Apache-2.0 */
#include "session/record.h"

#include <malloc.h>
#include <stdlib.h>

#include "base/header.h"
#include "base/json.h"

/* Strings one behind the other, from the shared empty one on. */
struct writer {
    struct buf text;
    uint16_t at[RECORD_STRINGS];
};

static uint16_t here(const struct writer *w)
{
    return (uint16_t)w->text.n; /* RECORD_MAX fits */
}

static void write_raw(struct writer *w, enum record_string s, const char *text)
{
    if (!text || !*text)
        return;
    w->at[s] = here(w);
    buf_add(&w->text, text, strlen(text) + 1);
}

/* A string and its header form, which may be the same. */
static void write_both(struct writer *w, enum record_string raw, enum record_string header,
                       const char *text)
{
    if (!text || !*text)
        return;
    write_raw(w, raw, text);
    w->at[header] = w->at[raw];
    if (header_plain(text))
        return;
    w->at[header] = here(w);
    header_add(&w->text, text, false);
    buf_byte(&w->text, '\0');
}

static int write_groups(struct writer *w, const char *json, struct err *err)
{
    if (!json || !*json)
        return 0;
    struct jval *v = jval_parse(str_of(json), RECORD_MAX, 2, err);
    if (!v)
        return -1;
    int rc = jval_type(v) == JVAL_ARRAY ? 0 : -1;
    uint16_t at = here(w);
    for (size_t i = 0; rc == 0 && i < jval_count(v); i++) {
        const char *name = jval_text(jval_item(v, i));
        if (!name) {
            rc = -1;
            break;
        }
        if (i > 0)
            buf_byte(&w->text, ',');
        header_add(&w->text, name, true);
    }
    jval_free(&v);
    if (rc < 0)
        return err_set(err, ERR_INTERNAL, "a session's groups are no array of strings");
    w->at[RECORD_HEADER_GROUPS] = at;
    buf_byte(&w->text, '\0');
    write_raw(w, RECORD_GROUPS, json);
    return 0;
}

struct record *record_new(const struct session_row *row, struct err *err)
{
    struct writer w = {.at = {0}};
    struct record *r = NULL;

    if (!row->account || !*row->account || !row->provider || !*row->provider) {
        err_set(err, ERR_INTERNAL, "a session without account or provider");
        return NULL;
    }
    buf_init(&w.text, RECORD_MAX);
    buf_byte(&w.text, '\0');
    write_both(&w, RECORD_ACCOUNT, RECORD_HEADER_USER, row->account);
    write_both(&w, RECORD_EMAIL, RECORD_HEADER_EMAIL, row->email);
    write_both(&w, RECORD_NAME, RECORD_HEADER_NAME, row->name);
    if (write_groups(&w, row->groups, err) < 0)
        goto out;
    write_raw(&w, RECORD_ID, row->id);
    write_raw(&w, RECORD_SUBJECT, row->subject);
    write_raw(&w, RECORD_USERNAME, row->username);
    write_raw(&w, RECORD_PICTURE, row->picture);
    write_raw(&w, RECORD_AMR, row->amr);
    if (!buf_ok(&w.text)) {
        err_set(err, ERR_LIMITED, "a session's profile is over %d bytes", RECORD_MAX);
        goto out;
    }

    r = mem_alloc(sizeof *r + w.text.n);
    memcpy(r->hash, row->hash, sizeof r->hash);
    r->created = row->created;
    r->auth_time = row->auth_time;
    r->seen = row->seen;
    r->ends = row->ends;
    r->email_evidence = (int16_t)row->email_evidence;
    memcpy(r->at, w.at, sizeof r->at);
    memcpy(r->text, w.text.p, w.text.n);
out:
    buf_deinit(&w.text);
    return r;
}

struct record *record_regrouped(const struct record *r, const char *provider, const char *groups,
                                struct err *err)
{
    struct session_row row = {.id = record_string(r, RECORD_ID),
                              .account = record_string(r, RECORD_ACCOUNT),
                              .provider = provider,
                              .subject = record_string(r, RECORD_SUBJECT),
                              .username = record_string(r, RECORD_USERNAME),
                              .name = record_string(r, RECORD_NAME),
                              .email = record_string(r, RECORD_EMAIL),
                              .picture = record_string(r, RECORD_PICTURE),
                              .email_evidence = r->email_evidence,
                              .groups = groups,
                              .amr = record_string(r, RECORD_AMR),
                              .auth_time = r->auth_time,
                              .created = r->created,
                              .seen = r->seen,
                              .ends = r->ends};
    memcpy(row.hash, r->hash, sizeof row.hash);
    return record_new(&row, err);
}

size_t record_bytes(const struct record *r)
{
    return malloc_usable_size((void *)r) + sizeof(size_t);
}
