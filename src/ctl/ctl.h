/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ctl: usherctl, the admin's command line. It does nothing itself: each command is one or a few
 * calls of the API, over the admin socket or a URL, and a way of showing the answer. One table of
 * commands serves dispatch, --help, the manual page and shell completion.
 *
 * Secrets are never arguments: they come from a prompt without echo or from standard input, and
 * leave over the socket. What comes back from the daemon is cleaned before it reaches a terminal.
 */
#ifndef CTL_CTL_H
#define CTL_CTL_H

#include <stdio.h>

#include "base/arena.h"
#include "base/json.h"

enum ctl_exit {
    CTL_DONE = 0,
    CTL_REFUSED = 1,     /* the daemon said no, or a test found something wrong */
    CTL_USAGE = 2,       /* the command line */
    CTL_UNREACHABLE = 3, /* no answer from the daemon */
    CTL_NOT_ALLOWED = 4, /* who calls may not do this */
    CTL_CONFLICT = 5,    /* somebody else changed it meanwhile, or it exists already */
};

#define CTL_ARGS_MAX 8
#define CTL_OPTIONS_MAX 64

/* What was typed behind the command's words. */
struct ctl_args {
    const char *v[CTL_ARGS_MAX];
    size_t n;
    struct {
        const char *name, *value; /* value "" for a flag */
    } option[CTL_OPTIONS_MAX];
    size_t n_options;
};
/* The last value of an option, or NULL. */
const char *ctl_option(const struct ctl_args *a, const char *name);

struct client;
struct ctl {
    struct arena *arena;   /* of this run */
    struct client *client; /* made at the first call */
    const char *socket, *url, *token_file;
    bool json; /* answers as they come, for scripts */
};

struct ctl_option {
    const char *name; /* without "--" */
    const char *arg;  /* what its value is; NULL: a flag */
    const char *help;
};
struct ctl_command {
    const char *name;  /* "provider add" */
    const char *args;  /* "<id>" */
    unsigned min, max; /* positional arguments */
    const char *summary;
    const char *help; /* more, for --help; NULL: the summary says it */
    const struct ctl_option *options;
    size_t n_options;
    int (*run)(struct ctl *c, const struct ctl_args *a); /* enum ctl_exit */
};
extern const struct ctl_command ctl_commands[];
extern const size_t ctl_commands_n;
extern const struct ctl_option ctl_global_options[];
extern const size_t ctl_global_options_n;

/* Say what is wrong with the command line; CTL_USAGE. */
int ctl_misused(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* With --json the body as it came, otherwise nothing; whether it was printed. */
bool ctl_printed(const struct ctl *c, const struct jval *body);

typedef int ctl_run(struct ctl *c, const struct ctl_args *a);
ctl_run ctl_provider_list, ctl_provider_show, ctl_provider_add, ctl_provider_edit,
    ctl_provider_delete, ctl_provider_enable, ctl_provider_disable, ctl_provider_test;
ctl_run ctl_secret_rotate, ctl_secret_promote, ctl_secret_drop, ctl_key_list, ctl_key_rotate;
ctl_run ctl_signing_key_list, ctl_signing_key_rotate;
ctl_run ctl_app_list, ctl_app_show, ctl_app_add, ctl_app_set, ctl_app_delete, ctl_app_secret_add,
    ctl_app_secret_delete, ctl_explain;
ctl_run ctl_plugin_list, ctl_plugin_show;
ctl_run ctl_config_diff, ctl_config_reload, ctl_status;
ctl_run ctl_audit_search, ctl_audit_tail, ctl_audit_export, ctl_audit_verify;
ctl_run ctl_token_list, ctl_token_add, ctl_token_delete;
ctl_run ctl_registration_list, ctl_registration_add, ctl_registration_delete;
ctl_run ctl_user_list, ctl_user_show, ctl_user_disable, ctl_user_enable, ctl_user_end_sessions,
    ctl_user_delete;
ctl_run ctl_role_list, ctl_role_show, ctl_role_set, ctl_role_delete, ctl_role_grant, ctl_role_take;
ctl_run ctl_admin_list, ctl_admin_grant, ctl_admin_revoke, ctl_setup_link;
ctl_run ctl_completion, ctl_manual;

#endif
