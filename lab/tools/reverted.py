"""Takes each mend of SECURITY.md's table back in a copy of the project, and sees its tests fail.

`python lab/tools/reverted.py [ROW …]`: about a quarter of an hour for all. Exit code 1: a test passes without its mend.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
COPIED = ("nhi_watch", "lab", "tests", "bin", "default", "lookups", "metadata", "docs", "README.md",
          "NOTICE", "LICENSE", "pyproject.toml", "SECURITY.md", "CHANGELOG.md", "requirements.lock")  # fmt: skip


class Mend(NamedTuple):
    """A place in the package, and what stood there as good as before."""

    row: str
    file: str
    """As seen from the package: what Splunk's app has beside it begins with `..`."""
    now: str
    before: str
    tests: tuple[str, ...]
    """As pytest takes them: file, and name or `name[case]`; of several cases one that fails is enough."""


AHEAD = "if day > self._last or (received is not None and day > received + 1):"
BOUND_ID = 'bound(of("auditID") or "", *asked, event.action, event.outcome, target)'
REJECTS = 'handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")'
PART = 'handle = os.open(name := f"{self._path.parent}/.{self._path.name}.part", os.O_WRONLY | os.O_CREAT, 0o640)'
ATTACK = "test_attacker.py::test_an_attack_stays_first_whatever_is_done_to_hide_it"
SOURCE = "test_sources_evasion.py"
COSTLY = "test_costly_files.py"
DAYS = "test_costly_days.py"
EXPECTED = "test_expected.py"
SHARED = "test_shared_folders.py"
MENDS = (
    Mend(
        "C1",
        "intake/horizon.py",
        AHEAD,
        "if False:",
        (
            "test_time.py::test_thirty_six_days_of_the_future_hide_neither_the_attack_after_them_nor_the_one_before",
            "test_time.py::test_elasticsearch_goes_by_the_time_of_ingestion_where_the_record_lies_in_the_original",
        ),
    ),
    Mend(
        "C1",
        "detect/engine.py",
        "        if not too_late:\n",
        "        if True:\n",
        ("test_time.py::test_a_clock_sixty_days_back_hides_no_attack",),
    ),
    Mend(
        "C2",
        "intake/sources/kubernetes/__init__.py",
        "*request, event.action, event.outcome, target)",
        "*request)",
        ("test_ids.py::test_an_audit_id_of_a_request_that_failed_hides_none_that_succeeded_in_the_same_second",),
    ),
    Mend(
        "C2",
        "intake/sources/endpoint.py",
        "event.action, event.outcome, target,",
        "event.action, target,",
        ("test_ids.py::test_no_record_is_a_copy_of_one_that_ended_otherwise_or_did_something_else",),
    ),
    Mend(
        "C1",
        "state/retention.py",
        "return day <= self.closed",
        "return day <= self.closed and day in self.days",
        ("test_time.py::test_days_that_a_host_dates_before_all_that_was_seen_are_no_history_of_its_theft",),
    ),
    Mend(
        "C2",
        "intake/batch.py",
        "(not from_alert and self._take_apart(event))",
        "False",
        ("test_ids.py::test_one_event_id_over_all_records_of_cloudtrail_hides_none_of_them",),
    ),
    Mend(
        "C3",
        "state/baseline.py",
        'return "console" in traits or "mfa" in traits',
        'return "console" in traits or "mfa" in traits or "browser" in traits',
        ("test_deciders.py::test_a_client_changes_nothing_but_what_its_row_feeds",),
    ),
    Mend(
        "C3",
        "detect/signals/_kit.py",
        "return bool(identity.human) and",
        'return identity.kind == "role" and',
        ("test_console.py::test_whoever_is_seen_in_a_console_or_with_a_second_factor_stays_a_machine",),
    ),
    Mend(
        "C3",
        "core/identity.py",
        "if SSO_ROLE in name or (not actor.issuer_arn and _SSO_SESSION.search(actor.arn)):",
        'if "AWSReservedSSO_" in name:',
        (f"{ATTACK}[C3 a name of single sign-on-files]",),
    ),
    Mend(
        "C3",
        "intake/sources/cloudtrail/__init__.py",
        "principal = arn = user = None",
        'issuer_id = f"{issuer_id}:{arn}"',
        ("test_deciders.py::test_the_name_of_a_roles_session_decides_nothing",),
    ),
    Mend(
        "C3",
        "detect/signals/_kit.py",
        "(identity.human != BY_NAME or days >= HISTORY)",
        "True",
        ("test_console.py::test_a_name_alone_makes_nobody_a_person_before_a_week",),
    ),
    Mend(
        "M16",
        "detect/day.py",
        "{key: b for key, b in identity_day.behaviours.items() if b.last > cut}",
        "{}",
        ("test_cases.py::test_a_theft_later_on_the_day_that_was_judged_is_shown_alone",),
    ),
    Mend(
        "M17",
        "state/baseline.py",
        "seen.days - (refused.days if refused is not None else 0)",
        "seen.days",
        (
            "test_signals_inside.py::test_what_was_refused_or_failed_on_the_eve_touched_nothing",
            "test_eve.py::test_one_failed_call_on_the_eve_makes_no_kind_of_call_known",
        ),
    ),
    Mend(
        "M17",
        "state/baseline.py",
        "        refused = self.dimension(REFUSED + name).once if let_in else 0\n",
        "        refused = 0\n",
        ("test_eve.py::test_many_failed_calls_on_the_eve_do_not_make_new_targets_usual",),
    ),
    Mend(
        "M17",
        "state/baseline.py",
        "b.count if b.key.outcome not in REFUSALS else 0  #",
        "b.count  #",
        ("test_eve.py::test_refused_calls_do_not_make_an_amount_usual",),
    ),
    Mend(
        "M23",
        "state/baseline.py",
        "sorted((self.top, self.peak, *sizes))[-2:]",
        "[max(self.top, self.peak, *sizes)] * 2",
        ("test_eve.py::test_a_quarter_of_the_theft_on_the_eve_does_not_buy_the_rest[bulk-GetObject]",),
    ),
    Mend(
        "M23",
        "detect/habits.py",
        "tuple(max(0, count - 1) for count in _from_the_top(days))",
        "tuple(_from_the_top(days))",
        ("test_habits.py::test_what_is_new_this_week_or_came_once_is_no_habit",),
    ),
    Mend(
        "M23",
        "detect/habits.py",
        "_by_bin(self._own, self.tenant_habits.today - WAIT)",
        "_by_bin(self._own, self.tenant_habits.today)",
        ("test_habits.py::test_what_is_new_this_week_or_came_once_is_no_habit",),
    ),
    Mend(
        "M24",
        "core/behaviour.py",
        "    rank = rank_of(text)\n",
        "    return keep(kept, text, limit)\n    rank = rank_of(text)\n",
        ("test_behaviour.py::test_what_sorts_last_is_kept_as_often_as_what_sorts_first",),
    ),
    Mend(
        "M24",
        "core/behaviour.py",
        "        if not self.spread:\n            return len(self.targets)\n",
        "        return len(self.targets)\n",
        ("test_eve.py::test_six_hundred_secrets_that_sort_last_are_counted",),
    ),
    Mend(
        "M25",
        "detect/day.py",
        "not ranking.is_outsider(episode)",
        "True",
        ("test_eve.py::test_who_comes_to_a_public_bucket_teaches_nothing_of_the_tenant",),
    ),
    Mend(
        "M25",
        "detect/ranking.py",
        'episode.identity.kind == "anonymous" or ',
        "",
        (
            "test_eve.py::test_who_is_let_in_without_a_credential_teaches_nothing_of_the_tenant[gcp-storage.googleapis.com:objects.list]",
        ),
    ),
    Mend(
        "M26",
        "detect/signals/escalation.py",
        "            if bits >= NOVEL:\n                most, views",
        "            if False:\n                most, views",
        (
            "test_signals_inside.py::test_what_neither_a_pod_nor_its_namespace_has_done_is_loud",
            "test_signals_inside.py::test_a_stolen_component_certificate_is_loud_from_inside_the_cluster",
        ),
    ),
    Mend(
        "M27",
        "detect/habits.py",
        "self._uncounted = {*linked, *UNTAUGHT}",
        "self._uncounted = {*linked}",
        ("test_habits.py::test_signals_that_no_habit_excuses_keep_the_worlds_share",),
    ),
    Mend(
        "H4",
        "detect/ranking.py",
        '    return origins.pop() if len(origins) == 1 else ""',
        '    return ""',
        ("test_flooding.py::test_strangers_of_an_account_are_one_notable_for_as_long_as_they_come",),
    ),
    Mend(
        "H4",
        "detect/impact.py",
        "return round(LOCKED_OUT + (1 - LOCKED_OUT) * share, 4)",
        "return 1.0",
        ("test_flooding.py::test_only_what_succeeded_is_privilege_reach_and_cost",),
    ),
    Mend(
        "H4",
        "detect/ranking.py",
        "is_own = not is_stranger(origin(episode)) and _is_old(episode.view.baseline)",
        "is_own = True",
        ("test_flooding.py::test_the_last_part_of_a_name_finds_a_row_for_who_is_known_for_a_week",),
    ),
    Mend(
        "H5",
        "intake/sources/cloudtrail/__init__.py",
        'if "eventName" in record and',
        'if "CloudTrailEvent" in str(record) or "eventName" in record and',
        (ATTACK,),
    ),
    Mend(
        "H6",
        "intake/shapes/json.py",
        "        return _mended(text)",
        "        raise",
        (
            "test_files.py::test_half_a_surrogate_pair_does_not_hide_a_record",
            "test_ids.py::test_half_a_character_hides_no_document_of_elasticsearch",
        ),
    ),
    Mend(
        "H7",
        "hosts/files/reader/formats.py",
        " and not _RECORD.search(head)):",
        "):",
        ("test_files.py::test_nul_bytes_in_a_line_cost_that_line_alone",),
    ),
    Mend(
        "M8",
        "hosts/files/reader/rejects.py",
        "if len(piece.raw) <= self._room:",
        "if True:",
        ("test_rejects.py::test_long_rejects_of_many_files_cannot_fill_the_disk_either",),
    ),
    Mend(
        "M8",
        "hosts/files/reader/rejects.py",
        "if self._met[file, reason] <= MAX_ORIGINALS and self._kept[reason] < MOST:",
        "if True:",
        ("test_not_read.py::test_a_flood_of_rubbish_is_counted_in_seconds_and_stays_small",),
    ),
    Mend(
        "M8",
        "hosts/files/reader/parquet.py",
        "    _demand(table.metadata, size)\n",
        "",
        ("test_ocsf.py::test_a_parquet_file_that_claims_more_than_any_log_holds_is_refused_by_name",),
    ),
    Mend(
        "M8",
        "hosts/splunk/gather.py",
        "            self.reject(error.reason)\n        except RecursionError:",
        "            raise\n        except RecursionError:",
        ("test_splunk_commands.py::test_rows_of_every_kind_of_rubbish_never_end_a_search",),
    ),
    Mend(
        "M8",
        "hosts/files/reader/lines.py",
        '[b""] * len(records))',
        "map(batch.raw, range(-len(records), 0)))",
        ("test_source_ai_agents.py::test_a_large_resource_is_held_once_however_many_records_share_it",),
    ),
    Mend(
        "M9",
        "intake/batch.py",
        "if count + len(day) < NEWCOMERS or name.endswith(CROWD_ENDS):",
        "if True:",
        ("test_bounds.py::test_newcomers_beyond_the_bound_are_one_of_their_kind_and_the_known_stay_themselves",),
    ),
    Mend(
        "M9",
        "hosts/splunk/parts.py",
        "            if len(self.slots) >= BEHAVIOURS:",
        "            if False:",
        ("test_bounds.py::test_behaviours_are_bounded_in_parts_as_on_files_however_they_are_cut",),
    ),
    Mend(
        "M9",
        "core/behaviour.py",
        "        key = key_of_event(event), event.time // HOUR\n        exact =",
        "        if len(self.behaviours) >= BEHAVIOURS:\n            return True\n"
        "        key = key_of_event(event), event.time // HOUR\n        exact =",
        ("test_bounds.py::test_a_day_full_of_planted_records_with_a_thefts_ids_swallows_none_of_it",),
    ),
    Mend(
        "M9",
        "hosts/splunk/parts.py",
        "return {mark ^ own for mark in record_hashes}",
        "return record_hashes",
        ("test_bounds.py::test_parts_of_splunk_swallow_no_record_of_a_known_id_either_where_they_are_full",),
    ),
    Mend(
        "M10",
        "act/audit.py",
        "        os.ftruncate(descriptor, size)\n",
        "",
        ("test_audit.py::test_a_disk_that_is_full_leaves_the_trail_as_it_was",),
    ),
    Mend(
        "M11",
        "hosts/files/respond.py",
        "assets=False, now=command is plan)",
        "assets=False, now=True)",
        ("test_response.py::test_nobody_chooses_the_time_of_an_approval",),
    ),
    Mend(
        "M11",
        "hosts/files/respond.py",
        "check_all(approval.used_by_trail(desk.trail),",
        "check_all({},",
        ("test_response.py::test_an_older_state_put_back_does_not_make_an_approval_fresh",),
    ),
    Mend(
        "M11",
        "hosts/files/respond.py",
        "        approval.spend(approval.ledger(), approvals, desk.now)\n",
        "",
        ("test_response.py::test_neither_an_older_state_nor_an_older_trail_makes_an_approval_fresh",),
    ),
    Mend(
        "M12",
        "hosts/files/reader/find.py",
        "if not path.is_relative_to(root):",
        "if False:",
        ("test_files.py::test_a_link_out_of_the_folder_is_not_followed",),
    ),
    Mend(
        "M12",
        "hosts/files/reader/rejects.py",
        "kept = redact(piece.raw[",
        "kept = (piece.raw[",
        ("test_rejects.py::test_secrets_are_masked_and_keep_their_shape",),
    ),
    Mend(
        "M14",
        "detect/exposure/fast.py",
        """_folded(merged, {d["id"]: feeds[d["id"]] for d in merged if d["id"] in feeds and not d["folded"]})""",
        "merged",
        ("test_exposure.py::test_planted_findings_bury_no_key_that_is_in_use_and_take_few_places",),
    ),
    Mend(
        "M14",
        "detect/history.py",
        "if span and span.first <= end.time < span.last else end",
        "if False else end",
        ("test_exposure.py::test_nobody_s_word_ends_a_key_of_which_the_log_shows_that_it_was_not_switched_off",),
    ),
    Mend(
        "M15",
        "hosts/files/reader/chunks.py",
        "if data and self._again is not None and",
        "if False and",
        ("test_originals.py::test_what_is_no_longer_what_was_judged_is_not_shown",),
    ),
    Mend(
        "M15",
        "hosts/files/reader/chunks.py",
        "            size = min(size, self.seen.status[0] - self.consumed)\n",
        "            pass\n",
        ("test_originals.py::test_a_file_that_never_ends_growing_is_read_up_to_where_it_was_and_the_rest_next_time",),
    ),
    Mend(
        "M16",
        "state/state.py",
        "for b in identity_day.behaviours.values() if b.last <= until)\n        seen",
        "for b in identity_day.behaviours.values())\n        seen",
        ("test_released.py::test_what_came_after_the_verdict_on_the_same_day_still_waits",),
    ),
    Mend(
        "M16",
        "detect/feedback.py",
        "                if until >= last and known >= severity\n",
        "",
        ("test_cases.py::test_a_verdict_does_not_cover_what_became_graver_or_who_was_not_seen",),
    ),
    Mend(
        "M16",
        "detect/feedback.py",
        "for last, _, verdict in seen if verdict.verdict in TEACHES), default=0)",
        "for last, _, verdict in seen), default=0)",
        ("test_released.py::test_it_is_known_of_nobody_else_and_a_duplicate_or_a_confirmed_one_teaches_nothing",),
    ),
    Mend(
        "L23",
        "../default/data/ui/views/nhi_story.xml",
        "| where nhi_identity_id=$identity|s$ | sort 0 - nhi_revision | dedup nhi_id",
        "| sort 0 - nhi_revision | dedup nhi_id",
        ("test_splunk_dashboards.py::test_a_star_in_an_identitys_or_a_records_id_is_no_wildcard",),
    ),
    Mend(
        "L23",
        "../default/data/ui/views/nhi_story.xml",
        "| inputlookup nhi_feedback | where identity=$identity|s$",
        "| inputlookup nhi_feedback | search identity=$identity|s$",
        ("test_splunk_dashboards.py::test_a_star_in_a_chosen_id_shows_no_other_identitys_verdicts",),
    ),
    Mend(
        "L23",
        "report/queries.py",
        "({either}){_literally(words)} | sort",
        "({either}) | sort",
        ("test_splunk_dashboards.py::test_a_star_in_a_chosen_id_is_no_wildcard_in_a_search_to_copy",),
    ),
    Mend(
        "L23",
        "detect/expected.py",
        'return glob.escape(action) if "*" in action else action',
        "return action",
        (f"{EXPECTED}::test_a_star_in_a_logs_name_of_a_call_is_no_wildcard_of_the_pattern_that_it_suggests",),
    ),
    Mend(
        "L24",
        "report/words.py",
        "category in _HIDING or marks > _STACK or _EMPTY.match(char)",
        "category in _HIDING",
        ("test_outputs.py::test_hidden_characters_are_written_out",),
    ),
    Mend(
        "L24",
        "report/words.js",
        ".replace(STACK, few).replace(HIDING, written);",
        ".replace(HIDING, written);",
        ("test_report.py::test_the_page_writes_hidden_characters_out_as_python_does",),
    ),
    Mend(
        "L25",
        "detect/expected.py",
        "seen.subnet_of(allowed)",
        "seen.overlaps(allowed)",
        (f"{EXPECTED}::test_a_place_covers_what_lies_in_it_as_a_whole",),
    ),
    Mend(
        "L25",
        "detect/expected.py",
        'return (entry["source"], *entry.get("also_from", ()))',
        'return (entry["source"],)',
        (f"{EXPECTED}::test_a_pattern_of_an_address_covers_no_other_of_its_network",),
    ),
    Mend(
        "M16",
        "detect/feedback.py",
        "> (verdict.grown or verdict.time)",
        "> verdict.time",
        ("test_feedback.py::test_a_verdict_is_no_word_on_what_logs_told_after_it_whenever_that_was_done",),
    ),
    Mend(
        "L13",
        "act/copilot.py",
        "if isinstance(value, Own) and (",
        "if (",
        ("test_injection.py::test_a_name_of_digits_is_masked_like_any_other",),
    ),
    Mend(
        "C17",
        "intake/sources/kubernetes/actions.py",
        "if name in COMPONENTS and is_inside(address):",
        "if is_kubernetes(name):",
        (f"{SOURCE}::test_only_a_part_of_the_cluster_in_its_place_is_the_clusters_own",),
    ),
    Mend(
        "C17",
        "intake/sources/kubernetes/__init__.py",
        "if extra else",
        "if False else",
        (f"{SOURCE}::test_who_holds_a_certificate_in_the_name_of_nobody_is_somebody",),
    ),
    Mend(
        "C17",
        "intake/sources/snowflake.py",
        'name_of(of("USER_NAME"))',
        'text(of("USER_NAME"))',
        (f"{SOURCE}::test_whoever_chooses_a_name_that_says_nothing_is_a_user_all_the_same",),
    ),
    Mend(
        "L18",
        "intake/sources/kubernetes/__init__.py",
        "else many[-1] if many",
        "else many[0] if many",
        (f"{SOURCE}::test_a_forged_header_hides_no_outside_address_and_lends_no_inside_one",),
    ),
    Mend(
        "H20",
        "detect/signals/escalation.py",
        "return max(0.0 if TRAITS.isdisjoint(view.key.traits) else view.action, _whom_bits(view))",
        "return 0.0 if TRAITS.isdisjoint(view.key.traits) else view.action",
        ("test_signals.py::test_a_sample_fires_as_it_says",),
    ),
    Mend(
        "H20",
        "intake/sources/kubernetes/__init__.py",
        "*(AS + line for",
        "*(line for",
        (f"{SOURCE}::test_whom_it_impersonates_and_in_which_groups_is_told",),
    ),
    Mend(
        "H20",
        "detect/linking.py",
        ' if not session.startswith("as:")',
        "",
        ("test_links_kinds.py::test_in_whose_name_many_acted_is_no_credential_that_joins_them",),
    ),
    Mend(
        "M22",
        "intake/sources/entra/audit.py",
        "step = _spelled(segment.lower())",
        "step = segment.lower()",
        (f"{SOURCE}::test_another_spelling_of_a_call_of_graph_is_the_same_call",),
    ),
    Mend(
        "M21",
        "intake/sources/cloudtrail/traits.py",
        "return not any(map(_WIDE.fullmatch if",
        "return True or any(map(_WIDE.fullmatch if",
        (f"{SOURCE}::test_a_condition_that_everybody_meets_limits_nothing",),
    ),
    Mend(
        "M21",
        "intake/sources/cloudtrail/traits.py",
        're.sub("[*?:]", "", pattern) in _PARTITIONS',
        'pattern == "*"',
        (f"{SOURCE}::test_everything_is_everything_however_it_is_spelled",),
    ),
    Mend(
        "M21",
        "intake/sources/cloudtrail/traits.py",
        ".*/0*[0-7]",
        ".*/0",
        (f"{SOURCE}::test_half_of_the_world_is_the_world",),
    ),
    Mend(
        "M21",
        "intake/sources/kubernetes/__init__.py",
        '"containers", "initContainers", "ephemeralContainers"',
        '"containers",',
        (f"{SOURCE}::test_what_a_body_makes_is_told_wherever_it_stands",),
    ),
    Mend(
        "H19",
        "intake/sources/cloudtrail/__init__.py",
        "    if endpoint and abroad:\n",
        "    if False:\n",
        (f"{SOURCE}::test_an_endpoint_of_another_account_is_not_a_place_of_ours",),
    ),
    Mend(
        "M31",
        "hosts/files/reader/documents.py",
        """until = _string_end(window.text, begin) if char == b'"' else begin + 1""",
        """string = re.compile(rb'"[^"\\\\]*(?:\\\\.[^"\\\\]*)*"', re.DOTALL).match(window.text, begin)
        until = (string.end() if string else 0) if char == b'"' else begin + 1""",
        (f"{COSTLY}::test_a_costly_file_ends_no_run_and_hides_no_other_file[a string of backslashes]",),
    ),
    Mend(
        "M31",
        "hosts/files/reader/chunks.py",
        "yield from _gathered(self._unpack(first))",
        "yield from self._unpack(first)",
        (f"{COSTLY}::test_a_gzip_of_one_byte_members_takes_time_by_its_size",),
    ),
    Mend(
        "M31",
        "hosts/files/reader/documents.py",
        "        yield Batch(file, 0, [], None, [], chunks.consumed - consumed)",
        "        yield from ()",
        (f"{COSTLY}::test_the_bounds_are_looked_at_before_a_document_is_read_to_its_end",),
    ),
    Mend(
        "M31",
        "core/remembered.py",
        "if _length(values) > LONGEST:",
        "if False:",
        ("test_remembered.py::test_no_text_that_somebody_has_made_long_outlives_its_record",),
    ),
    Mend(
        "M31",
        "intake/batch.py",
        "                self._refuse(index, error, on_reject)\n",
        """                reject = reject_of(error)
                batch.reject(reject.reason)
                on_reject(index, reject)
""",
        ("test_remembered.py::test_no_text_that_somebody_has_made_long_outlives_its_record",),
    ),
    Mend(
        "M31",
        "hosts/files/reader/formats.py",
        r"(?:\A|\n)[ \t\r\f\v\0]*(?:",
        r"(?:\A|\n)[\s\0]*(?:",
        (f"{COSTLY}::test_blank_lines_before_a_file_begins_take_time_by_their_number",),
    ),
    Mend(
        "M31",
        "hosts/files/reader/lines.py",
        "if self._size > LINE_LIMIT or self._cells > VALUES:",
        "if False:",
        (f"{COSTLY}::test_a_row_without_an_end_is_given_up_and_the_next_one_read",),
    ),
    Mend(
        "M32",
        "detect/day.py",
        "    if len(newcomers) <= CROWD:\n",
        "    if True:\n",
        (f"{DAYS}::test_a_days_newcomers_beyond_a_crowd_are_one_whatever_their_names_and_the_theft_stays_first",),
    ),
    Mend(
        "M32",
        "state/state.py",
        'self._forget("profile", f"{EVE}{day + 1:06d}/", f"{EVE}{self.daybook.clock + 1:06d}0")',
        "for later in range(day + 1, self.daybook.clock + 2):\n"
        '            self._forget("profile", f"{EVE}{later:06d}/", f"{EVE}{later:06d}0")',
        (f"{DAYS}::test_what_dates_without_records_cost_grows_with_their_number_alone",),
    ),
    Mend(
        "M33",
        "hosts/files/inputs.py",
        '    config.demand_apart(getattr(args, "config", config.NOTHING), args.paths)\n',
        "",
        (f"{SHARED}::test_settings_among_the_logs_are_refused_and_those_in_use_are_named",),
    ),
    Mend(
        "M33",
        "hosts/files/notify.py",
        "    _demand_apart(args, asked)\n",
        "",
        (f"{SHARED}::test_receivers_among_the_logs_of_earlier_runs_are_told_nothing",),
    ),
    Mend(
        "M33",
        "hosts/files/config.py",
        'why = "" if named else trust.fault(path)',
        'why = ""',
        (f"{SHARED}::test_settings_that_others_may_write_are_refused",),
    ),
    Mend(
        "M34",
        "hosts/files/jobs.py",
        "        trust.demand_state(job.state)\n",
        "",
        (f"{SHARED}::test_a_planted_state_is_refused_and_named",),
    ),
    Mend(
        "M34",
        "hosts/files/audit.py",
        "all(facts[name] == value for name, value in held.items() if name in facts)",
        'all(held.get(name) == facts.get(name) for name in ("id", "until", "by"))',
        (f"{SHARED}::test_a_verdict_an_exception_or_a_pattern_that_was_widened_beside_the_trail_is_found",),
    ),
    Mend(
        "M34",
        "hosts/files/audit.py",
        "    why = trust.fault(path)\n",
        '    why = ""\n',
        (f"{SHARED}::test_a_trail_that_others_may_write_is_told",),
    ),
    Mend(
        "M34",
        "hosts/files/audit.py",
        "    _demand_on_record(path, common.state_of(args))\n",
        "",
        (f"{SHARED}::test_a_verdict_or_an_exception_beside_the_trail_is_found",),
    ),
    Mend(
        "M34",
        "hosts/files/score.py",
        "    if hidden:\n",
        "    if False:\n",
        (f"{SHARED}::test_a_score_tells_how_many_notables_verdicts_hide",),
    ),
)


def main(rows: list[str]) -> int:
    """Take back the mends of the rows named, or of all."""
    passing = 0
    with tempfile.TemporaryDirectory() as folder:
        for name in COPIED:
            copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
            copy(ROOT / name, Path(folder) / name)
        for mend in MENDS:
            if not rows or mend.row in rows:
                passing += _passing(mend, Path(folder))
    return int(passing > 0)


def _passing(mend: Mend, folder: Path) -> int:
    """How many of its tests pass without the mend."""
    path = folder / "nhi_watch" / mend.file
    source = path.read_text("utf-8")
    path.write_text(source.replace(mend.now, mend.before), "utf-8")
    outcomes = {test: _outcome(test, folder) for test in mend.tests}
    path.write_text(source, "utf-8")
    for test, outcome in outcomes.items():
        print(f"{mend.row:4} {mend.file}: {test}: {outcome}", flush=True)
    return sum(outcome != "fails" for outcome in outcomes.values())


def _outcome(test: str, folder: Path) -> str:
    """What becomes of a test: exit code 1 of pytest is a test that fails, others are no outcome of a test."""
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", f"tests/{test}"]
    paths = {**os.environ, "PYTHONPATH": os.pathsep.join((str(folder), str(folder / "lab")))}
    done = subprocess.run(command, cwd=folder, env=paths, capture_output=True, check=False)
    return {0: "PASSES", 1: "fails"}.get(done.returncode, f"is not run: {done.stdout.decode()[-200:]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
