# SPDX-License-Identifier: MIT
lib_files += \
	lib/node/identity.c \
	lib/node/identity.h \
	lib/node/node.h \
	lib/node/resources.c
