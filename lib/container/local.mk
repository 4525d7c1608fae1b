# SPDX-License-Identifier: MIT
lib_files += \
	lib/container/sampler.h
