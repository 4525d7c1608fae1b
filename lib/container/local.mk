# SPDX-License-Identifier: MIT
lib_files += \
	lib/container/sampler.h \
	lib/container/signal_name.c \
	lib/container/signal_name.h
