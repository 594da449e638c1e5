/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer: a REPLY of a script, made into what the network would have said: placeholders filled in,
 * ID tokens signed by a key made for this run, key sets written out. A fault bends it first.
 */
#ifndef REPLAY_ANSWER_H
#define REPLAY_ANSWER_H

#include "net/fetch.h"
#include "replay/script.h"
#include "sys/jose.h"

enum fault_kind {
    FAULT_NONE = 0,
    FAULT_TIMEOUT, /* to LIMITED: as enum usher_transport */
    FAULT_UNREACHABLE,
    FAULT_REFUSED,
    FAULT_TOO_LARGE,
    FAULT_BROKEN,
    FAULT_LIMITED,
    FAULT_429,
    FAULT_500,
    FAULT_503,
    FAULT_HTML,
    FAULT_HTML_AS_JSON,
    FAULT_PLAIN_TYPE,
    FAULT_NO_TYPE,
    FAULT_UTF16,
    FAULT_TRUNCATED,
    FAULT_EMPTY,
    FAULT_HUGE,
    FAULT_DEEP,
    FAULT_NULL,
    FAULT_ARRAY,
    FAULT_TEXT,
    FAULT_TWICE,  /* every object has a duplicate key */
    FAULT_NUL,    /* a NUL escape in a member */
    FAULT_404,    /* the last fault of the whole answer */
    FAULT_REMOVE, /* from here on: of one member */
    FAULT_AS_NULL,
    FAULT_AS_BOOL,
    FAULT_AS_NUMBER,
    FAULT_AS_TEXT,
    FAULT_AS_EMPTY_TEXT,
    FAULT_AS_ARRAY,
    FAULT_AS_OBJECT,
    FAULT_END,
};

struct fault {
    enum fault_kind kind;
    size_t reply;       /* the how manieth REPLY of the script */
    const char *member; /* JSON pointer, for the kinds from REMOVE on */
};
const char *fault_name(enum fault_kind kind);

/* The keys of a run: what signs ID tokens, and one that no key set names. */
struct answer_keys {
    struct jws_key *rsa, *ec, *stray;
};
void answer_keys_make(struct answer_keys *k);
void answer_keys_free(struct answer_keys *k);

struct answer_context {
    const struct answer_keys *keys;
    const char *nonce; /* "" before the redirect */
    int64_t now;
    struct arena *arena;
};

/* Everything in the result lies in the context's arena. */
int answer_make(const struct answer_context *ctx, const struct script_step *reply,
                const struct fault *fault, struct fetch_result *out, struct err *err)
    __attribute__((warn_unused_result));
struct answer_member {
    const char *pointer;
    enum jval_type type;
};
/* The members of a JSON reply as written, ID token claims included. */
size_t answer_members(const struct answer_context *ctx, const struct script_step *reply,
                      struct answer_member *out, size_t max);
/* Whether a fault of a member gives it a value of another type, or none. */
bool fault_changes_type(enum fault_kind kind, enum jval_type type);

#endif
