# SPDX-License-Identifier: MIT
#
# TALLY_MODULE(NAME, DEPENDENCIES-MET, HELP, [WHY-NOT])
#
# A yes/no/auto switch for one module. DEPENDENCIES-MET is a shell word that is
# "yes" or "no". "auto" (the default) builds the module if it can be built; an
# explicit "yes" whose dependencies are missing is an error at the end of
# configure, after the whole summary has been printed.
# Defines the automake conditional BUILD_NAME and adds a line to the summary.
AC_DEFUN([TALLY_MODULE], [
  m4_pushdef([upper], m4_toupper($1))
  AC_ARG_ENABLE([$1],
    [AS_HELP_STRING([--enable-$1=yes|no|auto], [$3 (default: auto)])],
    [], [enable_$1=auto])
  AS_CASE([$enable_$1],
    [no], [tally_build=no; tally_why="(disabled)"],
    [yes|auto], [AS_IF([test "x$2" = xyes],
      [tally_build=yes; tally_why=],
      [tally_build=no
       tally_why="(m4_default([$4], [a dependency is missing]))"
       AS_IF([test "x$enable_$1" = xyes],
         [tally_missing="$tally_missing $1"])])],
    [AC_MSG_ERROR([--enable-$1=$enable_$1: must be yes, no or auto])])
  AM_CONDITIONAL([BUILD_]upper, [test "x$tally_build" = xyes])
  tally_summary="$tally_summary
    $1: $tally_build $tally_why"
  m4_popdef([upper])
])
