# SPDX-License-Identifier: MIT
lib_files += \
	lib/cgroup/adjust.c \
	lib/cgroup/adjust.h \
	lib/cgroup/adjust_plan.c \
	lib/cgroup/cgroup.h \
	lib/cgroup/descriptors.c \
	lib/cgroup/epoch.c \
	lib/cgroup/epoch.h \
	lib/cgroup/files.h \
	lib/cgroup/files_v1.c \
	lib/cgroup/files_v2.c \
	lib/cgroup/hierarchy.c \
	lib/cgroup/hierarchy.h \
	lib/cgroup/hint.c \
	lib/cgroup/limit.c \
	lib/cgroup/locate.c \
	lib/cgroup/parse.c \
	lib/cgroup/parse.h \
	lib/cgroup/parse_io.c \
	lib/cgroup/reader.c \
	lib/cgroup/rest.c \
	lib/cgroup/rest.h \
	lib/cgroup/sample.c
