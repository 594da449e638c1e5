/* SPDX-License-Identifier: Apache-2.0 */
#include "fake/people.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

static const struct person people[] = {
    {.id = "ada",
     .trait = "verified Gmail address, all fields set",
     .name = "Ada Lovelace",
     .given_name = "Ada",
     .family_name = "Lovelace",
     .email = "ada.lovelace@gmail.com",
     .email_verified = true,
     .locale = "en-GB",
     .snowflake = "80351110224678912",
     .username = "ada.lovelace",
     .discriminator = "0",
     .global_name = "Ada Lovelace",
     .avatar = "8342729096ea3675442027381ff50dfe",
     .mfa = true,
     .roles = "41771983423143936 41771983423143940",
     .sub = "110169484474386276334",
     .groups = "staff engineers"},
    {.id = "grace",
     .trait = "Workspace account, animated avatar",
     .name = "Grace Hopper",
     .given_name = "Grace",
     .family_name = "Hopper",
     .email = "grace@navy.example",
     .email_verified = true,
     .locale = "en-US",
     .snowflake = "175928847299117063",
     .username = "amazing_grace",
     .discriminator = "0",
     .global_name = "Grace Hopper",
     .avatar = "a_bb71f469c158984e265093a81b3397fb",
     .roles = "41771983423143941",
     .sub = "110169484474386276335",
     .hd = "navy.example",
     .groups = "staff admirals"},
    {.id = "noor",
     .trait = "emoji and right-to-left name, unverified e-mail",
     .name = "\xd9\x86\xd9\x88\xd8\xb1 \xf0\x9f\x8c\x99 Noor",
     .given_name = "\xd9\x86\xd9\x88\xd8\xb1",
     .family_name = "",
     .email = "noor@elsewhere.example",
     .locale = "ar",
     .snowflake = "1093874501234567890",
     .username = "noor",
     .discriminator = "0",
     .global_name = "\xd9\x86\xd9\x88\xd8\xb1 \xf0\x9f\x8c\x99 Noor",
     .avatar = "f78426a064bc9dd24847519259bc42af",
     .sub = "220000000000000000001"},
    {.id = "konrad",
     .trait = "no e-mail address, no avatar, old four-digit tag",
     .name = "Konrad Zuse",
     .given_name = "Konrad",
     .family_name = "Zuse",
     .locale = "de",
     .snowflake = "53908099506183680",
     .username = "z3",
     .discriminator = "1941",
     .sub = "330000000000000000001"},
    {.id = "lin",
     .trait = "still in the guild's screening",
     .name = "Lin Pending",
     .given_name = "Lin",
     .family_name = "Pending",
     .email = "lin@mail.example",
     .email_verified = true,
     .locale = "en-US",
     .snowflake = "222222222222222222",
     .username = "lin",
     .discriminator = "0",
     .roles = "",
     .pending = true,
     .sub = "440000000000000000001"},
    {.id = "tom",
     .trait = "timed out in the guild",
     .name = "Tom Timeout",
     .given_name = "Tom",
     .family_name = "Timeout",
     .email = "tom@mail.example",
     .email_verified = true,
     .locale = "en-US",
     .snowflake = "333333333333333333",
     .username = "tom",
     .discriminator = "0",
     .roles = "41771983423143936",
     .timed_out = true,
     .sub = "550000000000000000001"},
    {.id = "legion",
     .trait = "member of 5000 groups",
     .name = "Legion",
     .given_name = "Legion",
     .family_name = "Many",
     .email = "legion@mail.example",
     .email_verified = true,
     .locale = "en-US",
     .snowflake = "444444444444444444",
     .username = "legion",
     .discriminator = "0",
     .global_name = "Legion",
     .roles = "41771983423143936",
     .sub = "660000000000000000001",
     .groups = "#5000"},
    {.id = "bobby",
     .trait = "name full of markup and quotes",
     .name = "Robert'); DROP TABLE accounts;-- <script>alert(1)</script>",
     .given_name = "<b>Bobby</b>",
     .family_name = "\"Tables\"",
     .email = "bobby+tables@mail.example",
     .email_verified = true,
     .locale = "en-US",
     .snowflake = "555555555555555555",
     .username = "bobby",
     .discriminator = "0",
     .global_name = "<img src=x onerror=alert(1)>",
     .sub = "770000000000000000001"},
};

size_t people_count(void)
{
    return sizeof people / sizeof *people;
}

const struct person *people_at(size_t i)
{
    return &people[i];
}

/* Nobody in particular, and enough of them. */
static struct guest {
    struct person person;
    char id[16], name[16], email[32], snowflake[24], sub[24];
} guests[PEOPLE_GUESTS];

static void make_guests(void)
{
    for (int i = 0; i < PEOPLE_GUESTS; i++) {
        struct guest *g = &guests[i];
        snprintf(g->id, sizeof g->id, "guest-%d", i);
        snprintf(g->name, sizeof g->name, "Guest %d", i);
        snprintf(g->email, sizeof g->email, "guest-%d@mail.example", i);
        snprintf(g->snowflake, sizeof g->snowflake, "%d", 880000000 + i);
        snprintf(g->sub, sizeof g->sub, "88%019d", i);
        g->person = (struct person){.id = g->id,
                                    .trait = "one of many",
                                    .name = g->name,
                                    .given_name = "Guest",
                                    .family_name = g->name + strlen("Guest "),
                                    .email = g->email,
                                    .email_verified = true,
                                    .locale = "en-US",
                                    .snowflake = g->snowflake,
                                    .username = g->id,
                                    .discriminator = "0",
                                    .sub = g->sub};
    }
}

static const struct person *guest_find(const char *hint)
{
    static pthread_once_t made = PTHREAD_ONCE_INIT;
    int64_t n;
    if (!str_starts(str_of(hint), "guest-") || !text_int(str_of(hint + strlen("guest-")), &n) ||
        n < 0 || n >= PEOPLE_GUESTS)
        return NULL;
    pthread_once(&made, make_guests);
    return strcmp(guests[n].id, hint) == 0 ? &guests[n].person : NULL;
}

const struct person *people_find(const char *hint)
{
    for (size_t i = 0; i < people_count(); i++)
        if (strcmp(people[i].id, hint) == 0 ||
            (people[i].email && strcmp(people[i].email, hint) == 0))
            return &people[i];
    return guest_find(hint);
}
