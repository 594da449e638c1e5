/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault: how the look-alikes misbehave on demand, and what they were asked. A fault belongs to a
 * path (exact, a prefix ending in '*', or "*") and lasts for so many requests. Kinds are listed in
 * docs/usher-fake.md. Thread safe.
 */
#ifndef FAKE_FAULT_H
#define FAKE_FAULT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/json.h"
#include "fake/http.h"

#define FAULT_HITS_MAX 8

struct fault {
    char path[160], kind[32], variant[32];
    char name[128]; /* member (a JSON pointer) or parameter */
    char value[2048];
    int64_t ms, n, status, retry_after; /* -1: not given */
    int64_t times;                      /* requests left; 0: until reset */
};

struct fault_hits {
    struct fault v[FAULT_HITS_MAX];
    size_t n;
    uint64_t releases; /* before this request */
};

struct faults;
struct faults *faults_new(void);
void faults_free(struct faults **f);
void faults_reset(struct faults *f);
/* From form fields: path, fault, variant, name, value, ms, n, status, retry_after, times. */
int faults_add(struct faults *f, const struct fields *spec, struct err *err)
    __attribute__((warn_unused_result));
/* Count the request, remember it, and give what is to go wrong with it. */
void faults_note(struct faults *f, const struct http_request *rq, struct fault_hits *hits);
/* Requests that are held go on. */
void faults_release(struct faults *f);
bool faults_held(struct faults *f, const struct fault_hits *h); /* not released since */
/* {"paths":{"/x":3,…},"last":[{method,path,query,headers,body},…],"faults":[…]} */
struct jval *faults_report(struct faults *f);

const struct fault *fault_hit(const struct fault_hits *h, const char *kind); /* NULL: not hit */

#endif
