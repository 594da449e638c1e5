/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The smallest plugin there is. With one of the macros below, a bad one:
 * load.sh builds them all.
 */
#include "usher/provider.h"

#include <locale.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef NAME
#define NAME "good"
#endif
#ifndef MAJOR
#define MAJOR USHER_ABI_MAJOR
#endif
#ifndef MAGIC
#define MAGIC USHER_ABI_MAGIC
#endif
#ifndef SIZE
#define SIZE sizeof(struct usher_provider)
#endif
#ifndef LABEL
#define LABEL "Good"
#endif
#ifndef STEP
#define STEP step
#endif

struct config {
    const char *where;
};

static const struct usher_setting settings[] = {
    USHER_SET_TEXT(struct config, where, .label = "Where"),
#ifdef SETTING
    {.size = sizeof(struct usher_setting), .type = USHER_TEXT, .label = "Bad", SETTING},
#endif
};

__attribute__((unused)) static void step(struct usher_call *call, const struct usher_event *ev,
                                         struct usher_action *a)
{
    (void)call;
    (void)ev;
    a->kind = USHER_FAIL;
    a->fail = USHER_INTERNAL;
}

#if defined(CONSTRUCT_SIGNAL)
__attribute__((constructor)) static void construct(void)
{
    struct sigaction ignore;
    memset(&ignore, 0, sizeof ignore);
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGUSR2, &ignore, NULL);
}
#elif defined(CONSTRUCT_CWD)
__attribute__((constructor)) static void construct(void)
{
    if (chdir("/") < 0)
        _exit(1);
}
#elif defined(CONSTRUCT_UMASK)
__attribute__((constructor)) static void construct(void)
{
    umask(0);
}
#elif defined(CONSTRUCT_LOCALE)
__attribute__((constructor)) static void construct(void)
{
    setlocale(LC_ALL, "C.UTF-8");
}
#endif

#if defined(FUNCTION)
USHER_EXPORT int usher_provider(void);
int usher_provider(void)
{
    return 0;
}
#elif defined(TINY)
USHER_EXPORT const int usher_provider = 1;
#elif !defined(NO_SYMBOL)
USHER_EXPORT const struct usher_provider usher_provider = {
    .size = SIZE,
    .magic = MAGIC,
    .abi_major = MAJOR,
    .abi_minor = USHER_ABI_MINOR,
    .name = NAME,
    .label = LABEL,
    .version = "1.0",
    .settings = settings,
    .n_settings = sizeof settings / sizeof *settings,
    .config_size = sizeof(struct config),
    .step = STEP,
};
#endif
