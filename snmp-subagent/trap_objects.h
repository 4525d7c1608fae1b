/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_TRAP_OBJECTS_H
#define TALLY_SNMP_TRAP_OBJECTS_H

/*
 * A notice as the objects of its notification in TALLYMAN-MIB: which, in the
 * order of the module's OBJECTS clauses, with their instances and values. Knows
 * no net-snmp.
 */

#include "mib.h"
#include "notices.h"

typedef struct tally_trap_object_s {
  const char *name;                     /* the object's descriptor in the MIB */
  tally_subid_t oid[TALLY_MIB_OID_MAX]; /* relative to the root arc */
  size_t oid_length;
  tally_mib_value_t value; /* not to be copied: may point into itself */
} tally_trap_object_t;

#define TALLY_TRAP_OBJECTS_MAX 16

/* 0.NUMBER relative to the root arc: the notification's own identifier. */
#define TALLY_TRAP_ARC 0

/* The number of objects. Texts are borrowed from the notice. */
size_t tally_trap_objects(const tally_notice_t *notice,
                          tally_trap_object_t objects[TALLY_TRAP_OBJECTS_MAX]);

#endif
