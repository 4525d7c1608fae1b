# SPDX-License-Identifier: MIT
lib_files += \
	lib/cgroup/cgroup.h
