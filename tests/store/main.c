/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store's conformance: the same suites on SQLite and on a PostgreSQL server of our own, then
 * what is peculiar to each. STORE=sqlite or STORE=postgresql runs one of them.
 */
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "kit.h"

static int wipe(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st;
    (void)flag;
    (void)ftw;
    return remove(path);
}

static int run(Suite *peculiar)
{
    const char *name = kit_cluster ? "postgresql" : "sqlite";
    SRunner *r = srunner_create(suite_conformance(name));
    srunner_add_suite(r, suite_nouns(name));
    srunner_add_suite(r, suite_people(name));
    srunner_add_suite(r, suite_expiring(name));
    srunner_add_suite(r, suite_audit(name));
    srunner_add_suite(r, suite_audit_chain(name));
    srunner_add_suite(r, suite_admin_nouns(name));
    srunner_add_suite(r, suite_provider_nouns(name));
    srunner_add_suite(r, suite_client_nouns(name));
    srunner_add_suite(r, suite_upstream_nouns(name));
    srunner_add_suite(r, suite_roles(name));
    srunner_add_suite(r, suite_oauth_nouns(name));
    srunner_add_suite(r, suite_registration_nouns(name));
    srunner_add_suite(r, suite_crash(name));
    srunner_add_suite(r, peculiar);
    srunner_run_all(r, CK_ENV);
    int failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed;
}

static int run_sqlite(void)
{
    snprintf(kit_dir, sizeof kit_dir, "/tmp/usher-store-XXXXXX");
    if (!mkdtemp(kit_dir)) {
        perror("a folder for SQLite");
        return 1;
    }
    snprintf(kit_url, sizeof kit_url, "sqlite:%s/usher.db", kit_dir);
    int failed = run(suite_sqlite());
    nftw(kit_dir, wipe, 16, FTW_DEPTH | FTW_PHYS);
    return failed;
}

#ifdef HAVE_LIBPQ
static int run_pgsql(void)
{
    static struct cluster cluster;
    if (!cluster_start(&cluster)) {
        printf("no PostgreSQL server on this machine: its part of the suite did not run\n");
        return 0;
    }
    kit_cluster = &cluster;
    snprintf(kit_url, sizeof kit_url, "%s", cluster.url);
    int failed = run(suite_pgsql());
    cluster_stop(&cluster);
    return failed;
}
#else
static int run_pgsql(void)
{
    struct err err = ERR_INIT;
    struct store *s = store_open("postgresql:///usher", &err);
    printf("built without PostgreSQL: its part of the suite did not run\n");
    return s || !strstr(err.text, "built without PostgreSQL");
}
#endif

int main(void)
{
    const char *which = getenv("STORE");
    int failed = 0;

    setenv("CK_DEFAULT_TIMEOUT", "120", 0);
    setenv("CK_TIMEOUT_MULTIPLIER", "2", 0);
    if (!which || strcmp(which, "sqlite") == 0)
        failed += run_sqlite();
    if (!which || strcmp(which, "postgresql") == 0)
        failed += run_pgsql();
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
