# SPDX-License-Identifier: MIT
#
# TALLY_CHECK_AGENTX
#
# What the SNMP subagent needs: net-snmp and libcollectdclient, and systemd's
# library if it is there. Sets AGENTX_CFLAGS, AGENTX_LIBS,
# SYSTEMD_CFLAGS, SYSTEMD_LIBS, have_agentx and agentx_missing.
#
# net-snmp's own netsnmp-agent.pc and net-snmp-config hand over the flags of the
# distribution's build and libraries that nobody here needs, so neither is asked.
AC_DEFUN([TALLY_CHECK_AGENTX], [
  agentx_missing=
  tally_saved_LIBS=$LIBS
  AC_CHECK_HEADER([net-snmp/net-snmp-config.h], [], [agentx_missing=net-snmp])
  AC_CHECK_LIB([netsnmpagent], [netsnmp_register_handler], [],
    [agentx_missing=net-snmp], [-lnetsnmp])
  LIBS=$tally_saved_LIBS
  PKG_CHECK_MODULES([COLLECTDCLIENT], [libcollectdclient], [],
    [agentx_missing="$agentx_missing libcollectdclient"])
  AS_IF([test -z "$agentx_missing"], [have_agentx=yes],
    [have_agentx=no; agentx_missing="not found: $agentx_missing"])
  AGENTX_CFLAGS=$COLLECTDCLIENT_CFLAGS
  AGENTX_LIBS="-lnetsnmpagent -lnetsnmp $COLLECTDCLIENT_LIBS"
  AC_SUBST([AGENTX_CFLAGS])
  AC_SUBST([AGENTX_LIBS])

  PKG_CHECK_MODULES([SYSTEMD], [libsystemd],
    [AC_DEFINE([HAVE_SYSTEMD], [1], [readiness and watchdog are told])], [:])

  # Where a service manager looks. Below the prefix by default, which is right
  # for /usr and harmless elsewhere.
  AC_ARG_WITH([systemdsystemunitdir],
    [AS_HELP_STRING([--with-systemdsystemunitdir=DIR],
      [where units of systemd go, or "no"
       (default: PREFIX/lib/systemd/system)])],
    [], [with_systemdsystemunitdir='${prefix}/lib/systemd/system'])
  AC_ARG_WITH([sysusersdir],
    [AS_HELP_STRING([--with-sysusersdir=DIR],
      [where systemd-sysusers looks, or "no"
       (default: PREFIX/lib/sysusers.d)])],
    [], [with_sysusersdir='${prefix}/lib/sysusers.d'])
  AC_SUBST([systemdsystemunitdir], [$with_systemdsystemunitdir])
  AC_SUBST([sysusersdir], [$with_sysusersdir])
  AM_CONDITIONAL([HAVE_SYSTEMD_UNITS],
    [test "x$with_systemdsystemunitdir" != xno])
  AM_CONDITIONAL([HAVE_SYSUSERS], [test "x$with_sysusersdir" != xno])

  # The arc below which everything of TALLYMAN-MIB stands. This is its one place.
  AC_ARG_WITH([enterprise-oid],
    [AS_HELP_STRING([--with-enterprise-oid=OID],
      [root of TALLYMAN-MIB
       (default: 1.3.6.1.4.1.8072.9999.9999.7411, net-snmp's private use)])],
    [], [with_enterprise_oid=1.3.6.1.4.1.8072.9999.9999.7411])
  AS_CASE([$with_enterprise_oid],
    [1.3.6.1.4.1.[[0-9]]*], [],
    [AC_MSG_ERROR([--with-enterprise-oid=$with_enterprise_oid: must lie below
      1.3.6.1.4.1 (enterprises)])])
  AS_IF([echo "$with_enterprise_oid" | grep -E -q '^1(\.(0|@<:@1-9@:>@@<:@0-9@:>@*))+$'],
    [], [AC_MSG_ERROR([--with-enterprise-oid=$with_enterprise_oid: not an object
      identifier])])
  AC_SUBST([TALLYMAN_ROOT_OID], [$with_enterprise_oid])
  # 1.3.6.1.4.1.8072.1 as "8072 1", for { enterprises 8072 1 }
  TALLYMAN_ROOT_ARCS=`echo "$with_enterprise_oid" | $SED -e 's/^1\.3\.6\.1\.4\.1\.//' -e 's/\./ /g'`
  AC_SUBST([TALLYMAN_ROOT_ARCS])
  AC_DEFINE_UNQUOTED([TALLYMAN_ROOT_OID],
    [`echo "$with_enterprise_oid" | $SED -e 's/\./, /g'`],
    [root of TALLYMAN-MIB as initializers])
])
