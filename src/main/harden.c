/* SPDX-License-Identifier: Apache-2.0 */
#include "main/harden.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

extern char **environ;

void harden_process(void)
{
    struct rlimit files;
    const struct rlimit none = {0, 0};
    umask(077);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
}

int harden_target(const char *user, uid_t *uid, gid_t *gid, struct err *err)
{
    *uid = geteuid();
    *gid = getegid();
    if (*uid != 0 || user == NULL || user[0] == 0)
        return 0;
    errno = 0;
    const struct passwd *pw = getpwnam(user);
    if (pw == NULL)
        return err_set(err, ERR_MISCONFIGURED, "[server] user: there is no user \"%s\"", user);
    if (pw->pw_uid == 0)
        return err_set(err, ERR_MISCONFIGURED, "[server] user: \"%s\" is root", user);
    *uid = pw->pw_uid;
    *gid = pw->pw_gid;
    return 0;
}

int harden_drop_root(const char *user, struct err *err)
{
    uid_t uid;
    gid_t gid;
    if (harden_target(user, &uid, &gid, err) != 0)
        return -1;
    if (uid == geteuid())
        return 0;
    if (initgroups(user, gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0)
        return err_set(err, ERR_INTERNAL, "cannot become %s: %s", user, strerror(errno));
    if (setuid(0) == 0)
        return err_set(err, ERR_INTERNAL, "became %s, but could become root again", user);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0); /* the change of user may have set it */
    return 0;
}

/* /proc/self/environ goes on showing the very bytes the process was started with: so they are
 * wiped, not only taken off the list. */
void harden_environment(void)
{
    char **kept = environ;
    for (char **e = environ; *e; e++) {
        if (strncmp(*e, "USHER_", 6) == 0)
            explicit_bzero(*e, strlen(*e));
        else
            *kept++ = *e;
    }
    *kept = NULL;
}
