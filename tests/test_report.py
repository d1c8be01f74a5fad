"""The HTML report, opened and used in a real headless Chromium."""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from need import need
from nhi_watch.report.html import render
from notable_samples import HOSTILE, documents, many, run
from screenshot import browser, resize


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chrome]:
    need(shutil.which("chromedriver"), "needs chromium and chromium-driver (apt)")
    with browser(1440, 900) as driver:
        yield driver


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(documents(), run()), "utf-8")
    return path


@pytest.fixture
def page(chromium: Chrome, report: Path) -> Chrome:
    chromium.get("about:blank")
    chromium.get(report.as_uri())
    return chromium


def log(page: Chrome, kind: str) -> list[dict[str, Any]]:
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
    assert listed(page) == 3
    page.find_element(By.CSS_SELECTOR, ".chip.low").click()
    assert listed(page) == 5
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
        card = page.execute_script("return getComputedStyle(document.querySelector('.card')).backgroundColor")
        assert card == "rgb(255, 255, 255)"
        assert not page.find_element(By.CSS_SELECTOR, ".filters").is_displayed()
    finally:
        page.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})


def test_copying_takes_every_record_id_of_the_notable(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    button = page.find_element(By.CSS_SELECTOR, "#n0 .copy")
    button.click()
    assert button.text == "Copied"
    box = page.find_element(By.ID, "text")
    box.send_keys(Keys.CONTROL, "v")
    assert str(box.get_property("value")).split() == documents()[0]["record_ids"]


def test_a_score_just_below_a_band_is_not_rounded_into_it(page: Chrome) -> None:
    item = page.find_elements(By.CSS_SELECTOR, ".item")[3]
    assert item.find_element(By.CSS_SELECTOR, ".score").text == "79"
    assert item.get_attribute("data-severity") == "high"


def test_a_mark_of_the_timeline_tells_its_details_when_it_gets_the_focus(page: Chrome) -> None:
    page.find_element(By.CSS_SELECTOR, ".item a").click()
    page.execute_script("document.querySelector('#n0 .timeline .mark').focus()")
    readout = page.find_element(By.CSS_SELECTOR, "#n0 .readout").text
    assert readout == "2026-03-09 02:12 sts:GetCallerIdentity: success from 185.220.101.0/24, +0.20 points"


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
        assert page.execute_script("return document.documentElement.scrollWidth") == 390
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


def test_links_lead_only_to_the_report_itself(page: Chrome) -> None:
    links = page.execute_script("return [...document.querySelectorAll('[href],[src]')].map("
                                "e => e.getAttribute('href') || e.getAttribute('src'))")
    assert len(links) > 24
    assert {link for link in links if not re.fullmatch(r"#(list|n\d+)?|data:,", link)} == set()


def test_nothing_is_requested_and_nothing_complains(chromium: Chrome, report: Path) -> None:
    chromium.get("about:blank")
    for kind in ("browser", "performance"):
        log(chromium, kind)
    chromium.get(report.as_uri())
    for link in chromium.find_elements(By.CSS_SELECTOR, ".item a")[:5]:
        link.click()
    requested = [
        message["params"]["request"]["url"]
        for entry in log(chromium, "performance")
        if (message := json.loads(entry["message"])["message"])["method"] == "Network.requestWillBeSent"
    ]
    assert {url for url in requested if not url.startswith(("data:,", report.as_uri()))} == set()
    assert requested[0] == report.as_uri()
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


def test_five_hundred_notables_open_fast_and_stay_small(chromium: Chrome, tmp_path: Path) -> None:
    path = tmp_path / "many.html"
    path.write_text(render(many(500), run(500)), "utf-8")
    assert path.stat().st_size < 15_000_000
    started = time.monotonic()
    chromium.get(path.as_uri())
    chromium.find_elements(By.CSS_SELECTOR, ".item a")[3].click()
    assert time.monotonic() - started < 6  # two seconds alone; the machine may be shared
    assert chromium.execute_script("return document.querySelectorAll('.item').length") == 500


def worst() -> dict[str, Any]:
    """A notable with everything at its bound."""
    document = documents()[0]
    document["record_ids"] = [f"{number:036d}" for number in range(1000)]
    document["timeline"] = [dict(document["timeline"][0], action=f"service:Action{n}") for n in range(500)]
    document["signals"] = [dict(document["signals"][0], id=f"signal_{n}") for n in range(60)]
    return document


def test_the_bounds_keep_even_the_worst_five_hundred_small() -> None:
    document = worst()
    assert len(render([document] * 500, run(500)).encode()) < 15_000_000


def test_an_empty_run_says_so_and_lacks_nothing(chromium: Chrome, tmp_path: Path) -> None:
    path = tmp_path / "empty.html"
    path.write_text(render([], {}), "utf-8")
    log(chromium, "browser")
    chromium.get(path.as_uri())
    assert chromium.find_element(By.CSS_SELECTOR, ".empty h2").text == "Nothing to report"
    assert log(chromium, "browser") == []


def test_the_same_run_gives_the_same_bytes() -> None:
    assert render(documents(), run()) == render(documents(), run())
