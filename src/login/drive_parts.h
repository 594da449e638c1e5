/* SPDX-License-Identifier: Apache-2.0 */
/*
 * drive_parts: the inside of a drive, shared by drive*.c and nobody else. drive.c runs the machine;
 * each other file carries out one kind of action. An action function returns -1 with an error, and
 * drive.c ends the drive; or 0 when a request is under way, whose answer continues with drive_step.
 * After drive_step, drive_end or drive_fail the drive may be gone: return at once.
 */
#ifndef LOGIN_DRIVE_PARTS_H
#define LOGIN_DRIVE_PARTS_H

#include "login/drive.h"
#include "sys/jose.h"

/* One request under way. */
struct drive_call {
    struct drive *d;
    void *handle; /* NULL: none */
    const char *step;
    size_t index;
};

struct drive {
    struct drive_args args;
    struct leg *leg;
    struct arena *arena; /* the leg's: both end together */
    struct loop_timer *deadline;
    drive_done_fn *done;
    void *arg;
    bool ended;

    struct flow flow;
    bool second;         /* CALLBACK to DONE; else START to REDIRECT */
    bool renewal;        /* START to DONE */
    const char *subject; /* renewal: whose */
    struct str bind;     /* first leg */
    struct str state;    /* second leg */

    struct drive_call calls[USHER_REQUESTS_MAX];
    size_t under_way;

    /* EXCHANGE */
    bool exchanged;
    struct usher_action exchange; /* pointers into the leg's arena */
    enum provider_slot first_slot, slot;
    unsigned refused; /* slots whose secret was refused, as 1 << slot */
    struct secret *code, *verifier, *access_token, *id_token;
    struct secret *refresh_sent, *refresh_token; /* of a renewal; what came */
    bool obtained;                               /* by the exchange, with what was said about it: */
    const char *scope;
    int64_t expires_in;
    /* VERIFY */
    const struct usher_verify *verify;
    bool refreshed; /* the key set was asked for afresh */
    struct jws token;
    bool verified;
    /* FETCH */
    const struct usher_request *requests;
    size_t n_requests;
    struct usher_response responses[USHER_REQUESTS_MAX];
    /* JSON that plugins may hold on to until the leg ends. */
    struct jval **kept;
    size_t n_kept;
};

struct drive *drive_new(const struct drive_args *args, const struct flow *f, drive_done_fn *done,
                        void *arg);
void drive_arm(struct drive *d); /* the deadline */
void drive_step(struct drive *d, const struct usher_event *ev);
void drive_end(struct drive *d, const struct drive_redirect *redirect,
               const struct drive_identity *identity, const struct err *err);
void drive_fail(struct drive *d, const struct err *err);

/* Start call number i; its answer goes to `done` with the struct drive_call as argument. */
void drive_fetch_start(struct drive *d, size_t i, const char *step, const struct fetch_request *rq,
                       fetch_done_fn *done);
void drive_cached_start(struct drive *d, size_t i, const char *step, const struct cache_request *rq,
                        fetch_done_fn *done);
/* First thing in every `done`: books the call as answered. */
struct drive *drive_answered(struct drive_call *call, const struct fetch_result *r);
/* 0 when there is an HTTP answer; else -1 and whose fault that is. */
int drive_transport(const struct fetch_result *r, const char *what, struct err *err)
    __attribute__((warn_unused_result));
/* The body as JSON, kept until the drive is freed; NULL if it is none. */
struct jval *drive_json(struct drive *d, const struct fetch_result *r, bool any_type);
struct jval *drive_keep(struct drive *d, struct jval *take);
bool drive_json_type(const struct fetch_result *r);

/* Parameters or headers as the fetcher takes them. */
int drive_parts(struct drive *d, const struct usher_param *v, size_t n, struct fetch_part *out,
                struct err *err) __attribute__((warn_unused_result));

/* Ask for JSON unless the plugin asks for something else; the new number of headers. `headers` has
 * room for one more. */
size_t drive_headers_accept(struct fetch_part *headers, size_t n);

/* The actions. */
int drive_redirect(struct drive *d, const struct usher_action *act, struct err *err)
    __attribute__((warn_unused_result));
int drive_exchange(struct drive *d, const struct usher_action *act, struct err *err)
    __attribute__((warn_unused_result));
int drive_verify(struct drive *d, const struct usher_action *act, struct err *err)
    __attribute__((warn_unused_result));
int drive_requests(struct drive *d, const struct usher_action *act, struct err *err)
    __attribute__((warn_unused_result));

/* The identity of a DONE, by the rules of renewals: drive_renew.c. */
int drive_renewed(struct drive *d, struct drive_identity *id, struct err *err)
    __attribute__((warn_unused_result));

/* ---- refusals: drive_refusal.c */
/* Whether the token endpoint's answer (NULL: no JSON) says: that is not your client secret. */
bool drive_client_refused(const struct fetch_result *r, const struct jval *answer);
/* The secret of the leg's slot was refused. 1: another one is chosen, ask again; 0: there is none;
 * -1: there were several, and all of them were refused. */
int drive_other_slot(struct drive *d, struct err *err) __attribute__((warn_unused_result));
/* The answer shows that the client was let in: remember and tell if that took another secret. */
void drive_slot_worked(struct drive *d);

#endif
