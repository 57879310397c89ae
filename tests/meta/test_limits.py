"""The page of limits states the numbers of the code, and each limit has a test at the bound."""

from __future__ import annotations

import importlib
import re
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[2] / "docs/reference/limits.md"
ROWS = re.findall(r"^\| (.+?) \| ([0-9,]+)[^|]* \| `([\w.]+)` \|$", PAGE.read_text(), re.MULTILINE)
TESTS = {
    "lockfile.reader.MAX_SIZE": "test_a_lock_of_the_largest_size_and_one_byte_more",
    "lockfile.reader.MAX_FOREIGN_SIZE": "test_a_broken_lock_is_refused",
    "lockfile.trace_file.MAX_TRACE": "test_a_trace_of_the_largest_size_and_one_byte_more",
    "apply.plan_document.PLAN_LIMIT": "test_a_plan_of_the_largest_size_and_one_byte_more",
    "apply.journal.JOURNAL_LIMIT": "test_a_journal_of_the_largest_size_and_one_byte_more",
    "scope.closure.MOST_NODES": "test_a_closure_of_the_largest_size",
    "formats.system.strace.MOST_PATHS": "test_more_paths_than_the_limit_are_said_to_be_cut",
    "capture.owners.MOST_FOLDERS": "test_owners_are_found_in_as_many_directories_as_allowed",
    "config.sources.MAX_SIZE": "test_settings_of_the_largest_size_and_one_byte_more",
    "declare.inputs.DEFAULT_LIMITS.files": "test_as_much_as_a_declaration_may_take",
    "declare.inputs.DEFAULT_LIMITS.size": "test_as_much_as_a_declaration_may_take",
    "declare.sources.MAX_SOURCES": "test_sources_of_the_largest_size_are_read",
    "config.convert.MAX_ITEMS": "test_values_of_settings",
    "config.convert.MAX_COUNT": "test_values_of_settings",
    "config.convert.MAX_PATTERN": "test_values_of_settings",
    "model.document.MAX_DEPTH": "test_depth_of_toml",
    "model.document.MAX_KEYS": "test_keys_that_dots_join",
    "model.document.MAX_VALUES": "test_values_of_json",
    "targets.stream.decompress.DEFAULT_BOUNDS.piece": "test_no_piece_is_larger_than_the_bound",
    "targets.stream.decompress.DEFAULT_BOUNDS.total": "test_the_size_of_a_layer",
    "targets.stream.decompress.DEFAULT_BOUNDS.free": "test_a_bomb_is_refused_at_its_bound",
    "targets.stream.decompress.DEFAULT_BOUNDS.ratio": "test_a_bomb_is_refused_at_its_bound",
    "targets.stream.oci.MOST_LAYERS": "test_an_image_of_too_many_layers",
    "targets.stream.oci.MOST_FILES": "test_an_archive_of_too_many_files",
    "targets.stream.tar_reader.DEFAULT_LIMITS.members": "test_members_of_an_archive",
    "targets.stream.tar_reader.NAME_LIMIT": "test_layers",
    "targets.stream.tar_reader.DEFAULT_LIMITS.names": "test_names_of_an_archive",
    "targets.stream.tar_reader.DEFAULT_LIMITS.trailing": "test_what_follows_the_end_of_an_archive",
    "targets.stream.streaming.RETAIN_LIMIT": "test_a_file_that_a_streaming_target_keeps",
    "targets.stream.streaming.RETAIN_TOTAL": "test_files_that_a_streaming_target_keeps",
    "capture.files.packed_secrets.LARGEST": (
        "test_a_packed_file_at_the_limit_is_opened_and_one_above_is_not"
    ),
    "capture.files.packed_secrets.MOST_JUDGED": "test_what_is_judged_and_how_deep_is_bounded",
    "capture.files.packed_secrets.DEEPEST": "test_what_is_judged_and_how_deep_is_bounded",
    "capture.beginnings.LINKAGE_LIMIT": (
        "test_a_library_at_the_limit_is_parsed_and_one_above_is_unknown"
    ),
    "capture.beginnings.SCRIPT_LIMIT": (
        "test_a_script_at_the_limit_is_kept_and_one_above_has_its_line"
    ),
    "capture.beginnings.SCRIPTS_TOTAL": "test_scripts_are_kept_until_their_room_is_used_up",
    "capture.beginnings.MOST_NOTED": (
        "test_above_the_number_of_notes_nothing_is_known_of_other_files"
    ),
    "capture.files.classify.STATE_LIMIT": (
        "test_one_large_file_takes_all_data_of_an_unknown_service_with_it"
    ),
    "capture.files.unknown_state.STATE_TOTAL": (
        "test_many_small_files_take_the_data_of_an_unknown_service_with_them"
    ),
    "materialize.tree.lost_files.SETTINGS_LIMIT": "test_a_file_of_settings_of_the_largest_size",
    "targets.base.READ_LIMIT": "test_a_file_that_a_collector_reads_whole",
    "capture.context.READ_TOTAL": "test_files_that_one_collector_reads",
    "capture.context.LINE_LIMIT": "test_a_line_of_a_kernel_file",
    "formats.binary.zip_archive.DEFAULT_LIMITS.directory": "test_the_directory_of_a_zip_archive",
    "formats.binary.zip_archive.DEFAULT_LIMITS.members": "test_members_of_a_zip_archive",
    "formats.binary.zip_archive.MAX_RATIO": "test_a_member_at_the_largest_ratio_and_above",
    "capture.discover.java_archives.DEEPEST": "test_the_depth_is_limited",
    "capture.discover.java_archives.LARGEST_INSIDE": "test_the_size_is_limited",
    "formats.hardware.modinfo.MAX_SIZE": "test_each_compression_is_unpacked_up_to_a_limit",
    "targets.engines.MOST_CONTEXTS": "test_contexts_are_listed_up_to_a_limit",
    "targets.stream.layer_shelf.SHELF_BYTES": "test_a_layer_above_the_room_is_pulled_again",
    "store.known.MOST_KNOWN": "test_of_too_many_those_used_longest_ago_are_forgotten",
    "store.known.KNOWN_BYTES": "test_too_many_bytes_are_forgotten",
    "store.manifests.MOST_BLOBS": "test_blobs_of_a_shipment",
    "store.known.MOST_LAYERS": "test_of_too_many_layers_those_used_longest_ago_are_forgotten",
    "store.known.LAYERS_BYTES": "test_too_many_bytes_of_layers_are_forgotten",
    "capture.known_layers.MOST_PATHS": "test_a_layer_of_too_many_members_is_not_kept",
    "capture.known_layers.CONTENT_BYTES": "test_no_more_content_is_kept_than_there_is_room",
    "capture.known_layers.MOST_MISSES": "test_too_many_files_fetched_one_by_one_end_the_memory",
    "store.service_set.MOST_SERVICES": "test_services_of_one_index",
    "store.manifests.LARGEST_LOCK": "test_the_lock_of_a_shipment",
    "store.manifests.LARGEST_TREE": "test_the_tree_of_a_shipment",
    "store.packs.MOST_OBJECTS": "test_objects_of_a_pack",
    "store.shipment.LARGEST_PACKED": "test_the_largest_object_that_is_compressed",
    "store.frames.WINDOW": "test_a_frame_that_wants_much_memory_is_refused",
    "store.deltas.MOST_DELTA_OBJECTS": "test_bases_and_objects_of_a_delta",
    "store.deltas.LARGEST_DELTA": "test_the_bytes_of_a_delta",
    "store.sent.MOST_TAGS": "test_tags_of_which_it_is_known_what_they_have",
    "store.blob_places.MOST_PLACES": "test_blobs_that_are_known_of_a_host",
    "store.blob_places.MOST_TRIED": "test_the_repositories_that_had_a_blob_last_are_tried",
    "registry.uploads.MOST_REFUSALS": "test_where_nothing_is_mounted_it_is_sent",
    "store.bundle.MOST_MEMBERS": "test_files_of_a_bundle",
    "store.bundle.LARGEST_MANIFEST": "test_the_manifest_of_a_bundle",
    "store.carried.MOST_FILES": "test_too_many_files_beside_the_locks",
    "store.carried.LARGEST_PACK_FILE": "test_a_pack_that_is_too_large_beside_the_locks",
    "materialize.artifacts.decompress.FREE": "test_a_package_at_its_largest_ratio",
    "materialize.artifacts.decompress.MAX_RATIO": "test_a_package_at_its_largest_ratio",
    "materialize.artifacts.kinds.conda.DEFAULT_LIMITS.info": (
        "test_the_information_of_a_package_has_a_limit"
    ),
    "materialize.artifacts.kinds.conda.DEFAULT_LIMITS.listed": (
        "test_the_lists_of_a_package_have_a_limit"
    ),
    "materialize.artifacts.kinds.conda.DEFAULT_LIMITS.replaced": (
        "test_the_largest_file_in_which_a_placeholder_is_replaced"
    ),
    "materialize.artifacts.kinds.conda.DEFAULT_LIMITS.total": (
        "test_how_much_of_a_package_is_replaced"
    ),
    "materialize.artifacts.unpacked.MOST_MEMBERS": "test_members_of_a_deb",
    "formats.rpm.package_file.LARGEST_HEADER": "test_a_header_at_the_limit_and_above",
    "materialize.image.kept_layers.KEPT_BYTES": (
        "test_of_layers_without_room_those_used_longest_ago_are_deleted"
    ),
    "formats.pacman.LARGEST_MTREE": "test_a_list_of_the_largest_size_and_above",
    "materialize.artifacts.sources.pacman.LARGEST_DESCRIPTION": (
        "test_a_description_of_the_largest_size_and_above"
    ),
    "materialize.artifacts.package_digest.LARGEST_CONTROL": (
        "test_a_control_of_the_largest_size_and_above"
    ),
    "materialize.artifacts.sources.apk.LARGEST_INDEX": (
        "test_an_index_above_the_limit_is_not_read"
    ),
    "formats.rpm.repodata.LARGEST_TAG": "test_a_tag_at_the_limit_and_above",
    "materialize.artifacts.sources.mirrors.MOST_MIRRORS": "test_mirrors_are_asked_in_turn",
    "materialize.artifacts.kinds.wheel.RECORD_LIMIT": "test_a_record_of_the_largest_size",
    "materialize.artifacts.sources.download.LARGEST_PACKAGE": (
        "test_a_file_of_the_largest_size_and_above"
    ),
    "materialize.artifacts.sources.download.LARGEST_ANSWER": (
        "test_an_answer_of_the_largest_size_and_above"
    ),
    "materialize.artifacts.sources.download.MOST_RESUMES": (
        "test_a_file_that_is_cut_for_ever_is_given_up"
    ),
    "materialize.artifacts.sources.download.MOST_FAILURES": (
        "test_a_host_that_fails_is_not_asked_for_ever"
    ),
    "materialize.artifacts.sources.directory.MOST_FILES": (
        "test_more_files_than_the_limit_are_said_not_to_be_searched"
    ),
    "materialize.artifacts.identify.CONTROL_LIMIT": (
        "test_a_control_file_behind_the_limit_is_not_found"
    ),
    "materialize.artifacts.identify.METADATA_LIMIT": (
        "test_the_control_file_is_read_up_to_its_limit"
    ),
}
"""By the name of a limit, the test that tries it."""
UNTRIED = {
    "reading.MAX_DOCUMENT",
    "reading.MAX_HEADER",
    "targets.recorded.MAX_SIZE",
    "capture.discover.java_archives.MOST_ARCHIVES",
    "capture.discover.java_archives.MOST_BYTES",
    "materialize.artifacts.decompress.MAX_SIZE",
    "materialize.artifacts.decompress.MAX_WINDOW",
}
"""Limits that no test tries at the bound; it should not grow."""


def test_each_limit_has_a_test() -> None:
    names = {name for _, _, name in ROWS}
    modules = [path.read_text() for path in PAGE.parents[2].glob("tests/**/test_*.py")]
    defined = set(re.findall(r"def (test_\w+)\(", "\n".join(modules)))
    assert names == TESTS.keys() | UNTRIED
    assert set(TESTS.values()) <= defined
    assert not TESTS.keys() & UNTRIED


@pytest.mark.parametrize(("what", "number", "name"), ROWS)
def test_a_number_is_that_of_the_code(what: str, number: str, name: str) -> None:
    parts = name.split(".")
    at = next(at for at, part in enumerate(parts) if part.upper() == part)
    found = importlib.import_module(".".join(["envlock", *parts[:at]]))
    for part in parts[at:]:
        found = getattr(found, part)
    assert found == int(number.replace(",", "")), what


def test_every_row_is_compared() -> None:
    rows = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")]
    assert len(ROWS) == len([row for row in rows if not row.startswith("| what |")])
    assert len(ROWS) > 30
