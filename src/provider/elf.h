/* SPDX-License-Identifier: Apache-2.0 */
/*
 * elf: a look into a shared object before the dynamic linker maps it, because mapping it runs its
 * constructors and a truncated file kills the process. Judges machine and type, that every segment
 * lies inside the file, that the stack stays non-executable, that it can be unloaded again, that it
 * brings no search path, and that it needs no library beyond libc (and the sanitizers' own). The
 * caller answers for who may write the file; this is not a defence against a forged one.
 */
#ifndef PROVIDER_ELF_H
#define PROVIDER_ELF_H

#include <stddef.h>

#include "base/err.h"

/* 0, or -1 with ERR_MISCONFIGURED and a text that says what is wrong with the file. */
int elf_check(const void *image, size_t n, struct err *err) __attribute__((warn_unused_result));

#endif
