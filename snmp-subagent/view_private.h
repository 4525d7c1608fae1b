/* SPDX-License-Identifier: MIT */
#ifndef TALLY_SNMP_VIEW_PRIVATE_H
#define TALLY_SNMP_VIEW_PRIVATE_H

/* What the view and the board share. */

#include "view.h"

/* A further reference on a view that is in use. */
void tally_view_ref(const tally_view_t *view);

#endif
