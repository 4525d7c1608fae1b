# SPDX-License-Identifier: MIT
lib_files += \
	lib/node/facts.c \
	lib/node/facts.h \
	lib/node/identity.c \
	lib/node/identity.h \
	lib/node/mount_list.c \
	lib/node/mount_list.h \
	lib/node/mounts.c \
	lib/node/mounts.h \
	lib/node/mounts_private.h \
	lib/node/mounts_worker.c \
	lib/node/node.h \
	lib/node/resources.c
