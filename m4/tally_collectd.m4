# SPDX-License-Identifier: MIT
#
# TALLY_CHECK_COLLECTD
#
# Looks for the plugin headers of collectd. There is no pkg-config file, and the
# headers stand in different places: an installed directory as Debian and Fedora
# have it (DIR/core/daemon/plugin.h) or the src/ directory of collectd's source
# tree (DIR/daemon/plugin.h). A compile test decides. Sets COLLECTD_CFLAGS,
# collectd_layout ("installed", "source") and have_collectd.
AC_DEFUN([TALLY_CHECK_COLLECTD], [
  AC_ARG_WITH([collectd-includes],
    [AS_HELP_STRING([--with-collectd-includes=DIR],
      [where collectd's headers are (default: /usr/include/collectd);
       also the src/ directory of collectd's source tree])],
    [], [with_collectd_includes=/usr/include/collectd])

  have_collectd=no
  AC_MSG_CHECKING([for collectd's plugin headers in $with_collectd_includes])
  tally_saved_CPPFLAGS=$CPPFLAGS
  AS_IF([test -f "$with_collectd_includes/core/daemon/plugin.h"],
    [collectd_layout=installed
     tally_dir=`dirname "$with_collectd_includes"`
     COLLECTD_CFLAGS="-isystem $tally_dir -isystem $with_collectd_includes -isystem $with_collectd_includes/core"],
    [collectd_layout=source
     COLLECTD_CFLAGS="-isystem $with_collectd_includes -isystem $with_collectd_includes/daemon"])
  CPPFLAGS="$CPPFLAGS -DHAVE_CONFIG_H -D_GNU_SOURCE $COLLECTD_CFLAGS"
  # collectd brings its own config.h, which defines PACKAGE and friends again.
  AC_COMPILE_IFELSE([AC_LANG_SOURCE([[
    #undef PACKAGE_NAME
    #undef PACKAGE_TARNAME
    #undef PACKAGE_VERSION
    #undef PACKAGE_STRING
    #undef PACKAGE_BUGREPORT
    #undef PACKAGE_URL
    #undef PACKAGE
    #undef VERSION
    #include "daemon/collectd.h"
    #include "daemon/plugin.h"
    #include "utils/common/common.h"
    int probe(void) { return plugin_register_init("x", 0); }
    ]])], [have_collectd=yes])
  CPPFLAGS=$tally_saved_CPPFLAGS
  AC_MSG_RESULT([$have_collectd])
  AC_SUBST([COLLECTD_CFLAGS])
])
