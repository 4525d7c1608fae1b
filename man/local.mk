# SPDX-License-Identifier: MIT
# Manual pages, written in POD as collectd's are.
