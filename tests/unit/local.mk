# SPDX-License-Identifier: MIT
# One program per source file of the library that is worth testing alone.

unit_cppflags = $(lib_cppflags) -I$(srcdir)/tests/unit
unit_cflags = $(lib_cflags) $(CMOCKA_CFLAGS)
unit_libs = libtally_scenes.la libtallyman_testing.la $(CMOCKA_LIBS) \
	$(CRYPTO_LIBS) $(ZLIB_LIBS) $(ZSTD_LIBS)

unit_tests =
if HAVE_CMOCKA
check_LTLIBRARIES += libtally_scenes.la
unit_tests += \
	tests/unit/aws_blame_test \
	tests/unit/aws_cache_test \
	tests/unit/aws_client_test \
	tests/unit/aws_halving_test \
	tests/unit/aws_keys_test \
	tests/unit/aws_metadata_test \
	tests/unit/aws_sigv4_test \
	tests/unit/aws_text_test \
	tests/unit/kinesis_aggregate_test \
	tests/unit/kinesis_compress_test \
	tests/unit/kinesis_fault_test \
	tests/unit/kinesis_outbox_test \
	tests/unit/kinesis_send_test \
	tests/unit/kinesis_shards_test \
	tests/unit/md5_together_test
unit_tests += \
	tests/unit/cgroup_adjust_test \
	tests/unit/cgroup_locate_test \
	tests/unit/cgroup_parse_test \
	tests/unit/cgroup_reader_test \
	tests/unit/cgroup_rest_test \
	tests/unit/cloudwatch_cost_test \
	tests/unit/cloudwatch_datum_test \
	tests/unit/cloudwatch_gather_test \
	tests/unit/cloudwatch_logs_events_test \
	tests/unit/cloudwatch_logs_test \
	tests/unit/cloudwatch_logs_trouble_test \
	tests/unit/cloudwatch_send_test \
	tests/unit/compress_test \
	tests/unit/core_test \
	tests/unit/delivery_notes_test \
	tests/unit/delivery_outbox_test \
	tests/unit/delivery_pool_test \
	tests/unit/delivery_property_test \
	tests/unit/delivery_spool_test \
	tests/unit/delivery_store_test \
	tests/unit/delivery_window_test \
	tests/unit/engine_update_test \
	tests/unit/facts_test \
	tests/unit/lifecycle_test \
	tests/unit/limits_test \
	tests/unit/logs_feed_test \
	tests/unit/logs_file_sink_test \
	tests/unit/logs_join_test \
	tests/unit/logs_layout_test \
	tests/unit/logs_mark_test \
	tests/unit/logs_sinks_test \
	tests/unit/mounts_test \
	tests/unit/node_test \
	tests/unit/originals_test \
	tests/unit/proc_test \
	tests/unit/sampler_derive_test \
	tests/unit/sampler_exit_test \
	tests/unit/sampler_roster_test \
	tests/unit/text_test
unit_tests += \
	tests/unit/docker_container_test \
	tests/unit/docker_endpoint_test \
	tests/unit/docker_event_test \
	tests/unit/docker_hostile_test \
	tests/unit/docker_http_test \
	tests/unit/docker_inventory_test \
	tests/unit/docker_ledger_test \
	tests/unit/docker_logs_lines_test \
	tests/unit/docker_logs_reader_test \
	tests/unit/docker_logs_rotation_test \
	tests/unit/json_test
if BUILD_TALLYMAN_AGENTX
check_LTLIBRARIES += libtally_agentx_scenes.la
unit_tests += \
	tests/unit/alarms_objects_test \
	tests/unit/alarms_test \
	tests/unit/agentx_test \
	tests/unit/log_queue_test \
	tests/unit/mib_churn_test \
	tests/unit/mib_conformity_test \
	tests/unit/mib_test \
	tests/unit/notices_test \
	tests/unit/settings_test \
	tests/unit/steady_test \
	tests/unit/text_pages_test \
	tests/unit/trap_objects_test \
	tests/unit/view_test \
	tests/unit/watch_test
endif
endif

# What many tests play in, compiled once; a test takes what it needs.
libtally_scenes_la_SOURCES = \
	tests/unit/aws_scene.c \
	tests/unit/aws_scene.h \
	tests/unit/delivery_world.c \
	tests/unit/delivery_world.h \
	tests/unit/delivery_world_put.c \
	tests/unit/delivery_world_send.c \
	tests/unit/harbour.c \
	tests/unit/harbour.h \
	tests/unit/kinesis_lines.c \
	tests/unit/kinesis_lines.h \
	tests/unit/kinesis_scene.c \
	tests/unit/kinesis_scene.h \
	tests/unit/kpl.c \
	tests/unit/kpl.h \
	tests/unit/logbook.c \
	tests/unit/logbook.h \
	tests/unit/logs_scene.c \
	tests/unit/logs_scene.h \
	tests/unit/quay.c \
	tests/unit/quay.h \
	tests/unit/tree.c \
	tests/unit/tree.h \
	tests/unit/unit.h
libtally_scenes_la_CPPFLAGS = $(unit_cppflags)
libtally_scenes_la_CFLAGS = $(unit_cflags)

tests_unit_aws_blame_test_SOURCES = tests/unit/aws_blame_test.c
tests_unit_aws_blame_test_CPPFLAGS = $(unit_cppflags)
tests_unit_aws_blame_test_CFLAGS = $(unit_cflags)
tests_unit_aws_blame_test_LDADD = $(unit_libs)

tests_unit_aws_cache_test_SOURCES = tests/unit/aws_cache_test.c
tests_unit_aws_cache_test_CPPFLAGS = $(unit_cppflags)
tests_unit_aws_cache_test_CFLAGS = $(unit_cflags)
tests_unit_aws_cache_test_LDADD = $(unit_libs)

tests_unit_aws_sigv4_test_SOURCES = tests/unit/aws_sigv4_test.c
tests_unit_aws_sigv4_test_CPPFLAGS = $(unit_cppflags)
tests_unit_aws_sigv4_test_CFLAGS = $(unit_cflags)
tests_unit_aws_sigv4_test_LDADD = $(unit_libs)

tests_unit_aws_client_test_SOURCES = tests/unit/aws_client_test.c
tests_unit_aws_client_test_CPPFLAGS = $(unit_cppflags)
tests_unit_aws_client_test_CFLAGS = $(unit_cflags)
tests_unit_aws_client_test_LDADD = $(unit_libs)

tests_unit_aws_halving_test_SOURCES = tests/unit/aws_halving_test.c
tests_unit_aws_halving_test_CPPFLAGS = $(unit_cppflags)
tests_unit_aws_halving_test_CFLAGS = $(unit_cflags)
tests_unit_aws_halving_test_LDADD = $(unit_libs)

tests_unit_aws_keys_test_SOURCES = tests/unit/aws_keys_test.c
tests_unit_aws_keys_test_CPPFLAGS = $(unit_cppflags)
tests_unit_aws_keys_test_CFLAGS = $(unit_cflags)
tests_unit_aws_keys_test_LDADD = $(unit_libs)

tests_unit_cloudwatch_logs_events_test_SOURCES = tests/unit/cloudwatch_logs_events_test.c
tests_unit_cloudwatch_logs_events_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cloudwatch_logs_events_test_CFLAGS = $(unit_cflags)
tests_unit_cloudwatch_logs_events_test_LDADD = $(unit_libs)

tests_unit_cloudwatch_logs_test_SOURCES = tests/unit/cloudwatch_logs_test.c \
	tests/unit/cloudwatch_logs_scene.c tests/unit/cloudwatch_logs_scene.h
tests_unit_cloudwatch_logs_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cloudwatch_logs_test_CFLAGS = $(unit_cflags)
tests_unit_cloudwatch_logs_test_LDADD = $(unit_libs)

tests_unit_cloudwatch_logs_trouble_test_SOURCES = tests/unit/cloudwatch_logs_trouble_test.c \
	tests/unit/cloudwatch_logs_scene.c tests/unit/cloudwatch_logs_scene.h
tests_unit_cloudwatch_logs_trouble_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cloudwatch_logs_trouble_test_CFLAGS = $(unit_cflags)
tests_unit_cloudwatch_logs_trouble_test_LDADD = $(unit_libs)

tests_unit_aws_metadata_test_SOURCES = tests/unit/aws_metadata_test.c
tests_unit_aws_metadata_test_CPPFLAGS = $(unit_cppflags)
tests_unit_aws_metadata_test_CFLAGS = $(unit_cflags)
tests_unit_aws_metadata_test_LDADD = $(unit_libs)

tests_unit_md5_together_test_SOURCES = tests/unit/md5_together_test.c
tests_unit_md5_together_test_CPPFLAGS = $(unit_cppflags)
tests_unit_md5_together_test_CFLAGS = $(unit_cflags)
tests_unit_md5_together_test_LDADD = $(unit_libs)

tests_unit_aws_text_test_SOURCES = tests/unit/aws_text_test.c
tests_unit_aws_text_test_CPPFLAGS = $(unit_cppflags)
tests_unit_aws_text_test_CFLAGS = $(unit_cflags)
tests_unit_aws_text_test_LDADD = $(unit_libs)

tests_unit_kinesis_aggregate_test_SOURCES = tests/unit/kinesis_aggregate_test.c
tests_unit_kinesis_aggregate_test_CPPFLAGS = $(unit_cppflags)
tests_unit_kinesis_aggregate_test_CFLAGS = $(unit_cflags)
tests_unit_kinesis_aggregate_test_LDADD = $(unit_libs)

tests_unit_kinesis_compress_test_SOURCES = tests/unit/kinesis_compress_test.c
tests_unit_kinesis_compress_test_CPPFLAGS = $(unit_cppflags)
tests_unit_kinesis_compress_test_CFLAGS = $(unit_cflags)
tests_unit_kinesis_compress_test_LDADD = $(unit_libs)

tests_unit_kinesis_fault_test_SOURCES = tests/unit/kinesis_fault_test.c
tests_unit_kinesis_fault_test_CPPFLAGS = $(unit_cppflags)
tests_unit_kinesis_fault_test_CFLAGS = $(unit_cflags)
tests_unit_kinesis_fault_test_LDADD = $(unit_libs)

tests_unit_kinesis_outbox_test_SOURCES = tests/unit/kinesis_outbox_test.c
tests_unit_kinesis_outbox_test_CPPFLAGS = $(unit_cppflags)
tests_unit_kinesis_outbox_test_CFLAGS = $(unit_cflags)
tests_unit_kinesis_outbox_test_LDADD = $(unit_libs)

tests_unit_kinesis_send_test_SOURCES = tests/unit/kinesis_send_test.c
tests_unit_kinesis_send_test_CPPFLAGS = $(unit_cppflags)
tests_unit_kinesis_send_test_CFLAGS = $(unit_cflags)
tests_unit_kinesis_send_test_LDADD = $(unit_libs)

tests_unit_kinesis_shards_test_SOURCES = tests/unit/kinesis_shards_test.c
tests_unit_kinesis_shards_test_CPPFLAGS = $(unit_cppflags)
tests_unit_kinesis_shards_test_CFLAGS = $(unit_cflags)
tests_unit_kinesis_shards_test_LDADD = $(unit_libs)

tests_unit_cgroup_adjust_test_SOURCES = tests/unit/cgroup_adjust_test.c
tests_unit_cgroup_adjust_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cgroup_adjust_test_CFLAGS = $(unit_cflags)
tests_unit_cgroup_adjust_test_LDADD = $(unit_libs)

tests_unit_cgroup_locate_test_SOURCES = tests/unit/cgroup_locate_test.c
tests_unit_cgroup_locate_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cgroup_locate_test_CFLAGS = $(unit_cflags)
tests_unit_cgroup_locate_test_LDADD = $(unit_libs)

tests_unit_cgroup_parse_test_SOURCES = tests/unit/cgroup_parse_test.c
tests_unit_cgroup_parse_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cgroup_parse_test_CFLAGS = $(unit_cflags)
tests_unit_cgroup_parse_test_LDADD = $(unit_libs)

tests_unit_cgroup_reader_test_SOURCES = tests/unit/cgroup_reader_test.c
tests_unit_cgroup_reader_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cgroup_reader_test_CFLAGS = $(unit_cflags)
tests_unit_cgroup_reader_test_LDADD = $(unit_libs)

tests_unit_cgroup_rest_test_SOURCES = tests/unit/cgroup_rest_test.c
tests_unit_cgroup_rest_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cgroup_rest_test_CFLAGS = $(unit_cflags)
tests_unit_cgroup_rest_test_LDADD = $(unit_libs)

tests_unit_cloudwatch_cost_test_SOURCES = tests/unit/cloudwatch_cost_test.c \
	tests/unit/cloudwatch_scene.c tests/unit/cloudwatch_scene.h
tests_unit_cloudwatch_cost_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cloudwatch_cost_test_CFLAGS = $(unit_cflags)
tests_unit_cloudwatch_cost_test_LDADD = $(unit_libs)

tests_unit_cloudwatch_datum_test_SOURCES = tests/unit/cloudwatch_datum_test.c
tests_unit_cloudwatch_datum_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cloudwatch_datum_test_CFLAGS = $(unit_cflags)
tests_unit_cloudwatch_datum_test_LDADD = $(unit_libs)

tests_unit_cloudwatch_gather_test_SOURCES = tests/unit/cloudwatch_gather_test.c
tests_unit_cloudwatch_gather_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cloudwatch_gather_test_CFLAGS = $(unit_cflags)
tests_unit_cloudwatch_gather_test_LDADD = $(unit_libs)

tests_unit_cloudwatch_send_test_SOURCES = tests/unit/cloudwatch_send_test.c \
	tests/unit/cloudwatch_scene.c tests/unit/cloudwatch_scene.h
tests_unit_cloudwatch_send_test_CPPFLAGS = $(unit_cppflags)
tests_unit_cloudwatch_send_test_CFLAGS = $(unit_cflags)
tests_unit_cloudwatch_send_test_LDADD = $(unit_libs)

tests_unit_node_test_SOURCES = tests/unit/node_test.c
tests_unit_node_test_CPPFLAGS = $(unit_cppflags)
tests_unit_node_test_CFLAGS = $(unit_cflags)
tests_unit_node_test_LDADD = $(unit_libs)

tests_unit_proc_test_SOURCES = tests/unit/proc_test.c
tests_unit_proc_test_CPPFLAGS = $(unit_cppflags)
tests_unit_proc_test_CFLAGS = $(unit_cflags)
tests_unit_proc_test_LDADD = $(unit_libs)

tests_unit_sampler_derive_test_SOURCES = tests/unit/sampler_derive_test.c
tests_unit_sampler_derive_test_CPPFLAGS = $(unit_cppflags)
tests_unit_sampler_derive_test_CFLAGS = $(unit_cflags)
tests_unit_sampler_derive_test_LDADD = $(unit_libs)

tests_unit_sampler_exit_test_SOURCES = tests/unit/sampler_exit_test.c
tests_unit_sampler_exit_test_CPPFLAGS = $(unit_cppflags)
tests_unit_sampler_exit_test_CFLAGS = $(unit_cflags)
tests_unit_sampler_exit_test_LDADD = $(unit_libs)

tests_unit_sampler_roster_test_SOURCES = tests/unit/sampler_roster_test.c
tests_unit_sampler_roster_test_CPPFLAGS = $(unit_cppflags)
tests_unit_sampler_roster_test_CFLAGS = $(unit_cflags)
tests_unit_sampler_roster_test_LDADD = $(unit_libs)

tests_unit_compress_test_SOURCES = tests/unit/compress_test.c
tests_unit_compress_test_CPPFLAGS = $(unit_cppflags)
tests_unit_compress_test_CFLAGS = $(unit_cflags)
tests_unit_compress_test_LDADD = $(unit_libs)

tests_unit_core_test_SOURCES = tests/unit/core_test.c
tests_unit_core_test_CPPFLAGS = $(unit_cppflags)
tests_unit_core_test_CFLAGS = $(unit_cflags)
tests_unit_core_test_LDADD = $(unit_libs)

tests_unit_delivery_notes_test_SOURCES = tests/unit/delivery_notes_test.c
tests_unit_delivery_notes_test_CPPFLAGS = $(unit_cppflags)
tests_unit_delivery_notes_test_CFLAGS = $(unit_cflags)
tests_unit_delivery_notes_test_LDADD = $(unit_libs)

tests_unit_delivery_outbox_test_SOURCES = tests/unit/delivery_outbox_test.c
tests_unit_delivery_outbox_test_CPPFLAGS = $(unit_cppflags)
tests_unit_delivery_outbox_test_CFLAGS = $(unit_cflags)
tests_unit_delivery_outbox_test_LDADD = $(unit_libs)

tests_unit_delivery_pool_test_SOURCES = tests/unit/delivery_pool_test.c
tests_unit_delivery_pool_test_CPPFLAGS = $(unit_cppflags)
tests_unit_delivery_pool_test_CFLAGS = $(unit_cflags)
tests_unit_delivery_pool_test_LDADD = $(unit_libs)

tests_unit_delivery_property_test_SOURCES = tests/unit/delivery_property_test.c
tests_unit_delivery_property_test_CPPFLAGS = $(unit_cppflags)
tests_unit_delivery_property_test_CFLAGS = $(unit_cflags)
tests_unit_delivery_property_test_LDADD = $(unit_libs)

tests_unit_delivery_spool_test_SOURCES = tests/unit/delivery_spool_test.c
tests_unit_delivery_spool_test_CPPFLAGS = $(unit_cppflags)
tests_unit_delivery_spool_test_CFLAGS = $(unit_cflags)
tests_unit_delivery_spool_test_LDADD = $(unit_libs)

tests_unit_delivery_store_test_SOURCES = tests/unit/delivery_store_test.c
tests_unit_delivery_store_test_CPPFLAGS = $(unit_cppflags)
tests_unit_delivery_store_test_CFLAGS = $(unit_cflags)
tests_unit_delivery_store_test_LDADD = $(unit_libs)

tests_unit_delivery_window_test_SOURCES = tests/unit/delivery_window_test.c
tests_unit_delivery_window_test_CPPFLAGS = $(unit_cppflags)
tests_unit_delivery_window_test_CFLAGS = $(unit_cflags)
tests_unit_delivery_window_test_LDADD = $(unit_libs)

tests_unit_engine_update_test_SOURCES = tests/unit/engine_update_test.c
tests_unit_engine_update_test_CPPFLAGS = $(unit_cppflags)
tests_unit_engine_update_test_CFLAGS = $(unit_cflags)
tests_unit_engine_update_test_LDADD = $(unit_libs)

tests_unit_facts_test_SOURCES = tests/unit/facts_test.c
tests_unit_facts_test_CPPFLAGS = $(unit_cppflags)
tests_unit_facts_test_CFLAGS = $(unit_cflags)
tests_unit_facts_test_LDADD = $(unit_libs)

tests_unit_mounts_test_SOURCES = tests/unit/mounts_test.c
tests_unit_mounts_test_CPPFLAGS = $(unit_cppflags)
tests_unit_mounts_test_CFLAGS = $(unit_cflags)
tests_unit_mounts_test_LDADD = $(unit_libs)

tests_unit_lifecycle_test_SOURCES = tests/unit/lifecycle_test.c
tests_unit_lifecycle_test_CPPFLAGS = $(unit_cppflags)
tests_unit_lifecycle_test_CFLAGS = $(unit_cflags)
tests_unit_lifecycle_test_LDADD = $(unit_libs)

tests_unit_limits_test_SOURCES = tests/unit/limits_test.c
tests_unit_limits_test_CPPFLAGS = $(unit_cppflags)
tests_unit_limits_test_CFLAGS = $(unit_cflags)
tests_unit_limits_test_LDADD = $(unit_libs)

tests_unit_logs_feed_test_SOURCES = tests/unit/logs_feed_test.c
tests_unit_logs_feed_test_CPPFLAGS = $(unit_cppflags)
tests_unit_logs_feed_test_CFLAGS = $(unit_cflags)
tests_unit_logs_feed_test_LDADD = $(unit_libs)

tests_unit_logs_file_sink_test_SOURCES = tests/unit/logs_file_sink_test.c
tests_unit_logs_file_sink_test_CPPFLAGS = $(unit_cppflags)
tests_unit_logs_file_sink_test_CFLAGS = $(unit_cflags)
tests_unit_logs_file_sink_test_LDADD = $(unit_libs)

tests_unit_logs_join_test_SOURCES = tests/unit/logs_join_test.c
tests_unit_logs_join_test_CPPFLAGS = $(unit_cppflags)
tests_unit_logs_join_test_CFLAGS = $(unit_cflags)
tests_unit_logs_join_test_LDADD = $(unit_libs)

tests_unit_logs_layout_test_SOURCES = tests/unit/logs_layout_test.c
tests_unit_logs_layout_test_CPPFLAGS = $(unit_cppflags)
tests_unit_logs_layout_test_CFLAGS = $(unit_cflags)
tests_unit_logs_layout_test_LDADD = $(unit_libs)

tests_unit_logs_mark_test_SOURCES = tests/unit/logs_mark_test.c
tests_unit_logs_mark_test_CPPFLAGS = $(unit_cppflags)
tests_unit_logs_mark_test_CFLAGS = $(unit_cflags)
tests_unit_logs_mark_test_LDADD = $(unit_libs)

tests_unit_logs_sinks_test_SOURCES = tests/unit/logs_sinks_test.c
tests_unit_logs_sinks_test_CPPFLAGS = $(unit_cppflags)
tests_unit_logs_sinks_test_CFLAGS = $(unit_cflags)
tests_unit_logs_sinks_test_LDADD = $(unit_libs)

tests_unit_originals_test_SOURCES = tests/unit/originals_test.c
tests_unit_originals_test_CPPFLAGS = $(unit_cppflags)
tests_unit_originals_test_CFLAGS = $(unit_cflags)
tests_unit_originals_test_LDADD = $(unit_libs)

tests_unit_text_test_SOURCES = tests/unit/text_test.c
tests_unit_text_test_CPPFLAGS = $(unit_cppflags)
tests_unit_text_test_CFLAGS = $(unit_cflags)
tests_unit_text_test_LDADD = $(unit_libs)

tests_unit_docker_container_test_SOURCES = tests/unit/docker_container_test.c
tests_unit_docker_container_test_CPPFLAGS = $(unit_cppflags)
tests_unit_docker_container_test_CFLAGS = $(unit_cflags)
tests_unit_docker_container_test_LDADD = $(unit_libs)

tests_unit_docker_endpoint_test_SOURCES = tests/unit/docker_endpoint_test.c
tests_unit_docker_endpoint_test_CPPFLAGS = $(unit_cppflags)
tests_unit_docker_endpoint_test_CFLAGS = $(unit_cflags)
tests_unit_docker_endpoint_test_LDADD = $(unit_libs)

tests_unit_docker_event_test_SOURCES = tests/unit/docker_event_test.c
tests_unit_docker_event_test_CPPFLAGS = $(unit_cppflags)
tests_unit_docker_event_test_CFLAGS = $(unit_cflags)
tests_unit_docker_event_test_LDADD = $(unit_libs)

tests_unit_docker_hostile_test_SOURCES = tests/unit/docker_hostile_test.c
tests_unit_docker_hostile_test_CPPFLAGS = $(unit_cppflags)
tests_unit_docker_hostile_test_CFLAGS = $(unit_cflags)
tests_unit_docker_hostile_test_LDADD = $(unit_libs)

tests_unit_docker_http_test_SOURCES = tests/unit/docker_http_test.c
tests_unit_docker_http_test_CPPFLAGS = $(unit_cppflags)
tests_unit_docker_http_test_CFLAGS = $(unit_cflags)
tests_unit_docker_http_test_LDADD = $(unit_libs)

tests_unit_docker_inventory_test_SOURCES = tests/unit/docker_inventory_test.c
tests_unit_docker_inventory_test_CPPFLAGS = $(unit_cppflags)
tests_unit_docker_inventory_test_CFLAGS = $(unit_cflags)
tests_unit_docker_inventory_test_LDADD = $(unit_libs)

tests_unit_docker_ledger_test_SOURCES = tests/unit/docker_ledger_test.c
tests_unit_docker_ledger_test_CPPFLAGS = $(unit_cppflags)
tests_unit_docker_ledger_test_CFLAGS = $(unit_cflags)
tests_unit_docker_ledger_test_LDADD = $(unit_libs)

tests_unit_docker_logs_lines_test_SOURCES = tests/unit/docker_logs_lines_test.c
tests_unit_docker_logs_lines_test_CPPFLAGS = $(unit_cppflags)
tests_unit_docker_logs_lines_test_CFLAGS = $(unit_cflags)
tests_unit_docker_logs_lines_test_LDADD = $(unit_libs)

tests_unit_docker_logs_reader_test_SOURCES = tests/unit/docker_logs_reader_test.c
tests_unit_docker_logs_reader_test_CPPFLAGS = $(unit_cppflags)
tests_unit_docker_logs_reader_test_CFLAGS = $(unit_cflags)
tests_unit_docker_logs_reader_test_LDADD = $(unit_libs)

tests_unit_docker_logs_rotation_test_SOURCES = tests/unit/docker_logs_rotation_test.c
tests_unit_docker_logs_rotation_test_CPPFLAGS = $(unit_cppflags)
tests_unit_docker_logs_rotation_test_CFLAGS = $(unit_cflags)
tests_unit_docker_logs_rotation_test_LDADD = $(unit_libs)

tests_unit_json_test_SOURCES = tests/unit/json_test.c
tests_unit_json_test_CPPFLAGS = $(unit_cppflags)
tests_unit_json_test_CFLAGS = $(unit_cflags)
tests_unit_json_test_LDADD = $(unit_libs)

# Of the SNMP subagent.
agentx_unit_cppflags = $(agentx_cppflags) -I$(srcdir)/tests/unit
agentx_unit_cflags = $(agentx_cflags) $(CMOCKA_CFLAGS)
agentx_unit_libs = libtally_agentx_scenes.la libtallyagentx.la $(unit_libs)

libtally_agentx_scenes_la_SOURCES = \
	tests/unit/alarms_scene.c \
	tests/unit/alarms_scene.h \
	tests/unit/mib_scene.c \
	tests/unit/mib_scene.h
libtally_agentx_scenes_la_CPPFLAGS = $(agentx_unit_cppflags)
libtally_agentx_scenes_la_CFLAGS = $(agentx_unit_cflags)

tests_unit_agentx_test_SOURCES = tests/unit/agentx_test.c
tests_unit_agentx_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_agentx_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_agentx_test_LDADD = $(agentx_unit_libs)

tests_unit_mib_churn_test_SOURCES = tests/unit/mib_churn_test.c
tests_unit_mib_churn_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_mib_churn_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_mib_churn_test_LDADD = $(agentx_unit_libs)

tests_unit_mib_conformity_test_SOURCES = tests/unit/mib_conformity_test.c
tests_unit_mib_conformity_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_mib_conformity_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_mib_conformity_test_LDADD = $(agentx_unit_libs)

tests_unit_mib_test_SOURCES = tests/unit/mib_test.c
tests_unit_mib_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_mib_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_mib_test_LDADD = $(agentx_unit_libs)

tests_unit_alarms_objects_test_SOURCES = tests/unit/alarms_objects_test.c
tests_unit_alarms_objects_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_alarms_objects_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_alarms_objects_test_LDADD = $(agentx_unit_libs)

tests_unit_alarms_test_SOURCES = tests/unit/alarms_test.c
tests_unit_alarms_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_alarms_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_alarms_test_LDADD = $(agentx_unit_libs)

tests_unit_notices_test_SOURCES = tests/unit/notices_test.c
tests_unit_notices_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_notices_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_notices_test_LDADD = $(agentx_unit_libs)

tests_unit_trap_objects_test_SOURCES = tests/unit/trap_objects_test.c
tests_unit_trap_objects_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_trap_objects_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_trap_objects_test_LDADD = $(agentx_unit_libs)

tests_unit_view_test_SOURCES = tests/unit/view_test.c
tests_unit_view_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_view_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_view_test_LDADD = $(agentx_unit_libs)

tests_unit_steady_test_SOURCES = tests/unit/steady_test.c
tests_unit_steady_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_steady_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_steady_test_LDADD = $(agentx_unit_libs)

tests_unit_watch_test_SOURCES = tests/unit/watch_test.c
tests_unit_watch_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_watch_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_watch_test_LDADD = $(agentx_unit_libs)

tests_unit_log_queue_test_SOURCES = tests/unit/log_queue_test.c
tests_unit_log_queue_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_log_queue_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_log_queue_test_LDADD = $(agentx_unit_libs)

tests_unit_text_pages_test_SOURCES = tests/unit/text_pages_test.c
tests_unit_text_pages_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_text_pages_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_text_pages_test_LDADD = $(agentx_unit_libs)

tests_unit_settings_test_SOURCES = tests/unit/settings_test.c
tests_unit_settings_test_CPPFLAGS = $(agentx_unit_cppflags)
tests_unit_settings_test_CFLAGS = $(agentx_unit_cflags)
tests_unit_settings_test_LDADD = $(agentx_unit_libs)

check_PROGRAMS += $(unit_tests)
TESTS += $(unit_tests)

# Trees captured from real kernels, and the script that captures them.
EXTRA_DIST += tests/unit/fixtures
