# SPDX-License-Identifier: MIT
lib_files += \
	lib/proc/proc.h
