/* SPDX-License-Identifier: Apache-2.0 */
/*
 * people: who can sign in at the look-alikes. Each has a trait that some code somewhere gets wrong.
 * The first three are on the page; the rest under "more people". guest-0 to guest-999 are on no
 * page and have no traits: they are the crowd that load needs.
 */
#ifndef FAKE_PEOPLE_H
#define FAKE_PEOPLE_H

#include <stdbool.h>
#include <stddef.h>

struct person {
    const char *id;    /* login_hint, fake_person */
    const char *trait; /* what is peculiar, for the page */
    const char *name, *given_name, *family_name;
    const char *email; /* NULL: none */
    bool email_verified;
    const char *locale;
    /* Discord */
    const char *snowflake, *username, *discriminator;
    const char *global_name; /* NULL: none */
    const char *avatar;      /* hash; NULL: none */
    bool mfa;
    const char *roles; /* in PEOPLE_GUILD, blank separated; NULL: not a member */
    bool pending, timed_out;
    /* Google and OpenID Connect */
    const char *sub;
    const char *hd;     /* Workspace domain; NULL: none */
    const char *groups; /* blank separated; NULL: none; "#5000": so many made-up ones */
};

#define PEOPLE_GUESTS 1000

/* The one guild of this Discord. */
#define PEOPLE_GUILD "41771983423143937"

size_t people_count(void);
const struct person *people_at(size_t i);
/* By id or e-mail address (guests by id); NULL: nobody. */
const struct person *people_find(const char *hint);

#endif
