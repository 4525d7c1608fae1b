/* SPDX-License-Identifier: MIT */
#include "config.h"

#include <net-snmp/net-snmp-config.h>
#include <net-snmp/net-snmp-includes.h>
#include <net-snmp/agent/net-snmp-agent-includes.h>

#include "traps.h"

#include <string.h>

#include "trap_objects.h"

static const oid root[] = {TALLYMAN_ROOT_OID};
static const oid snmp_trap_oid[] = {1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0};

static bool add_identifier(netsnmp_variable_list **list,
                           const tally_notice_t *notice) {
  oid name[OID_LENGTH(root) + 2];
  memcpy(name, root, sizeof(root));
  name[OID_LENGTH(root)] = TALLY_TRAP_ARC;
  name[OID_LENGTH(root) + 1] = notice->kind;
  return snmp_varlist_add_variable(list, snmp_trap_oid,
                                   OID_LENGTH(snmp_trap_oid), ASN_OBJECT_ID,
                                   name, sizeof(name)) != NULL;
}

static bool add_object(netsnmp_variable_list **list,
                       const tally_trap_object_t *object) {
  oid name[OID_LENGTH(root) + TALLY_MIB_OID_MAX];
  memcpy(name, root, sizeof(root));
  memcpy(name + OID_LENGTH(root), object->oid,
         object->oid_length * sizeof(*name));
  size_t length = OID_LENGTH(root) + object->oid_length;

  const tally_mib_value_t *value = &object->value;
  if (value->syntax == TALLY_SYNTAX_TEXT || value->syntax == TALLY_SYNTAX_DATE)
    return snmp_varlist_add_variable(list, name, length, ASN_OCTET_STR,
                                     value->text, value->text_length) != NULL;
  long number = (long)value->number;
  u_char type = value->syntax == TALLY_SYNTAX_GAUGE ? ASN_GAUGE : ASN_INTEGER;
  return snmp_varlist_add_variable(list, name, length, type, &number,
                                   sizeof(number)) != NULL;
}

void tally_traps_send(const tally_notice_t *notice) {
  tally_trap_object_t objects[TALLY_TRAP_OBJECTS_MAX];
  size_t count = tally_trap_objects(notice, objects);
  netsnmp_variable_list *list = NULL;
  bool complete = add_identifier(&list, notice);
  for (size_t i = 0; i < count && complete; i++)
    complete = add_object(&list, &objects[i]);
  if (complete)
    send_v2trap(list);
  snmp_free_varbind(list);
}
