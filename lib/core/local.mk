# SPDX-License-Identifier: MIT
lib_files += \
	lib/core/base64.c \
	lib/core/base64.h \
	lib/core/buffer.c \
	lib/core/buffer.h \
	lib/core/cleanup.h \
	lib/core/clock.c \
	lib/core/clock.h \
	lib/core/compress.c \
	lib/core/compress.h \
	lib/core/error.c \
	lib/core/error.h \
	lib/core/file.c \
	lib/core/file.h \
	lib/core/hash.h \
	lib/core/http.c \
	lib/core/http.h \
	lib/core/json.c \
	lib/core/json.h \
	lib/core/json_framer.c \
	lib/core/json_quote.c \
	lib/core/log.c \
	lib/core/log.h \
	lib/core/mountinfo.c \
	lib/core/mountinfo.h \
	lib/core/select.c \
	lib/core/select.h \
	lib/core/text.c \
	lib/core/text.h \
	lib/core/thread.c \
	lib/core/thread.h \
	lib/core/utf8.c \
	lib/core/utf8.h
