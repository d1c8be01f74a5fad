"""Opens a report in headless Chromium and writes a picture of it.

python lab/tools/screenshot.py report.html docs/pictures/report.png [--open 06cd76] [--dark] [--size 1440x900]
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.support.ui import WebDriverWait

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
)


@contextmanager
def browser(width: int, height: int, *, dark: bool = False) -> Iterator[webdriver.Chrome]:
    """A Chromium with a profile of its own and a page of exactly this size."""
    with tempfile.TemporaryDirectory() as profile:
        options = webdriver.ChromeOptions()
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
        # The system's driver where there is one: without it selenium would look for a download.
        service = webdriver.ChromeService(shutil.which("chromedriver"))
        driver = webdriver.Chrome(options=options, service=service)
        try:
            resize(driver, width, height)
            scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
            driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
            yield driver
        finally:
            driver.quit()


def resize(driver: webdriver.Chrome, width: int, height: int) -> None:
    """Lay the page out at this size, as a phone does where it is narrow."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


def take(driver: webdriver.Chrome, report: Path, picture: Path, opened: str | None) -> None:
    """Write the picture of a page; of a report with one notable opened, by its short id, or with the overview."""
    driver.get(report.resolve().as_uri() + ("" if opened is None else f"#{opened}"))
    unpacked = "return !document.getElementById('data') || document.documentElement.dataset.ready"
    WebDriverWait(driver, 30, 0.05).until(lambda page: page.execute_script(unpacked))
    picture.parent.mkdir(parents=True, exist_ok=True)
    picture.write_bytes(driver.get_screenshot_as_png())


def main(arguments: list[str]) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Write a picture of a report.")
    parser.add_argument("report", type=Path)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--open", metavar="ID", help="short id of the notable to open")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--size", default="1440x900", help="WIDTHxHEIGHT, in pixels")
    given = parser.parse_args(arguments)
    width, height = map(int, given.size.split("x"))
    with browser(width, height, dark=given.dark) as driver:
        take(driver, given.report, given.picture, given.open)


if __name__ == "__main__":
    main(sys.argv[1:])
