/* SPDX-License-Identifier: Apache-2.0 */
/*
 * script: a .flow file as a list of steps. A keyword at the start of a line opens a step; what is
 * indented below it belongs to it: "name = value" lines and, in a REPLY, the body from the first
 * line that is neither that nor a header. docs/replay-tests.md describes the format.
 */
#ifndef REPLAY_SCRIPT_H
#define REPLAY_SCRIPT_H

#include "base/arena.h"
#include "base/err.h"

enum step_kind {
    STEP_CONFIG,
    STEP_START,
    STEP_REDIRECT,
    STEP_CALLBACK,
    STEP_REQUEST,
    STEP_REPLY,
    STEP_DONE,
    STEP_FAIL,
};

struct script_line {
    const char *name, *value;
    bool header; /* "header name = value" */
};

#define SCRIPT_LINES_MAX 48
#define SCRIPT_STEPS_MAX 64

struct script_step {
    enum step_kind kind;
    int line;         /* of the file */
    const char *rest; /* of the keyword's line */
    struct script_line v[SCRIPT_LINES_MAX];
    size_t n;
    const char *body; /* CONFIG: as written, without indentation; REPLY: likewise, "" if none */
};

struct script {
    const char *path;
    const char *provider; /* id: the folder's name */
    struct script_step *v;
    size_t n;
};

int script_read(const char *path, struct arena *a, struct script *out, struct err *err)
    __attribute__((warn_unused_result));
/* The value of a step's line, or NULL. */
const char *script_get(const struct script_step *s, const char *name);
const char *script_kind_name(enum step_kind kind);

#endif
