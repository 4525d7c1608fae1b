# SPDX-License-Identifier: MIT
lib_files += \
	lib/proc/devices.c \
	lib/proc/load.c \
	lib/proc/netdev.c \
	lib/proc/netdev.h \
	lib/proc/netns.c \
	lib/proc/proc.h \
	lib/proc/process.c \
	lib/proc/process.h \
	lib/proc/sock_diag.c \
	lib/proc/sock_diag.h \
	lib/proc/tasks.c \
	lib/proc/taskstats.c \
	lib/proc/taskstats.h
