# SPDX-License-Identifier: MIT
lib_files += \
	lib/aws/aws.h \
	lib/aws/cache.c \
	lib/aws/chain.c \
	lib/aws/client.c \
	lib/aws/endpoint.c \
	lib/aws/endpoint.h \
	lib/aws/fault.c \
	lib/aws/fault.h \
	lib/aws/halving.h \
	lib/aws/http.c \
	lib/aws/http.h \
	lib/aws/identity.c \
	lib/aws/ini.c \
	lib/aws/ini.h \
	lib/aws/keys.c \
	lib/aws/keys.h \
	lib/aws/keys_profile.c \
	lib/aws/keys_remote.c \
	lib/aws/metadata.c \
	lib/aws/metadata.h \
	lib/aws/process.c \
	lib/aws/profile.c \
	lib/aws/profile.h \
	lib/aws/request.c \
	lib/aws/request.h \
	lib/aws/secret.c \
	lib/aws/secret.h \
	lib/aws/session.c \
	lib/aws/session_private.h \
	lib/aws/sigv4.c \
	lib/aws/sigv4.h \
	lib/aws/sts.c
