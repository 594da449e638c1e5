/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster: a PostgreSQL server of our own for the length of a test: fresh data in a temporary
 * folder, reached through a socket in that folder only, never as root, gone with the test program
 * whichever way that ends.
 */
#ifndef TESTS_STORE_CLUSTER_H
#define TESTS_STORE_CLUSTER_H

#include <stdbool.h>
#include <sys/types.h>

struct cluster {
    char dir[64];  /* "" : no server here */
    char url[160]; /* for store_open */
    char bin[200]; /* folder of initdb and postgres */
    pid_t pid;
};

/* False: this machine has no PostgreSQL server. Ends the program when it has one that fails. */
bool cluster_start(struct cluster *c);
/* Kill it in the middle of what it does, and start it again on the same data. */
void cluster_crash(struct cluster *c);
void cluster_restart(struct cluster *c);
void cluster_stop(struct cluster *c);

#endif
