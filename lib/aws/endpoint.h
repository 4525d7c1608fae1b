/* SPDX-License-Identifier: MIT */
#ifndef TALLY_AWS_ENDPOINT_H
#define TALLY_AWS_ENDPOINT_H

/* How services are called, and where they are by default. */

#include "aws/aws.h"

typedef struct tally_aws_service_names_s {
  const char *host;     /* in endpoints and signatures: "monitoring" */
  const char *variable; /* after AWS_ENDPOINT_URL_: "CLOUDWATCH" */
  const char *key;      /* in a services section: "cloudwatch" */
} tally_aws_service_names_t;

const tally_aws_service_names_t *
tally_aws_service_names(tally_aws_service_t service);

void tally_aws_endpoint_make(tally_aws_service_t service, const char *region,
                             bool fips, bool dualstack,
                             char url[TALLY_AWS_URL_MAX]);

bool tally_aws_region_is_valid(const char *region);

/* With where they came from, for messages. */
typedef struct tally_aws_region_s {
  char name[TALLY_AWS_REGION_MAX];
  char origin[TALLY_AWS_ORIGIN_MAX]; /* "AWS_REGION", "profile `x' of FILE" */
} tally_aws_region_t;

typedef struct tally_aws_endpoint_s {
  char url[TALLY_AWS_URL_MAX];
  char origin[TALLY_AWS_ORIGIN_MAX]; /* "": made from the region */
} tally_aws_endpoint_t;

#endif
