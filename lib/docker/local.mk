# SPDX-License-Identifier: MIT
lib_files += \
	lib/docker/docker.h
