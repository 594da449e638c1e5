/* SPDX-License-Identifier: Apache-2.0 */
#include "main/daemon.h"

#include <arpa/inet.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf_fixture.h"

#define DOWN 250 /* exit status of a child whose daemon did not start */

static char folder[64], ready[96], key[96], db[96], lock[96], run[80], sock[96];
static int port;
static pid_t child;

static void setup(void)
{
    cx_setup();
    snprintf(folder, sizeof folder, "/tmp/usher-daemon-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(ready, sizeof ready, "%s/ready", folder);
    snprintf(key, sizeof key, "%s/usher.key", folder);
    snprintf(db, sizeof db, "%s/usher.db", folder);
    snprintf(lock, sizeof lock, "%s/usher.db-lock", folder);
    snprintf(run, sizeof run, "%s/run", folder);
    snprintf(sock, sizeof sock, "%s/admin.sock", run);
    child = 0;
}

static void teardown(void)
{
    if (child > 0) {
        kill(child, SIGKILL);
        waitpid(child, NULL, 0);
    }
    unlink(ready);
    unlink(key);
    unlink(db);
    unlink(lock);
    unlink(sock);
    rmdir(run);
    ck_assert_int_eq(rmdir(folder), 0); /* a clean stop leaves no log of the database */
    cx_teardown();
}

static struct sockaddr_in address(void)
{
    return (struct sockaddr_in){.sin_family = AF_INET,
                                .sin_port = htons((unsigned short)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
}

/* A port that was free a moment ago. */
static void find_port(void)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    port = 0;
    struct sockaddr_in sa = address();
    socklen_t n = sizeof sa;
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&sa, n), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&sa, &n), 0);
    port = ntohs(sa.sin_port);
    close(fd);
}

static struct config *load(const char *more)
{
    char text[1024];
    const int n = snprintf(text, sizeof text,
                           "[store]\nurl = sqlite:%s\nkey_file = %s\n"
                           "[providers]\ndir = %s/none\nplugin_dir = %s/none\n"
                           "[log]\nlevel = error\n[admin]\nsocket = %s\n"
                           "[server]\nlisten = 127.0.0.1:%d\n%s",
                           db, key, folder, folder, sock, port, more);
    cx_write_file("usher.conf", text, (size_t)n, 0600);
    struct config *c = config_load(cx.path, true, NULL, &cx.problems);
    cx_expect("");
    return c;
}

static int run_daemon(struct config *c, const char *ready_file, struct err *err)
{
    const struct daemon_args args = {
        .config = c, .config_path = cx.path, .config_required = true, .ready_file = ready_file};
    return daemon_run(&args, err);
}

/* A daemon in a process of its own, answering; its exit status is what main() would make of it. */
static void begin(const char *more)
{
    find_port();
    unlink(ready);
    struct config *c = load(more);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct err err = ERR_INIT;
        const int result = run_daemon(c, ready, &err);
        if (result != 0)
            fprintf(stderr, "%s\n", err.text);
        config_free(&c);
        prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* the leak checker looks from outside */
        exit(result == 0 ? 0 : DOWN);
    }
    config_free(&c);
    for (int i = 0; i < 5000 && access(ready, F_OK) != 0; i++) {
        ck_assert_int_eq(waitpid(child, NULL, WNOHANG), 0);
        usleep(10000);
    }
}

static int end(void)
{
    int status = 0;
    ck_assert_int_eq(kill(child, SIGTERM), 0);
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    child = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int dial(void)
{
    const struct sockaddr_in sa = address();
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct timeval patience = {5, 0};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    ck_assert_int_eq(connect(fd, (const struct sockaddr *)&sa, sizeof sa), 0);
    return fd;
}

static void ask(const char *path, char out[16384])
{
    char request[256];
    const int fd = dial();
    size_t n = 0;
    const int len = snprintf(request, sizeof request,
                             "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nConnection: close\r\n\r\n",
                             path, port);
    ck_assert_int_eq(send(fd, request, (size_t)len, 0), len);
    for (ssize_t got; (got = recv(fd, out + n, 16383 - n, 0)) > 0;)
        n += (size_t)got;
    out[n] = 0;
    close(fd);
}

START_TEST(starts_answers_and_stops)
{
    static char page[16384];
    char text[64], url[64];
    struct stat st;
    begin("");
    FILE *f = fopen(ready, "r");
    ck_assert_ptr_nonnull(f);
    ck_assert_ptr_nonnull(fgets(text, sizeof text, f));
    fclose(f);
    snprintf(url, sizeof url, "http://127.0.0.1:%d\n", port);
    ck_assert_str_eq(text, url);
    ask("/readyz", page);
    ck_assert_int_eq(strncmp(page, "HTTP/1.1 200 ", 13), 0);
    ask("/", page);
    ck_assert_ptr_nonnull(strstr(page, "No way to sign in is set up yet."));
    ask("/auth", page);
    ck_assert_int_eq(strncmp(page, "HTTP/1.1 401 ", 13), 0);
    ask("/metrics", page);
    ck_assert_int_eq(strncmp(page, "HTTP/1.1 401 ", 13), 0);
    ck_assert_int_eq(stat(key, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    ck_assert_int_eq(stat(db, &st), 0);
    ck_assert_uint_eq(st.st_mode & 0077, 0);
    ck_assert_int_eq(stat(sock, &st), 0);
    ck_assert_uint_eq(st.st_mode & 07777, 0600);
    const int idle = dial(); /* a connection that says nothing does not hold it up */
    ck_assert_int_eq(end(), 0);
    close(idle);
}
END_TEST

START_TEST(starts_again_on_what_it_left)
{
    static char page[16384];
    for (int i = 0; i < 2; i++) {
        begin("");
        ask("/healthz", page);
        ck_assert_int_eq(strncmp(page, "HTTP/1.1 200 ", 13), 0);
        ck_assert_int_eq(end(), 0);
    }
}
END_TEST

/* Started as root, everything it makes is the service user's, and so is it. */
START_TEST(root_only_opens_the_port)
{
    char path[64], line[256];
    struct stat st;
    unsigned uid = 0;
    const struct passwd *pw = getpwnam("nobody");
    if (geteuid() != 0 || pw == NULL)
        return;
    const uid_t nobody = pw->pw_uid;
    ck_assert_int_eq(chown(folder, nobody, pw->pw_gid), 0);
    for (int i = 0; i < 2; i++) { /* what the first start makes, the second can use */
        begin("user = nobody\n");
        ck_assert_int_eq(stat(key, &st), 0);
        ck_assert_uint_eq(st.st_uid, nobody);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        ck_assert_int_eq(stat(db, &st), 0);
        ck_assert_uint_eq(st.st_uid, nobody);
        ck_assert_int_eq(stat(sock, &st), 0);
        ck_assert_uint_eq(st.st_uid, nobody);
        ck_assert_uint_eq(st.st_mode & 07777, 0600);
        snprintf(path, sizeof path, "/proc/%d/status", (int)child);
        FILE *f = fopen(path, "r");
        ck_assert_ptr_nonnull(f);
        while (fgets(line, sizeof line, f))
            if (strncmp(line, "Uid:", 4) == 0)
                uid = (unsigned)strtoul(line + 4, NULL, 10);
        fclose(f);
        ck_assert_uint_eq(uid, nobody);
        ck_assert_int_eq(end(), 0);
    }
}
END_TEST

/* Each way not to start says why, and leaves nothing behind that leaks. */
START_TEST(does_not_start)
{
    find_port();
    static const char bad_key[] = "too short\n";
    struct err err = ERR_INIT;
    struct config *c = load("");
    const int taken = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in sa = address();
    ck_assert_int_eq(bind(taken, (const struct sockaddr *)&sa, sizeof sa), 0);
    ck_assert_int_eq(listen(taken, 1), 0);
    ck_assert_int_eq(run_daemon(c, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "in use"));
    ck_assert_int_ne(access(key, F_OK), 0); /* nothing was made for nothing */
    close(taken);

    begin(""); /* somebody answers on the admin socket */
    find_port();
    struct config *second = load("");
    err_clear(&err);
    ck_assert_int_eq(run_daemon(second, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "[admin] socket: listen on "));
    ck_assert_ptr_nonnull(strstr(err.text, "in use"));
    config_free(&second);
    ck_assert_int_eq(end(), 0);
    unlink(key);
    unlink(db);

    FILE *f = fopen(key, "w");
    ck_assert_ptr_nonnull(f);
    fputs(bad_key, f);
    fclose(f);
    chmod(key, 0600);
    err_clear(&err);
    ck_assert_int_eq(run_daemon(c, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "usher.key"));
    unlink(key);

    f = fopen(db, "w");
    ck_assert_ptr_nonnull(f);
    fputs("this is no database at all", f);
    fclose(f);
    chmod(db, 0600);
    err_clear(&err);
    ck_assert_int_eq(run_daemon(c, NULL, &err), -1);
    ck_assert_ptr_nonnull(strstr(err.text, "store"));
    unlink(db);

    err_clear(&err);
    ck_assert_int_eq(run_daemon(c, "/nonexistent/ready", &err), -1);
    ck_assert_str_eq(err.text, "cannot write /nonexistent/ready: No such file or directory");
    config_free(&c);
}
END_TEST

Suite *suite_daemon(void);
Suite *suite_daemon(void)
{
    Suite *s = suite_create("daemon");
    TCase *tc = tcase_create("daemon");
    tcase_add_checked_fixture(tc, setup, teardown);
    tcase_add_test(tc, starts_answers_and_stops);
    tcase_add_test(tc, starts_again_on_what_it_left);
    tcase_add_test(tc, root_only_opens_the_port);
    tcase_add_test(tc, does_not_start);
    suite_add_tcase(s, tc);
    return s;
}
