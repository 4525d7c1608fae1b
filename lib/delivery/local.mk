# SPDX-License-Identifier: MIT
lib_files += \
	lib/delivery/backoff.c \
	lib/delivery/backoff.h \
	lib/delivery/cursor.c \
	lib/delivery/cursor.h \
	lib/delivery/delivery.h \
	lib/delivery/hooks.c \
	lib/delivery/hooks.h \
	lib/delivery/item.c \
	lib/delivery/item.h \
	lib/delivery/notes.c \
	lib/delivery/notes.h \
	lib/delivery/outbox.c \
	lib/delivery/outbox.h \
	lib/delivery/outbox_threads.c \
	lib/delivery/pool.c \
	lib/delivery/pool.h \
	lib/delivery/segment.c \
	lib/delivery/segment.h \
	lib/delivery/spool.c \
	lib/delivery/spool.h \
	lib/delivery/spool_load.c \
	lib/delivery/spool_marks.c \
	lib/delivery/spool_notes.c \
	lib/delivery/spool_notes_file.c \
	lib/delivery/spool_private.h \
	lib/delivery/spool_read.c \
	lib/delivery/store.c \
	lib/delivery/store.h \
	lib/delivery/store_move.c \
	lib/delivery/store_notes.c \
	lib/delivery/store_put.c \
	lib/delivery/store_save.c \
	lib/delivery/values.c \
	lib/delivery/window.c \
	lib/delivery/window.h
