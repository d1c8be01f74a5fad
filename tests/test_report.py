"""The HTML report, opened and used in a real headless Chromium."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import shlex
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select, WebDriverWait

from need import need
from nhi_watch.core.status import unusual_least
from nhi_watch.report.html import render
from notable_samples import HOSTILE, altered, digest, documents, many, run
from screenshot import browser, resize
from test_outputs import HIDDEN


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chrome]:
    need(shutil.which("chromedriver"), "needs chromium and chromium-driver (apt)")
    with browser(1440, 900) as driver:
        yield driver


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    place = "--out 'out of/mine' --state s.sqlite"
    path.write_text(render(documents(), run(), events=originals(), place=place), "utf-8")
    return path


def originals() -> dict[str, Any]:
    """Raw records behind the first two samples."""
    return {
        entry["record_id"]: {"file": "logs/day.json.gz", "line": 7 + n, "cut": False, "raw": json.dumps({
            "eventID": entry["record_id"], "eventName": entry["action"], "sourceIPAddress": f"185.220.{101 + d}.{n}",
            "userAgent": "aws-cli/2.15.30 md/Botocore#1.34", "bytes": 9007199254740993, "note": HOSTILE[0]})}
        for d, document in enumerate(documents()[:2]) for n, entry in enumerate(document["timeline"])
    }  # fmt: skip


@pytest.fixture
def page(chromium: Chrome, report: Path) -> Chrome:
    return visit(chromium, report)


def visit(chromium: Chrome, path: Path) -> Chrome:
    """Open a report, and wait until its notables are unpacked."""
    chromium.get("about:blank")
    chromium.get(path.as_uri())
    WebDriverWait(chromium, 20, 0.02).until(lambda d: d.execute_script("return document.documentElement.dataset.ready"))
    return chromium


def log(page: Chrome, kind: str) -> list[Any]:
    """Entries of the browser's log since the last call."""
    return list(page.get_log(kind))  # type: ignore[no-untyped-call]


def press(page: Chrome, *keys: str) -> None:
    ActionChains(page).send_keys(*keys).perform()


def opened(page: Chrome) -> list[str]:
    """Titles of the notables that are on view in full."""
    articles = page.find_elements(By.CSS_SELECTOR, "article")
    return [a.find_element(By.TAG_NAME, "h2").text for a in articles if a.is_displayed()]


def listed(page: Chrome) -> int:
    return sum(item.is_displayed() for item in page.find_elements(By.CSS_SELECTOR, ".item"))


def test_the_list_shows_every_notable_and_none_is_open(page: Chrome) -> None:
    assert listed(page) == 12
    assert opened(page) == []
    assert page.find_element(By.CSS_SELECTOR, ".overview .scatter").is_displayed()


def test_what_merely_goes_on_is_shorter_and_opens_like_the_others(chromium: Chrome, tmp_path: Path) -> None:
    goes_on = altered({**documents()[1], "life": "ongoing", "listed_on": "2026-03-07"})
    path = tmp_path / "report.html"
    path.write_text(render([documents()[0], goes_on], run()), "utf-8")
    page = visit(chromium, path)
    (line,) = page.find_elements(By.CSS_SELECTOR, ".item.line")
    assert line.find_element(By.CSS_SELECTOR, ".title").text == goes_on["title"], "no status in its place"
    assert "since 2026-03-07" in line.text and goes_on["severity"] in line.text
    assert line.size["height"] < page.find_elements(By.CSS_SELECTOR, ".item")[0].size["height"]
    line.find_element(By.TAG_NAME, "a").click()
    assert opened(page) == [goes_on["title"]]


def test_a_click_opens_a_notable_in_place_of_the_overview(page: Chrome) -> None:
    page.find_elements(By.CSS_SELECTOR, ".item a")[2].click()
    assert opened(page) == ["Session of an ECS task used outside AWS"]
    assert not page.find_element(By.CSS_SELECTOR, ".overview").is_displayed()


def test_keys_move_open_and_close(page: Chrome) -> None:
    press(page, "j", "j", "k", Keys.ARROW_DOWN, Keys.ENTER)
    assert opened(page) == ["LLMjacking: model access unlocked and used in six regions"]
    press(page, Keys.ESCAPE)
    assert opened(page) == []
    press(page, "j", Keys.ENTER)
    assert opened(page) == ["Session of an ECS task used outside AWS"]


def test_tab_reaches_the_skip_link_first_and_the_focus_can_be_seen(page: Chrome) -> None:
    press(page, Keys.TAB)
    focused = page.switch_to.active_element
    assert focused.text == "Skip to the ranked list"
    assert focused.value_of_css_property("outline-style") == "solid"


def test_severity_kind_and_text_filter_together(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".chip.critical").click()
    assert listed(page) == 5
    page.find_element(By.CSS_SELECTOR, ".chip.low").click()
    assert listed(page) == 8
    Select(page.find_element(By.ID, "kind")).select_by_value("posture")
    assert listed(page) == 1
    Select(page.find_element(By.ID, "kind")).select_by_value("")
    page.find_element(By.TAG_NAME, "h2").click()
    press(page, "/", "LLMJACK")
    assert listed(page) == 1
    assert page.find_element(By.ID, "shown").text == "1 of 12 shown"


def test_keys_pass_over_what_the_filter_hides(page: Chrome) -> None:
    press(page, "/", "dormant", Keys.ESCAPE, "j", Keys.ENTER)
    assert opened(page) == ["Dormant key woke up after 143 days"]


def test_the_theme_changes_and_changes_back(page: Chrome) -> None:
    def ground() -> Any:
        return page.execute_script("return getComputedStyle(document.body).backgroundColor")

    light = ground()
    page.find_element(By.ID, "theme").click()
    assert (light, ground()) == ("rgb(245, 246, 248)", "rgb(14, 18, 23)")
    page.find_element(By.ID, "theme").click()
    assert ground() == light


def test_paper_is_white_even_where_the_screen_is_dark(page: Chrome) -> None:
    page.find_element(By.ID, "theme").click()
    page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    try:
        model = page.execute_script("return getComputedStyle(document.querySelector('.card')).backgroundColor")
        assert model == "rgb(255, 255, 255)"
        assert not page.find_element(By.CSS_SELECTOR, ".filters").is_displayed()
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_copying_takes_every_record_id_of_the_notable(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    button = page.find_element(By.CSS_SELECTOR, "#n0 .records .copy")
    button.click()
    assert button.text == "Copied"
    box = page.find_element(By.ID, "text")
    box.send_keys(Keys.CONTROL, "v")
    assert str(box.get_property("value")).split() == documents()[0]["record_ids"]


def test_the_list_tells_likelihood_and_severity_and_no_likelihood_where_none_is_claimed(page: Chrome) -> None:
    by_severity = {
        item.get_attribute("data-kind"): item.find_element(By.CSS_SELECTOR, ".likely").text.split()
        for item in reversed(page.find_elements(By.CSS_SELECTOR, ".item"))
    }
    assert by_severity["compromise"] == ["97%", "critical"]
    assert by_severity["posture"] == by_severity["blind_spot"] == ["low"]


def every_call(page: Chrome) -> None:
    """Show routine calls, too."""
    page.find_element(By.XPATH, "//*[@id='n0']//button[text()='Show all calls']").click()


def test_the_timeline_leaves_out_routine_calls_counts_them_and_shows_them_when_asked(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    notable = documents()[0]
    entries = notable["timeline"]
    routine = [entry for entry in entries if entry["points"] < unusual_least(notable)]
    said = page.find_element(By.CSS_SELECTOR, "#n0 .routine")
    calls = sum(entry["count"] for entry in routine)
    assert said.text == f"Left out: {calls} routine calls in {len(routine)} rows."
    assert len(page.find_elements(By.CSS_SELECTOR, "#n0 .event")) == len(entries) - len(routine)
    every_call(page)
    assert len(page.find_elements(By.CSS_SELECTOR, "#n0 .event")) == len(entries)
    page.find_element(By.XPATH, "//*[@id='n0']//button[text()='Show unusual calls only']").click()
    assert len(page.find_elements(By.CSS_SELECTOR, "#n0 .event")) == len(entries) - len(routine)


def test_a_mark_of_the_timeline_tells_its_details_when_it_gets_the_focus(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    every_call(page)
    page.execute_script("document.querySelector('#n0 .timeline .mark').focus()")
    readout = page.find_element(By.CSS_SELECTOR, "#n0 .readout").text
    assert readout == "2026-03-09 02:12 sts:GetCallerIdentity: success from 185.220.101.0/24, +0.60 points"


def test_points_show_what_cannot_be_told_as_hatched_and_not_as_zero(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    row = page.find_element(By.CSS_SELECTOR, "#n0 .points .unknown")
    fill = row.find_element(By.CSS_SELECTOR, ".fill")
    assert "cannot tell" in row.text
    assert fill.value_of_css_property("fill") == 'url("#hatch")'
    assert fill.size["width"] > 10


def test_a_phone_shows_the_list_or_the_notable_and_never_scrolls_sideways(page: Chrome) -> None:
    resize(page, 390, 844)
    try:
        page.find_element(By.CSS_SELECTOR, ".item a").click()
        assert not page.find_element(By.CSS_SELECTOR, ".side").is_displayed()
        for item in ("#n0 .open", "#n0 .hunt .chip", "#n0 .zoom button"):
            page.find_element(By.CSS_SELECTOR, item).click()
        assert page.execute_script("return document.documentElement.scrollWidth") == 390
        boxes = "return [...document.querySelectorAll('#n0 .events .scroll')].map((b) => b.scrollWidth - b.clientWidth)"
        assert page.execute_script(boxes) == [0], "calls, counts and the raw events are reached without a second scroll"
        page.find_element(By.CSS_SELECTOR, "#n0 .back").click()
        assert opened(page) == []
    finally:
        resize(page, 1440, 900)


def test_hostile_values_are_text_and_run_nothing(page: Chrome) -> None:
    page.find_elements(By.CSS_SELECTOR, ".item a")[4].click()
    assert opened(page) == [HOSTILE[0]]
    article = page.find_element(By.ID, "n4").text
    assert "invoice⟨U+202E⟩gpj.exe" in article
    assert "⟨U+001B⟩[31mred⟨U+001B⟩[0m⟨U+0007⟩ bell" in article
    assert "{{ 7*7 }} {% raw %} ${7*7} </script></style><!--" in article
    assert page.execute_script("return typeof window.pwned") == "undefined"
    assert page.execute_script("return document.scripts.length") == 1
    assert page.find_elements(By.CSS_SELECTOR, "img, iframe, object, [onload], [onerror]") == []


@pytest.mark.parametrize(("text", "expected"), HIDDEN)
def test_the_page_writes_hidden_characters_out_as_python_does(page: Chrome, text: str, expected: str) -> None:
    spelled = json.dumps(text)  # the driver's own protocol refuses half a surrogate pair
    assert page.execute_script(f"return visible({spelled})") == expected


def test_links_lead_only_to_the_report_itself(page: Chrome) -> None:
    links = page.execute_script(
        "return [...document.querySelectorAll('[href],[src]')].map("
        "e => e.getAttribute('href') || e.getAttribute('src'))"
    )
    assert len(links) > 24
    assert {link for link in links if not re.fullmatch(r"#[\w%-]*|data:,", link)} == set()


def test_nothing_is_requested_and_nothing_complains(chromium: Chrome, report: Path) -> None:
    chromium.get("about:blank")
    for kind in ("browser", "performance"):
        log(chromium, kind)
    visit(chromium, report)
    for link in chromium.find_elements(By.CSS_SELECTOR, ".item a")[:5]:
        link.click()
    requested = [
        message["params"]["request"]["url"]
        for entry in log(chromium, "performance")
        if (message := json.loads(entry["message"])["message"])["method"] == "Network.requestWillBeSent"
    ]
    assert {url for url in requested if not url.startswith(("data:,", report.as_uri()))} == set()
    assert report.as_uri() in requested
    assert chromium.execute_script("return performance.getEntriesByType('resource').length") == 0
    assert log(chromium, "browser") == []


def test_the_policy_stops_a_script_that_is_not_ours(page: Chrome) -> None:
    page.execute_script(
        "const p = document.createElement('p'); document.body.append(p);"
        "try { p.innerHTML = '<img src=x onerror=window.pwned=1>' }"
        "catch (error) { window.refused = error.name }"
    )
    assert page.execute_script("return [window.refused, typeof window.pwned]") == ["TypeError", "undefined"]
    log(page, "browser")


def test_five_thousand_notables_are_opened_searched_and_clicked(chromium: Chrome, tmp_path: Path) -> None:
    path, notables = tmp_path / "many.html", many(5000)
    path.write_text(render(notables, run(5000), events=originals()), "utf-8")
    assert path.stat().st_size < 10_000_000
    started = time.monotonic()
    visit(chromium, path)
    chromium.find_elements(By.CSS_SELECTOR, ".item a")[3].click()
    assert opened(chromium) == [notables[3]["title"]]
    assert time.monotonic() - started < 30  # two seconds alone; the machine may be shared
    started = time.monotonic()
    press(chromium, "/", notables[4097]["id"])
    assert listed(chromium) == 1
    assert time.monotonic() - started < 40
    chromium.find_element(By.CSS_SELECTOR, ".item a").click()
    assert opened(chromium) == [notables[4097]["title"]]


def worst() -> Any:
    """A notable with everything at its bound."""
    document = documents()[0]
    document["record_ids"] = [f"{number:036d}" for number in range(1000)]
    document["timeline"] = [dict(document["timeline"][0], action=f"service:Action{n}") for n in range(500)]
    document["signals"] = [dict(document["signals"][0], id=f"signal_{n}") for n in range(60)]
    return document


def test_the_bounds_keep_even_five_thousand_of_the_worst_small() -> None:
    document = worst()
    raw = {name: {"file": "f", "line": 1, "cut": False, "raw": digest(name) * 100} for name in document["record_ids"]}
    notables = [altered({**document, "id": digest(str(number))}) for number in range(5000)]
    assert len(render(notables, run(5000), events=raw).encode()) < 10_000_000


def test_an_empty_run_says_so_and_lacks_nothing(chromium: Chrome, tmp_path: Path) -> None:
    path = tmp_path / "empty.html"
    path.write_text(render([], {}), "utf-8")
    log(chromium, "browser")
    visit(chromium, path)
    assert chromium.find_element(By.CSS_SELECTOR, ".empty h2").text == "No notables"
    assert log(chromium, "browser") == []


def test_the_same_run_gives_the_same_bytes() -> None:
    assert render(documents(), run()) == render(documents(), run())


def search(page: Chrome, words: str) -> list[str]:
    """Titles of what a search finds."""
    box = page.find_element(By.ID, "text")
    box.clear()
    box.send_keys(words)
    return [item.find_element(By.CSS_SELECTOR, ".title").text for item in page.find_elements(By.CSS_SELECTOR, ".item")]


@pytest.mark.parametrize(
    "words",
    [
        "185.220.101.0/24",
        "iam:CreateAccessKey",
        "AKIA" + digest("deploy-bot")[:12].upper(),
        "185.220.101.4",
        "md/botocore#1.34 iam:attachuserpolicy",
        '"14 different secrets"',
        "logs/day.json.gz iam:createuser",
    ],
)
def test_search_finds_whatever_the_report_holds(page: Chrome, words: str) -> None:
    assert search(page, words) == ["Stolen key: credential creation from a Tor exit"]
    assert search(page, f"{words} nothing-has-this") == []


def test_a_record_id_is_found_shown_where_and_marked(page: Chrome) -> None:
    name = documents()[2]["timeline"][1]["record_id"]
    assert search(page, name) == ["Session of an ECS task used outside AWS"]
    assert page.find_element(By.CSS_SELECTOR, ".item mark").text == name
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    assert page.execute_script("return CSS.highlights.get('found').size") > 0


def test_the_raw_event_opens_with_file_and_line_and_every_digit(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    every_call(page)
    page.find_elements(By.CSS_SELECTOR, "#n0 .event .open")[3].click()
    opened = page.find_element(By.CSS_SELECTOR, "#n0 .opened")
    assert opened.find_element(By.CSS_SELECTOR, ".where").text == "logs/day.json.gz:10"
    raw = opened.find_element(By.CSS_SELECTOR, ".raw").text
    assert '\n  "bytes": 9007199254740993,\n' in raw
    assert HOSTILE[0] in raw
    assert json.loads(raw)["eventName"] == "iam:CreateUser"
    page.find_elements(By.CSS_SELECTOR, "#n0 .event .open")[3].click()
    assert page.find_elements(By.CSS_SELECTOR, "#n0 .opened") == []


def test_the_head_tells_full_agent_addresses_share_refused_and_both_odd_ends(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    text = page.find_element(By.CSS_SELECTOR, "#n0 .head .facts").text
    for line in (
        "aws-cli/2.15.30 md/Botocore#1.34",
        "2 of 20 unusual calls",
        "02:14:00 UTC iam:ListUsers",
        "02:33:00 UTC secretsmanager:GetSecretValue",
    ):
        assert line in text


def test_the_bars_add_up_from_the_ordinary_day_to_the_likelihood(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    head, _, why = page.find_element(By.ID, "n0").text.partition("Why: what raises the likelihood")
    number = r"([\d.]+)"
    sum_ = rf"an ordinary day −{number}, the signals \+{number}, together \+{number}, which is {number}%"
    match = re.search(sum_, why)
    assert match
    ordinary, added, together, likelihood = map(float, match.groups())
    assert together == pytest.approx(added - ordinary, abs=0.011)
    assert likelihood == pytest.approx(100 / (1 + math.exp(-together)), abs=0.1)
    assert f"{likelihood:.0f}%" in head and "likely" in head and "Severity critical, impact high" in head
    bars = page.find_elements(By.CSS_SELECTOR, "#n0 .points .sum")
    shown = [float(str(bar.get_attribute("textContent"))) for bar in bars]
    assert sum(shown) == pytest.approx(added, abs=0.05)
    assert "Without the records of “Network novelty”: 48.6%" in why


def test_what_adds_little_is_folded(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    assert [name.text for name in page.find_elements(By.CSS_SELECTOR, "#n0 .points .name") if name.is_displayed()] == [
        "Network novelty",
        "Credential created",
        "Secrets read",
        "ATT&CK tactics in sequence",
        "Denied novelty",
        "Agent novelty",
        "Long-lived key in use",
    ]
    page.find_element(By.CSS_SELECTOR, "#n0 .light summary").click()
    assert page.find_elements(By.CSS_SELECTOR, "#n0 .light .name")[0].is_displayed()


def test_lists_are_filtered_by_what_is_new_day_and_identity_and_sorted(page: Chrome) -> None:
    Select(page.find_element(By.ID, "day")).select_by_value("2026-03-10")
    shown = page.find_elements(By.CSS_SELECTOR, ".item")
    assert {row.get_attribute("data-severity") for row in shown} == {"critical"}
    Select(page.find_element(By.ID, "sort")).select_by_value("first_time")
    assert page.find_elements(By.CSS_SELECTOR, ".item .title")[0].text.startswith("LLMjacking")
    Select(page.find_element(By.ID, "day")).select_by_value("")
    Select(page.find_element(By.ID, "identity")).select_by_value(documents()[6]["identity"]["id"])
    assert [web_element.text for web_element in page.find_elements(By.CSS_SELECTOR, ".title")] == [
        "Dormant key woke up after 143 days"
    ]
    Select(page.find_element(By.ID, "identity")).select_by_value("")
    Select(page.find_element(By.ID, "part")).select_by_value("Still open")
    assert listed(page) == sum(n["kind"] == "posture" for n in documents())


def test_the_timeline_zooms_by_buttons_and_by_dragging_and_back(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    picture = page.find_element(By.CSS_SELECTOR, "#n0 .timeline")
    marks = len(picture.find_elements(By.CSS_SELECTOR, ".mark"))
    page.find_element(By.CSS_SELECTOR, "#n0 [title='Zoom in']").click()
    near = picture.get_attribute("data-to")
    assert len(picture.find_elements(By.CSS_SELECTOR, ".mark")) < marks
    wide = picture.size["width"]
    drag = ActionChains(page).move_to_element_with_offset(picture, 0, 0).click_and_hold()
    drag.move_by_offset(wide // 4, 0).release().perform()
    assert str(picture.get_attribute("data-to")) != near
    page.find_element(By.XPATH, "//article//button[text()='All']").click()
    assert len(picture.find_elements(By.CSS_SELECTOR, ".mark")) == marks


def test_what_is_very_odd_is_coloured_and_opens_its_row(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    hot = page.find_elements(By.CSS_SELECTOR, "#n0 .timeline .mark.hot")
    assert len(hot) == sum(entry["points"] >= 3 for entry in documents()[0]["timeline"])
    hot[0].click()
    assert '"eventName": "iam:CreateUser"' in page.find_element(By.CSS_SELECTOR, "#n0 .opened .raw").text


def test_commands_and_searches_are_there_to_copy(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    commands = [code.text for code in page.find_elements(By.CSS_SELECTOR, "#n0 .commands code")]
    named = [shlex.split(line)[1] for line in commands]
    assert named == ["explain", "brief", "respond", "feedback", "note", "feedback"]
    assert {tuple(shlex.split(line)[-4:]) for line in commands} == {("--out", "out of/mine", "--state", "s.sqlite")}
    for language in ("SPL", "ES|QL", "KQL", "jq"):
        page.find_element(By.XPATH, f"//article//button[text()='{language}']").click()
        page.find_element(By.CSS_SELECTOR, f"#n0 [aria-label='Copy {language}: the records behind it']").click()
        box = page.find_element(By.ID, "text")
        box.clear()
        box.send_keys(Keys.CONTROL, "v")
        assert documents()[0]["record_ids"][0] in str(box.get_property("value"))


def saved(page: Chrome, folder: Path, button: str, name: str) -> str:
    """What a button saves."""
    page.execute_cdp_cmd("Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(folder)})
    page.find_element(By.CSS_SELECTOR, button).click()
    WebDriverWait(page, 20, 0.05).until(lambda _: (folder / name).exists() and (folder / name).stat().st_size)
    return (folder / name).read_bytes().decode()


def test_csv_and_json_hold_what_the_list_shows_and_no_formula(page: Chrome, tmp_path: Path) -> None:
    assert len(search(page, "hostile values")) == 1
    [row] = csv.DictReader(io.StringIO(saved(page, tmp_path, "#csv", "notables.csv")))
    assert row["owner"] == "'" + HOSTILE[2]
    assert row["identity"] == HOSTILE[1]
    assert row["title"] == HOSTILE[0]
    [exported] = json.loads(saved(page, tmp_path, "#json", "notables.json"))
    assert exported["identity"]["owner"] == HOSTILE[2]


def test_a_timeline_is_saved_in_the_columns_that_timesketch_reads(page: Chrome, tmp_path: Path) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    short = page.find_element(By.CSS_SELECTOR, "#n0 .crumbs code").text
    text = saved(page, tmp_path, "#n0 .timeline-csv", f"{re.sub(r'[:/]', '_', short)}-timeline.csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert len(rows) == len(documents()[0]["timeline"])
    assert {"datetime", "timestamp_desc", "message"} <= rows[0].keys()
    assert rows[3]["place"] == "logs/day.json.gz:10"


def test_paper_shows_every_notable_that_the_list_shows(page: Chrome) -> None:
    search(page, "lambda")
    page.execute_script("window.print = () => { window.printed = document.querySelectorAll('article').length }")
    wanted = listed(page)
    page.find_element(By.ID, "print-all").click()
    assert page.execute_script("return window.printed") == wanted
    assert opened(page) == []


def test_what_an_intrusion_made_is_not_told_to_be_rotated_and_impact_names_what_counts(
    chromium: Chrome, tmp_path: Path
) -> None:
    (document, *_) = documents()
    built = {**document["controls"][0], "reason": "Remove user/x, which this intrusion made: delete it and its keys."}
    factors = [{"name": "let in", "value": "", "weight": 1.0}, {"name": "privilege", "value": "write", "weight": 1.1}]
    changed = altered({**document, "controls": [built], "impact": {**document["impact"], "factors": factors}})
    path = tmp_path / "made.html"
    path.write_text(render([changed], run()), "utf-8")
    visit(chromium, path).find_element(By.CSS_SELECTOR, ".item a").click()
    assert "Issue a new credential" not in chromium.find_element(By.CSS_SELECTOR, "#n0 .controls").text
    text = chromium.find_element(By.CSS_SELECTOR, "#n0 .pair").text
    assert f"Impact: {document['impact']['level']}; raised by privilege (write)" in text and "refusals" not in text
