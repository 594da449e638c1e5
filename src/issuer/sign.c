/* SPDX-License-Identifier: Apache-2.0 */
#include "issuer/sign.h"

#include "issuer/parts.h"

struct sign_job {
    struct issuer *issuer;
    struct signing_key *key; /* held */
    const struct jws_signer *signer;
    struct str payload;
    struct arena *arena; /* the loop's, not the thread's */
    struct buf token;
    bool failed;
    struct err err;
    sign_done_fn *done;
    void *arg;
};

/* On a thread, or on the loop for what is quick. */
static void sign(void *arg)
{
    struct sign_job *j = arg;
    j->failed = jws_signer_sign(j->signer, j->payload, &j->token, &j->err) < 0;
}

static void finish(struct sign_job *j)
{
    struct str token = {NULL, 0};
    if (!j->failed)
        token = (struct str){arena_dupn(j->arena, j->token.p, j->token.n), j->token.n};
    buf_wipe(&j->token);
    issuer_keys_drop(&j->key);
    j->done(j->arg, token, token.p ? NULL : &j->err);
}

static void signed_elsewhere(void *arg)
{
    struct sign_job *j = arg;
    j->issuer->under_way--;
    finish(j);
}

static void refuse(sign_done_fn *done, void *arg, enum err_kind kind, const char *what)
{
    struct err err = ERR_INIT;
    (void)err_set(&err, kind, "%s", what);
    done(arg, (struct str){NULL, 0}, &err);
}

void sign_jwt(struct issuer *i, const struct sign_args *a, sign_done_fn *done, void *arg)
{
    struct signing_key *key = issuer_keys_active(i->keys, a->alg);
    if (key == NULL) {
        refuse(done, arg, ERR_MISCONFIGURED, "usher has no key for this algorithm");
        return;
    }
    struct sign_job *j = arena_alloc(a->arena, sizeof *j);
    *j = (struct sign_job){.issuer = i,
                           .key = issuer_keys_hold(key),
                           .signer = key->signer[a->kind],
                           .payload = a->payload,
                           .arena = a->arena,
                           .done = done,
                           .arg = arg};
    buf_init(&j->token, JWS_TOKEN_MAX);
    if (a->alg != JWS_RS256) {
        sign(j);
        finish(j);
        return;
    }
    i->under_way++;
    if (work_submit(i->work, sign, i->o.loop, signed_elsewhere, j))
        return;
    i->under_way--;
    buf_deinit(&j->token);
    issuer_keys_drop(&j->key);
    refuse(done, arg, ERR_LIMITED, "too many signatures are waited for");
}
