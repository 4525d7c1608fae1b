# SPDX-License-Identifier: MIT
lib_files += \
	lib/logs/file_journal.c \
	lib/logs/file_journal.h \
	lib/logs/file_sink.c \
	lib/logs/file_sink.h \
	lib/logs/join.c \
	lib/logs/join.h \
	lib/logs/layout.c \
	lib/logs/layout.h \
	lib/logs/layout_json.c \
	lib/logs/layout_private.h \
	lib/logs/speaker.c
