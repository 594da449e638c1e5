/* SPDX-License-Identifier: Apache-2.0 */
/* try_load FOLDER NAME...: loads each plugin as usherd would; one line says how it went. */
#include <stdio.h>
#include <stdlib.h>

#include "provider/load.h"

int main(int argc, char **argv)
{
    for (int i = 2; i < argc; i++) {
        struct err err = ERR_INIT;
        const struct usher_provider *p = plugin_load(argv[1], argv[i], &err);
        if (p)
            printf("ok %s\n", p->name);
        else
            printf("%s: %s\n", err_kind_name(err.kind), err.text);
    }
    return argc > 2 ? EXIT_SUCCESS : EXIT_FAILURE;
}
