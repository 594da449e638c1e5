/* SPDX-License-Identifier: Apache-2.0 */
/*
 * account: local accounts and the upstream identities that lead to them. The key is (provider,
 * subject), both exact text. An e-mail selects no account here: account_holders says who has an
 * address, and whoever asks (login/link) decides what that is worth.
 *
 * Functions run inside a transaction, on its thread; times are seconds since 1970. What is found
 * lives in the caller's arena. What is done to accounts that are there is in account_change.h,
 * lists and look-ups for people are in account_list.h.
 */
#ifndef STORE_ACCOUNT_H
#define STORE_ACCOUNT_H

#include "base/arena.h"
#include "store/db.h"

#define ACCOUNT_ID_MAX 23 /* characters */

struct account_profile {
    const char *provider, *subject;
    const char *username, *name, *email, *picture, *locale; /* NULL: not said */
    int email_evidence;                                     /* enum usher_evidence */
    const char *groups; /* JSON array of strings, namespaced by provider; NULL: none */
};

struct account {
    char id[ACCOUNT_ID_MAX + 1]; /* rng_id */
    bool created;                /* by this call */
    bool disabled;
    bool no_roles; /* known to have none; false: account_roles says */
};

/* The usual sign-in: 1 and the account of a known identity, whose profile is refreshed unless the
 * account is disabled; 0: nobody knows it. */
int account_known(struct db *db, const struct account_profile *p, int64_t now, struct account *out,
                  struct err *err) __attribute__((warn_unused_result));
/* 1 and a new account of an unknown identity; 0: somebody else was faster and it is known now.
 * ERR_NOT_ALLOWED when it is barred. */
int account_make(struct db *db, const struct account_profile *p, int64_t now, struct account *out,
                 struct err *err) __attribute__((warn_unused_result));
/* An identity nobody has becomes the account's: 1; 0: it is somebody's already, maybe this
 * account's own. ERR_NOT_ALLOWED when it is barred or the account is disabled, ERR_NOT_FOUND
 * without an account. */
int account_attach(struct db *db, const char *account, const struct account_profile *p, int64_t now,
                   struct err *err) __attribute__((warn_unused_result));
/* Find or make the account of (provider, subject), whoever else may have its address: account_known
 * and account_make. */
int account_sign_in(struct db *db, const struct account_profile *p, int64_t now,
                    struct account *out, struct err *err) __attribute__((warn_unused_result));
/* Whose account (provider, subject) leads to, changing nothing. 1, or 0: to none yet. */
int account_find(struct db *db, const char *provider, const char *subject, int64_t now,
                 struct account *out, struct err *err) __attribute__((warn_unused_result));
/* The account of that id: 1 and whether it is disabled now, or 0. */
int account_look(struct db *db, const char *id, int64_t now, struct account *out, struct err *err)
    __attribute__((warn_unused_result));

/* An identity that has an address, with better evidence than none. */
struct account_holder {
    char account[ACCOUNT_ID_MAX + 1];
    const char *provider;
    int email_evidence;
    int64_t last_seen;
    bool disabled;
};
#define ACCOUNT_HOLDERS_MAX 16
/* `email` as base/email writes it, compared byte by byte. -1, or how many of
 * out[ACCOUNT_HOLDERS_MAX] are set, in the order of their accounts; as many as fit: there may be
 * more. */
int account_holders(struct db *db, const char *email, int64_t now, struct arena *a,
                    struct account_holder *out, struct err *err)
    __attribute__((warn_unused_result));

/* Whether an identity that nobody has may not come back: 1 or 0. */
int account_barred(struct db *db, const char *provider, const char *subject, struct err *err)
    __attribute__((warn_unused_result));
/* From now on. */
int account_bar(struct db *db, const char *provider, const char *subject, int64_t now,
                struct err *err) __attribute__((warn_unused_result));

/* A name for an identity that tells nothing about it, for addresses of pages, forms and the audit:
 * base64url of the first 16 bytes of SHA-256(provider, a zero byte, subject). */
void account_handle(const char *provider, const char *subject, char out[23]);

#endif
