dnl SPDX-License-Identifier: Apache-2.0

dnl USHER_CFLAG(VARIABLE, FLAGS): append FLAGS to VARIABLE if the compiler takes them.
AC_DEFUN([USHER_CFLAG], [
    AS_VAR_PUSHDEF([cache], [usher_cv_cflag_$2])
    AC_CACHE_CHECK([whether $CC takes $2], [cache], [
        usher_saved=$CFLAGS
        CFLAGS="$CFLAGS -Werror $2"
        AC_COMPILE_IFELSE([AC_LANG_PROGRAM([[#include <string.h>]], [[char a[8]; memset(a, 0, sizeof a); return a[0];]])],
            [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
        CFLAGS=$usher_saved])
    AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
    AS_VAR_POPDEF([cache])
])

dnl USHER_LDFLAG(VARIABLE, FLAGS): append FLAGS to VARIABLE if a program links with them.
AC_DEFUN([USHER_LDFLAG], [
    AS_VAR_PUSHDEF([cache], [usher_cv_ldflag_$2])
    AC_CACHE_CHECK([whether the linker takes $2], [cache], [
        usher_saved=$LDFLAGS
        LDFLAGS="$LDFLAGS $2"
        AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AS_VAR_SET([cache], [yes])], [AS_VAR_SET([cache], [no])])
        LDFLAGS=$usher_saved])
    AS_VAR_IF([cache], [yes], [$1="$$1 $2"])
    AS_VAR_POPDEF([cache])
])

dnl USHER_PACKAGE(PREFIX, MODULES, DEBIAN PACKAGE): a required library. What is missing is told at once
dnl by USHER_PACKAGES_END.
AC_DEFUN([USHER_PACKAGE], [
    PKG_CHECK_MODULES([$1], [$2], [], [usher_missing="$usher_missing $3"])
])

AC_DEFUN([USHER_PACKAGES_END], [
    AS_IF([test -n "$usher_missing"],
        [AC_MSG_ERROR([libraries are missing. On Debian: apt-get install$usher_missing   (or: ./dev deps)])])
])
