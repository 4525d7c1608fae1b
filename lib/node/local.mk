# SPDX-License-Identifier: MIT
lib_files += \
	lib/node/node.h
