/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay: the main() of a fuzz target when no fuzzer drives it. Feeds it every file named on the
 * command line or, without arguments, every file of tests/fuzz/corpus/<x>/ for fuzz_<x>. An empty
 * or missing folder is an error: a target that replays nothing tests nothing.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int replay_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        return -1;
    }
    int result = -1;
    struct stat st;
    uint8_t *data = NULL;
    if (fstat(fileno(f), &st) != 0 || !S_ISREG(st.st_mode))
        goto out;
    /* Exactly as long as the input, so that a read behind it is seen. */
    size_t size = (size_t)st.st_size;
    data = malloc(size ? size : 1);
    if (!data || fread(data, 1, size, f) != size)
        goto out;
    LLVMFuzzerTestOneInput(data, size);
    result = 0;
out:
    if (result != 0)
        fprintf(stderr, "%s: cannot be read\n", path);
    free(data);
    fclose(f);
    return result;
}

/* Number of files replayed, -1 if one could not be. */
static int replay_folder(const char *folder)
{
    DIR *d = opendir(folder);
    if (!d) {
        perror(folder);
        return -1;
    }
    int n = 0;
    for (const struct dirent *e; n >= 0 && (e = readdir(d));) {
        char path[4096];
        if (e->d_name[0] == '.')
            continue;
        int len = snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        n = len < (int)sizeof path && replay_file(path) == 0 ? n + 1 : -1;
    }
    closedir(d);
    return n;
}

int main(int argc, char **argv)
{
    int n = 0;
    for (int i = 1; i < argc; i++, n++) {
        if (replay_file(argv[i]) != 0)
            return EXIT_FAILURE;
    }
    if (argc == 1) {
        const char *srcdir = getenv("top_srcdir");
        const char *name = strrchr(argv[0], '/');
        name = name ? name + 1 : argv[0];
        name = strncmp(name, "fuzz_", 5) == 0 ? name + 5 : name;
        char folder[4096];
        int len = snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", srcdir ? srcdir : ".",
                           name);
        n = len < (int)sizeof folder ? replay_folder(folder) : -1;
    }
    printf("%d inputs replayed\n", n);
    return n > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
