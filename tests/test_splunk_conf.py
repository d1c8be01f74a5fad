"""The app's configuration: settings that Splunk knows, and names that exist wherever they are used."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import lru_cache
from urllib.parse import unquote

import pytest

from layout import ROOT
from nhi_watch.hosts.splunk import fields, kvstore, steps
from nhi_watch.hosts.splunk import tables as tables_of
from nhi_watch.hosts.splunk.nhi import KINDS
from nhi_watch.hosts.splunk.nhigroup import OPTIONS as GROUP
from nhi_watch.hosts.splunk.nhirank import OPTIONS as RANK
from nhi_watch.hosts.splunk.nhiscore import ADDED
from nhi_watch.hosts.splunk.nhiscore import OPTIONS as SCORE
from nhi_watch.intake import schemas
from nhi_watch.intake.sources import every
from splunk_conf import conf, expand, stages
from splunk_grammar import check
from splunk_peers import every_index
from splunk_search import matcher

CONFS = sorted(path.name for path in (ROOT / "default").glob("*.conf"))
SEARCHES = conf("savedsearches.conf").sections()
OPTIONS = {
    "nhiscore": set(SCORE),
    "nhigroup": set(GROUP),
    "nhirank": set(RANK),
    "nhidemo": set(),
    "nhisetup": {"do", "indexes", "days", "show", "es"},
    "nhi": {option for kind in KINDS.values() for option in kind.options},
}
ROWS = (fields.PART, fields.NOTABLE, fields.EXPLAIN, fields.FEEDBACK, fields.IDENTITY, fields.HEALTH)
FIELDS = {name for rows in ROWS for name in rows} | set(ADDED) | {"nhi_indexed", "nhi_sample", "nhi_time"}
FILES = [name for name in conf("transforms.conf").sections() if "filename" in conf("transforms.conf")[name]]
OF_OTHERS = {"ip_intel", "identity_lookup_expanded"}
"""Lookups of Enterprise Security."""
DETECTION = "NHI Watch - Stolen or Misused Non-Human Identity"
META = (ROOT / "metadata" / "default.meta").read_text("utf-8")


def test_roles_see_the_indexes_of_the_app_and_are_the_ones_that_metadata_names() -> None:
    roles = conf("authorize.conf")
    assert set(roles["role_nhi_analyst"]["srchIndexesAllowed"].split(";")) == set(conf("indexes.conf").sections())
    named = set(re.findall(r"\bnhi_(?:analyst|admin)\b", META))
    assert {f"role_{name}" for name in named} == set(roles.sections())


def test_metadata_of_an_object_is_of_one_that_exists() -> None:
    objects = re.findall(r"^\[(\w+)/([^\]]+)\]", META, re.MULTILINE)
    assert objects and all(unquote(name) in conf(f"{kind}.conf").sections() for kind, name in objects)


def test_enterprise_security_sees_the_search_that_makes_its_notables() -> None:
    sought = [name for name in SEARCHES if "action.correlationsearch.enabled" in conf("savedsearches.conf")[name]]
    exported = re.findall(r"^\[savedsearches/([^\]]+)\]\n.*\nexport = system$", META, re.MULTILINE)
    assert sought and [unquote(name) for name in exported] == sought


def test_the_analytic_story_names_searches_that_exist_with_the_annotations_of_its_notables() -> None:
    stories = conf("analyticstories.conf")
    (story,) = (name for name in stories.sections() if name.startswith("analytic_story://"))
    named = [f"savedsearch://{name}" for name in json.loads(stories[story]["searches"])]
    assert named == [name for name in stories.sections() if name != story]
    assert {name.partition("://")[2] for name in named} <= set(SEARCHES)
    notables = conf("savedsearches.conf")[DETECTION]
    wanted = json.loads(notables["action.correlationsearch.annotations"])
    assert all(json.loads(stories[name]["annotations"]) == wanted for name in named)
    assert isinstance(json.loads(stories[story]["references"]), list)


@lru_cache
def known_settings() -> dict[str, list[str]]:
    path = ROOT / "tests" / "data" / "splunk_conf_keys.json"
    return dict(json.loads(path.read_text("utf-8")))


def examples() -> Iterator[tuple[str, str]]:
    """Every search in default/: name, text."""
    for name in SEARCHES:
        yield name, conf("savedsearches.conf")[name]["search"]
        drilldowns = conf("savedsearches.conf")[name].get("action.notable.param.drilldown_searches", "[]")
        for number, load in enumerate(json.loads(drilldowns)):
            yield f"{name}, drill-down {number}", load["search"]
    for command in conf("searchbnf.conf").sections():
        for key, text in conf("searchbnf.conf")[command].items():
            if key.startswith("example"):
                yield f"{command} {key}", text


ALL = dict(examples())


def shown(block: str) -> list[str]:
    """The searches of a block of the page: a line that begins with a pipe goes on with the one before."""
    result: list[str] = []
    for line in block.strip().splitlines():
        if line.startswith("|") and result:
            result[-1] += f" {line}"
        else:
            result.append(line)
    return result


@pytest.mark.parametrize("name", [*CONFS, "commands.conf chunked"])
def test_every_setting_is_one_of_the_published_specification_and_of_chunked_commands_one_that_is_heeded(
    name: str,
) -> None:
    allowed = re.compile("|".join(f"(?:{key})" for key in known_settings()[name]))
    stanzas = conf(name.split()[0])
    assert not [f"[{s}] {key}" for s in stanzas.sections() for key in stanzas[s] if not allowed.fullmatch(key)]


@pytest.mark.parametrize("name", ALL)
def test_every_search_that_ships_is_in_the_grammar(name: str) -> None:
    check(expand(ALL[name]))


@pytest.mark.parametrize("name", ALL)
def test_every_field_of_ours_that_a_search_names_is_made_by_a_command(name: str) -> None:
    named = set(re.findall(r"\bnhi_\w+", ALL[name])) - set(conf("macros.conf").sections())
    named -= {"nhi_feedback", "nhi_intel", "nhi_assets", "nhi_owners", "nhi_es_assets", "nhi_identities"}
    named -= {"nhi_health"}
    assert named <= FIELDS


@pytest.mark.parametrize("name", conf("macros.conf").sections())
def test_every_macro_can_be_expanded_and_read(name: str) -> None:
    text = expand(f"`{name}`")
    if text.split()[0] not in {"collect", "sort", "fields", "table", "inputlookup", "addinfo"} and not text.isdigit():
        matcher(text.removeprefix("search "))


def test_every_lookup_that_a_search_reads_or_writes_exists() -> None:
    told_files = {stanza["filename"] for stanza in map(conf("transforms.conf").__getitem__, FILES)}
    pattern = re.compile(r"(?:outputlookup|inputlookup)(?: \w+=\S+)* ([\w.]+)")
    named = {word for text in ALL.values() for word in pattern.findall(expand(text))}
    tables = {tables_of.ASSETS, tables_of.OWNERS, tables_of.ES_ASSETS, tables_of.INTEL, "nhi_identities.csv"}
    assert named == {"nhi_feedback", "nhi_notables", *tables, *OF_OTHERS}
    assert named <= {*conf("transforms.conf").sections(), *told_files, *OF_OTHERS}


def test_no_lookup_file_is_rewritten_by_a_search_that_runs_often() -> None:
    for name in SEARCHES:
        if re.search(r"outputlookup [^|]*\.csv", expand(conf("savedsearches.conf")[name]["search"])):
            assert re.fullmatch(r"\d+ \d+ \* \* \*", conf("savedsearches.conf")[name]["cron_schedule"])


def test_every_lookup_of_the_kv_store_has_its_collection_and_its_fields() -> None:
    transforms, collections = conf("transforms.conf"), conf("collections.conf")
    kept = [name for name in transforms.sections() if transforms[name].get("external_type") == "kvstore"]
    others = {"nhi_steps", kvstore.STATE, kvstore.GENERATIONS}
    assert {transforms[name]["collection"] for name in kept} == set(collections.sections()) - others
    verdict_fields = {field.strip() for field in transforms["nhi_feedback"]["fields_list"].split(",")}
    assert verdict_fields == set(fields.FEEDBACK)
    slim = re.findall(r"\bnhi_\w+", conf("macros.conf")["nhi_slim"]["definition"].partition("|")[0])
    verdict_fields = {field.strip() for field in transforms["nhi_notables"]["fields_list"].split(",")}
    assert verdict_fields == {*slim, "_key", "nhi_time"}


def test_every_token_of_an_alert_is_a_field_of_its_search() -> None:
    settings = conf("savedsearches.conf")
    tokens = {t for name in SEARCHES for v in settings[name].values() for t in re.findall(r"\$(\w+)\$", v)}
    assert tokens and tokens <= FIELDS


ON = {"nhi_endpoint": conf("macros.conf")["nhi_endpoint"]["description"].partition("On: ")[2]}
"""What a customer sets who wants hosts too."""
LOGS = {
    "cloudtrail": {"sourcetype": "aws:cloudtrail"},
    "ocsf": {"sourcetype": "aws:cloudtrail:lake"},
    "entra": {"sourcetype": "azure:monitor:aad"},
    "github": {"sourcetype": "httpevent", "source": "http:github"},
    "kubernetes": {"sourcetype": "kube:apiserver-audit"},
    "kubernetes as ESCU has it": {"sourcetype": "_json", "source": "kubernetes"},
    "endpoint": {"sourcetype": "auditd"},
}
"""How add-ons of Splunk and others, and ESCU's own macros, name what they send: docs/splunk.md lists where."""


@pytest.mark.parametrize("log", LOGS)
def test_what_add_ons_send_is_found_once_its_index_was_named(log: str) -> None:
    row = {"index": ["soc"], "source": ["x"], **{name: [value] for name, value in LOGS[log].items()}}
    macro = "(`nhi_json_logs`) OR (`nhi_field_logs`)"
    assert matcher(expand(macro, {**ON, "nhi_indexes": 'index IN ("soc", "aws")'}))(row)
    assert not matcher(expand(macro, ON))(row), "no index was named"


def test_what_is_not_read_or_not_wanted_is_not_found() -> None:
    named = {"nhi_indexes": "index=soc"}
    security = {"index": ["soc"], "sourcetype": ["XmlWinEventLog"], "source": ["XmlWinEventLog:Security"]}
    auditd = {"index": ["soc"], "source": ["x"], "sourcetype": ["auditd"]}
    both = "(`nhi_json_logs`) OR (`nhi_field_logs`)"
    assert not matcher(expand(both, {**ON, **named}))(security)
    assert not matcher(expand(both, named))(auditd), "hosts are off until somebody wants them"


FOUND_BY_NAME = [source for source in (*every(), *schemas.every()) if source.SPLUNK_SOURCETYPES]
"""An envelope has no sourcetype of its own: it lies where what it carries does."""


@pytest.mark.parametrize("source", FOUND_BY_NAME, ids=lambda source: str(source.NAME))
def test_every_source_is_found_by_its_sourcetypes_in_one_of_the_two_groups(source: object) -> None:
    types = set(source.SPLUNK_SOURCETYPES)  # type: ignore[attr-defined]
    groups = [set(re.findall(r'"([^"]+)"', expand(f"`{name}`", ON))) for name in ("nhi_json_logs", "nhi_field_logs")]
    where = f"default/macros.conf: add {sorted(types)} to nhi_json_logs or to nhi_field_logs, not to both"
    assert [types <= group for group in groups].count(True) == 1, where
    assert sum(bool(types & group) for group in groups) == 1, where


def test_nothing_that_the_app_writes_is_read_as_a_log() -> None:
    own = {"index": ["nhi_risk"], "sourcetype": ["nhi:notable"], "source": ["search"]}
    part = {"index": ["nhi_summary"], "sourcetype": ["stash"], "source": [fields.SOURCE]}
    finding = {"index": ["notable"], "sourcetype": ["stash"], "search_name": [DETECTION]}
    for group in ("`nhi_json_logs`", "`nhi_field_logs`"):
        assert not [row for row in (own, part, finding) if matcher(expand(group))(row)]


def test_what_commands_believe_is_what_the_macros_write_and_read() -> None:
    macros = conf("macros.conf")
    for name in ("nhi_behaviours", "nhi_collect_behaviours"):
        assert f"source={fields.SOURCE}" in macros[name]["definition"]
    for name in ("nhi_written", "nhi_rank"):
        assert f'sourcetype="{fields.SOURCETYPE}"' in macros[name]["definition"]
    listed = f'sourcetype="{fields.SOURCETYPE}" NOT source="nhi_demo" NOT nhi_change="below"'
    assert conf("eventtypes.conf")["nhi_notable"]["search"] == listed
    assert conf("tags.conf").sections() == ["eventtype=nhi_notable"]
    assert conf("props.conf").sections() == [fields.SOURCETYPE]
    named = {w for v in conf("props.conf")[fields.SOURCETYPE].values() for w in re.findall(r"\bnhi_\w+", v)}
    assert named - {"nhi_watch"} <= set(fields.NOTABLE)


def test_indexes_that_searches_write_to_are_defined() -> None:
    texts = [*ALL.values(), *(s["definition"] for s in macro_sections())]
    written = set(re.findall(r"collect index=(\w+)", " ".join(texts)))
    assert written == set(conf("indexes.conf").sections())


def macro_sections() -> list[dict[str, str]]:
    return [dict(conf("macros.conf")[name]) for name in conf("macros.conf").sections()]


@pytest.mark.parametrize("name", SEARCHES)
def test_no_search_asks_for_every_index_and_what_is_appended_is_small_and_bounded(name: str) -> None:
    text = expand(conf("savedsearches.conf")[name]["search"].replace("| nhisetup do=reconcile", steps.COUNT))
    if not text.startswith("| inputlookup"):
        assert not every_index(text.partition("where")[2] if "| tstats" in text else text.partition("|")[0])
    for stage in text.split("append ")[1:]:
        assert "maxtime=300 maxout=50000" in stage and "index=nhi_risk" in stage


@pytest.mark.parametrize("name", SEARCHES)
def test_every_search_comes_disabled_with_its_window_and_its_filter(name: str) -> None:
    settings = conf("savedsearches.conf")[name]
    assert settings["disabled"] == "1" and settings["description"]
    assert "dispatch.max_time" not in settings and "dispatch.max_count" not in settings
    assert settings["dispatch.allow_partial_results"] == "0", "nothing concludes from half an answer"
    assert settings["dispatch.earliest_time"] and settings["dispatch.latest_time"]
    assert ("index_" in " ".join(settings)) == ("Group" in name or name in ("NHI Watch - Rank", DETECTION))
    if settings["enableSched"] == "1":
        assert settings["cron_schedule"] and settings["schedule_window"] and settings["allow_skew"]


def test_every_filter_macro_belongs_to_a_search() -> None:
    defined = {name for name in conf("macros.conf").sections() if name.endswith("_filter")}
    texts = [conf("savedsearches.conf")[name]["search"] for name in SEARCHES]
    texts.append(conf("macros.conf")["nhi_rank"]["definition"])
    used = {n for text in texts for n in re.findall(r"`(nhi_\w+_filter)`", text)}
    assert defined == used


_OFTEN = {"Group Late": 60, "Group Misdated": 1440}
"""Word of a search's name → minutes between its runs."""


def test_windows_of_arrival_follow_each_other_without_a_gap_or_an_overlap() -> None:
    for name in SEARCHES:
        settings = conf("savedsearches.conf")[name]
        if "dispatch.index_earliest" in settings:
            since, until = (int(settings[f"dispatch.index_{end}"][1:-3]) for end in ("earliest", "latest"))
            every = next((often for word, often in _OFTEN.items() if word in name), 5)
            crons = {5: r"(?:\*|2-59)/5 \*", 60: r"\d+ \*", 1440: r"\d+ \d+"}
            assert re.fullmatch(crons[every] + r" \* \* \*", settings["cron_schedule"])
            assert settings["realtime_schedule"] == "0"
            assert since - until == every
            if name != DETECTION:
                assert settings["durable.track_time_type"] == "_indextime", "what was skipped or failed is made up for"


def test_enterprise_security_gets_a_finding_with_risk_of_identities_and_accounts_by_severity() -> None:
    stanza = conf("savedsearches.conf")[DETECTION]
    entities = json.loads(stanza["action.notable.param._entities"])
    assert [(entity["risk_object_field"], entity["risk_object_type"]) for entity in entities] == [
        ("user", "user"),
        ("nhi_members", "user"),
        ("nhi_account", "system"),
    ]
    assert stanza["action.correlationsearch.detection_type"] == "ebd"
    assert json.loads(stanza["action.correlationsearch.metadata"])["detection_version"].isdigit()
    assert json.loads(stanza["action.notable.param.next_steps"])["version"] == 1
    risk = json.loads(stanza["action.risk.param._risk"])
    for kind in ("user", "system"):
        mine = [item for item in risk if item.get("risk_object_type") == kind]
        assert [item["risk_score"] for item in mine] == sorted((item["risk_score"] for item in mine), reverse=True)
        assert {item["risk_object_field"] for item in mine} == set(re.findall(rf"\b({kind}_\w+)=if", stanza["search"]))
    threats = {
        item["threat_object_field"]: item["threat_object_type"] for item in risk if "threat_object_field" in item
    }
    assert threats == {"src": "ip_address", "user_agent": "http_user_agent", "nhi_credentials": "access_key"}
    *_, last = stages(stanza["search"])
    verb, *shown = last.split()
    used = {field for item in risk for name, field in item.items() if name.endswith("_field")}
    titles = stanza["action.notable.param.rule_title"] + stanza["action.risk.param._risk_message"]
    tokens = set(re.findall(r"\$(\w+)\$", titles))
    assert verb == "table" and used | tokens | {"severity", "annotations"} <= set(shown)
    assert not {"risk_score", "nhi_notable", "_raw", "risk_object"} & set(shown)
    assert "sendalert" not in stanza["search"]


def test_no_role_may_write_past_the_indexes_of_the_app() -> None:
    roles = conf("authorize.conf")
    assert not [n for n in roles.sections() if {"edit_tcp", "list_storage_passwords"} & set(roles[n])]


def test_a_click_on_an_event_judges_our_notables_and_nothing_that_a_log_could_claim_to_be() -> None:
    actions = conf("workflow_actions.conf")
    assert {name for name in actions.sections() if actions[name]["type"] == "link"} == {"nhi_story"}
    for name in actions.sections():
        stanza = actions[name]
        assert {each.strip() for each in stanza["eventtypes"].split(",")} == set(conf("eventtypes.conf").sections())
        if stanza["type"] == "link":
            assert set(re.findall(r"\$(\w+)\$", stanza["link.uri"])) == {"nhi_id", "nhi_identity_id"}
            continue
        check(expand(re.sub(r"\$(\w+)\$", "x", stanza["search.search_string"])))
        assert f"verdict={name.removeprefix('nhi_')}" in stanza["search.search_string"]
        assert set(re.findall(r'"\$(\w+)\$"', stanza["search.search_string"])) == {"nhi_id", "nhi_identity_id"}


def test_no_field_is_extracted_for_a_command_that_reads_the_event_itself() -> None:
    for name in SEARCHES:
        before, grouped, _ = conf("savedsearches.conf")[name]["search"].partition("| nhigroup")
        if grouped and "input=fields" not in conf("savedsearches.conf")[name]["search"]:
            assert before.rstrip().endswith("`nhi_read`"), name


def test_what_is_too_late_for_one_grouping_is_early_enough_for_the_next() -> None:
    soon, late, out = (
        conf("savedsearches.conf")[f"NHI Watch - Group {item}"] for item in ("Events", "Late", "Misdated")
    )
    assert soon["dispatch.earliest_time"] == late["dispatch.latest_time"]
    assert f"latest={late['dispatch.earliest_time']}" in out["search"]
    assert f"earliest={soon['dispatch.latest_time']}" in out["search"]


def test_the_search_bar_knows_exactly_the_options_that_each_command_takes() -> None:
    words = conf("searchbnf.conf")
    for command, options in OPTIONS.items():
        syntax = words[f"{command}-command"]["syntax"]
        assert set(re.findall(rf"<{command}-(\w+)-option>", syntax)) == options
        assert {name for name in words.sections() if name.startswith(f"{command}-") and name.endswith("-option")} == {
            f"{command}-{option}-option" for option in options
        }


# ---- the page of the app

PAGE = (ROOT / "docs" / "splunk.md").read_text("utf-8")
SHOWN = [text for block in re.findall(r"^~~~\n(.*?)^~~~", PAGE, re.MULTILINE | re.DOTALL) for text in shown(block)]


@pytest.mark.parametrize("text", SHOWN)
def test_a_search_of_the_page_uses_what_exists(text: str) -> None:
    assert set(re.findall(r"`(\w+)`", text)) <= set(conf("macros.conf").sections())
    check(expand(text))
    for stage in stages(expand(text)):
        verb, _, rest = stage.partition(" ")
        if verb in OPTIONS:
            assert set(re.findall(r"(\w+)=", re.sub(r'"[^"]*"', "", rest))) <= OPTIONS[verb]
    named = set(re.findall(r"\bnhi_\w+", text)) - set(conf("macros.conf").sections())
    assert named - {"nhi_feedback", *FILES} <= FIELDS


def test_macros_that_the_page_names_exist() -> None:
    named = set(re.findall(r"[Mm]acros? `(nhi_\w+)`", PAGE))
    assert named and named <= set(conf("macros.conf").sections())
