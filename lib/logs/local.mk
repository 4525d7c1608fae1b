# SPDX-License-Identifier: MIT
lib_files += \
	lib/logs/feed.c \
	lib/logs/feed.h \
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
	lib/logs/mark.c \
	lib/logs/mark.h \
	lib/logs/parcel.c \
	lib/logs/parcel.h \
	lib/logs/route.h \
	lib/logs/shipment.c \
	lib/logs/shipment.h \
	lib/logs/shipper.c \
	lib/logs/shipper.h \
	lib/logs/shipper_events.c \
	lib/logs/shipper_private.h \
	lib/logs/shipper_sweep.c \
	lib/logs/shipper_watch.c \
	lib/logs/sink.h \
	lib/logs/sink_list.c \
	lib/logs/sink_list.h \
	lib/logs/sinks.c \
	lib/logs/sinks_open.c \
	lib/logs/sinks_private.h \
	lib/logs/speaker.c
