/* SPDX-License-Identifier: Apache-2.0 */
#include "provider/elf.h"

#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#if defined(__x86_64__)
#define ELF_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define ELF_MACHINE EM_AARCH64
#elif defined(__riscv)
#define ELF_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define ELF_MACHINE EM_PPC64
#elif defined(__s390x__)
#define ELF_MACHINE EM_S390
#elif defined(__i386__)
#define ELF_MACHINE EM_386
#elif defined(__arm__)
#define ELF_MACHINE EM_ARM
#endif

#define ELF_CLASS (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32)
#define ELF_DATA (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? ELFDATA2LSB : ELFDATA2MSB)
#define SEGMENTS_MAX 64

struct image {
    const unsigned char *p;
    size_t n;
    ElfW(Phdr) segments[SEGMENTS_MAX];
    size_t n_segments;
};

static bool inside(const struct image *im, uint64_t offset, uint64_t size)
{
    return offset <= im->n && size <= im->n - offset;
}

/* File offset of a mapped address; false if no segment holds it. */
static bool locate(const struct image *im, uint64_t address, size_t *offset)
{
    for (size_t i = 0; i < im->n_segments; i++) {
        const ElfW(Phdr) *s = &im->segments[i];
        if (s->p_type == PT_LOAD && address >= s->p_vaddr && address - s->p_vaddr < s->p_filesz) {
            *offset = (size_t)(s->p_offset + (address - s->p_vaddr));
            return true;
        }
    }
    return false;
}

/* libc and its parts, the loader, and what -fsanitize links in. */
static bool needed_allowed(const char *name)
{
    static const char *const allowed[] = {
        "libc.so.",     "libm.so.",    "libpthread.so.", "ld-linux",    "ld-musl", "libc.musl-",
        "libgcc_s.so.", "libasan.so.", "libubsan.so.",   "libtsan.so.", NULL};
    for (const char *const *a = allowed; *a; a++)
        if (strncmp(name, *a, strlen(*a)) == 0)
            return strchr(name, '/') == NULL;
    return false;
}

static int check_names(const struct image *im, const ElfW(Dyn) * dyn, size_t n, struct err *err)
{
    uint64_t strtab = 0;
    for (size_t i = 0; i < n; i++)
        if (dyn[i].d_tag == DT_STRTAB)
            strtab = dyn[i].d_un.d_ptr;
    for (size_t i = 0; i < n; i++) {
        if (dyn[i].d_tag != DT_NEEDED)
            continue;
        size_t at;
        if (!locate(im, strtab + dyn[i].d_un.d_val, &at) || !memchr(im->p + at, 0, im->n - at))
            return err_set(err, ERR_MISCONFIGURED, "is damaged: a needed library has no name");
        const char *name = (const char *)im->p + at;
        if (!needed_allowed(name))
            return err_set(err, ERR_MISCONFIGURED,
                           "needs %.60s: a plugin may need nothing beyond libc", name);
    }
    return 0;
}

static int check_dynamic(const struct image *im, const ElfW(Phdr) * s, struct err *err)
{
    ElfW(Dyn) dyn[128];
    size_t n = s->p_filesz / sizeof *dyn;
    if (n == 0 || n > sizeof dyn / sizeof *dyn)
        return err_set(err, ERR_MISCONFIGURED, "has a dynamic section of unusual size");
    memcpy(dyn, im->p + s->p_offset, n * sizeof *dyn);
    for (size_t i = 0; i < n; i++) {
        if (dyn[i].d_tag == DT_NULL)
            n = i;
        else if (dyn[i].d_tag == DT_RPATH || dyn[i].d_tag == DT_RUNPATH)
            return err_set(err, ERR_MISCONFIGURED, "brings a library search path (rpath)");
        else if (dyn[i].d_tag == DT_FLAGS_1 && (dyn[i].d_un.d_val & DF_1_NODELETE))
            return err_set(err, ERR_MISCONFIGURED, "is linked with -z nodelete");
    }
    return check_names(im, dyn, n, err);
}

static int check_header(const struct image *im, ElfW(Ehdr) * h, struct err *err)
{
    if (im->n < sizeof *h)
        return err_set(err, ERR_MISCONFIGURED, im->n ? "is no shared object" : "is empty");
    memcpy(h, im->p, sizeof *h);
    if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
        return err_set(err, ERR_MISCONFIGURED, "is no shared object");
    if (h->e_ident[EI_CLASS] != ELF_CLASS || h->e_ident[EI_DATA] != ELF_DATA)
        return err_set(err, ERR_MISCONFIGURED, "was built for another architecture");
#ifdef ELF_MACHINE
    if (h->e_machine != ELF_MACHINE)
        return err_set(err, ERR_MISCONFIGURED, "was built for another architecture (machine %u)",
                       (unsigned)h->e_machine);
#endif
    if (h->e_type != ET_DYN)
        return err_set(err, ERR_MISCONFIGURED, "is no shared object (ELF type %u)",
                       (unsigned)h->e_type);
    if (h->e_phentsize != sizeof(ElfW(Phdr)) || h->e_phnum == 0 || h->e_phnum > SEGMENTS_MAX)
        return err_set(err, ERR_MISCONFIGURED, "has unusual program headers");
    if (!inside(im, h->e_phoff, (uint64_t)h->e_phnum * sizeof(ElfW(Phdr))))
        return err_set(err, ERR_MISCONFIGURED, "is cut short");
    return 0;
}

int elf_check(const void *image, size_t n, struct err *err)
{
    struct image im = {.p = image, .n = n};
    ElfW(Ehdr) h;
    if (check_header(&im, &h, err) < 0)
        return -1;
    im.n_segments = h.e_phnum;
    memcpy(im.segments, im.p + h.e_phoff, im.n_segments * sizeof *im.segments);

    bool dynamic = false;
    for (size_t i = 0; i < im.n_segments; i++)
        if (!inside(&im, im.segments[i].p_offset, im.segments[i].p_filesz))
            return err_set(err, ERR_MISCONFIGURED, "is cut short");
    for (size_t i = 0; i < im.n_segments; i++) {
        const ElfW(Phdr) *s = &im.segments[i];
        if (s->p_type == PT_INTERP)
            return err_set(err, ERR_MISCONFIGURED, "is a program, not a shared object");
        if (s->p_type == PT_GNU_STACK && (s->p_flags & PF_X))
            return err_set(err, ERR_MISCONFIGURED, "asks for an executable stack");
        if (s->p_type == PT_DYNAMIC) {
            if (check_dynamic(&im, s, err) < 0)
                return -1;
            dynamic = true;
        }
    }
    return dynamic ? 0 : err_set(err, ERR_MISCONFIGURED, "has no dynamic section");
}
