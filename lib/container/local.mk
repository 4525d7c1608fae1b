# SPDX-License-Identifier: MIT
lib_files += \
	lib/container/adjuster.c \
	lib/container/adjuster.h \
	lib/container/adjuster_container.c \
	lib/container/adjuster_engine.c \
	lib/container/adjuster_private.h \
	lib/container/engine_update.c \
	lib/container/engine_update.h \
	lib/container/lifecycle.c \
	lib/container/lifecycle.h \
	lib/container/limit_value.c \
	lib/container/limits.c \
	lib/container/limits.h \
	lib/container/originals.c \
	lib/container/originals.h \
	lib/container/derive.c \
	lib/container/derive.h \
	lib/container/networks.c \
	lib/container/networks.h \
	lib/container/probe.c \
	lib/container/probe.h \
	lib/container/roster.c \
	lib/container/roster.h \
	lib/container/sampler.c \
	lib/container/sampler.h \
	lib/container/sentence.c \
	lib/container/signal_name.c \
	lib/container/signal_name.h
