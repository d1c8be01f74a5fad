"""Draws the dashboards that dashboards.py filled, with Splunk's own framework, in headless Chromium.

    python lab/tools/board_pictures.py out/dashboards docs/pictures

The packages of @splunk/dashboard-core (Apache-2.0) are installed by npm into out/dashboards/framework, once; nothing of
them ships.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from selenium import webdriver

from screenshot import browser

PACKAGES = (
    "@splunk/dashboard-core@29.6.0",
    "@splunk/dashboard-presets@29.6.0",
    "@splunk/dashboard-context@29.6.0",
    "@splunk/dashboard-state@29.6.0",
    "@splunk/visualization-context@28.6.0",
    "react@18.3.1",
    "react-dom@18.3.1",
    "react-is@18.3.1",
    "styled-components@5.3.11",
    "esbuild@0.25.0",
)
SCRIPT = """\
import React from 'react';
import { createRoot } from 'react-dom/client';
import { SplunkThemeProvider } from '@splunk/themes';
import DashboardCore from '@splunk/dashboard-core';
import { DashboardContextProvider } from '@splunk/dashboard-context';
import preset from '@splunk/dashboard-presets/EnterpriseViewOnlyPreset';
createRoot(document.getElementById('board')).render(
  <SplunkThemeProvider family="enterprise" colorScheme="dark" density="comfortable">
    <DashboardContextProvider preset={preset} initialDefinition={window.BOARD}>
      <DashboardCore width="100%" height="100%" initialMode="view" />
    </DashboardContextProvider>
  </SplunkThemeProvider>);
"""
PAGE = """<!doctype html><meta charset="utf-8">
<style>html,body,#board{{margin:0;height:100%;background:#0b0c0e}}</style>
<div id="board"></div><script>window.BOARD={board}</script><script src="framework/board.js"></script>"""
WIDTH, INPUTS = 1386, 120
"""Pixels: of a page, and of the row of inputs above a dashboard."""


def main(arguments: Sequence[str]) -> int:
    """Draw each definition in a folder."""
    folder, pictures = map(Path, arguments)
    _framework(folder / "framework")
    for path in sorted(folder.glob("nhi_*.json")):
        definition = json.loads(path.read_text("utf-8"))
        page = path.with_suffix(".html")
        page.write_text(page_of(definition), "utf-8")
        with browser(WIDTH, height(definition), dark=True) as driver:
            driver.get(page.resolve().as_uri())
            (pictures / f"{path.stem}.png").write_bytes(_settled(driver))
        print(pictures / f"{path.stem}.png")
    return 0


def page_of(definition: dict[str, Any]) -> str:
    """A dashboard as a page; what its rows say ends no script.

    >>> "</script><b>" in page_of({"title": "</script><b>"})
    False
    """
    return PAGE.format(board=json.dumps(definition).replace("<", "\\u003c"))


def height(definition: dict[str, Any]) -> int:
    """Pixels that a dashboard takes."""
    places = (each["position"] for each in definition["layout"]["structure"])
    return INPUTS + int(max(at["y"] + at["h"] for at in places))


def _framework(folder: Path) -> None:
    if (folder / "board.js").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "page.jsx").write_text(SCRIPT, "utf-8")
    (folder / "package.json").write_text('{"private": true}\n', "utf-8")
    npm = ["npm", "--prefix", str(folder)]
    subprocess.run([*npm, "install", "--no-audit", "--no-fund", "--no-package-lock", *PACKAGES], check=True)
    loaders = [f"--loader:.{kind}=dataurl" for kind in ("svg", "png", "woff", "woff2")]
    line = ["node_modules/.bin/esbuild", "page.jsx", "--bundle", "--minify", "--outfile=board.js", *loaders]
    more = ['--define:process.env.NODE_ENV="production"', "--define:global=window", "--loader:.css=empty"]
    subprocess.run([*line, *more], cwd=folder, check=True)


def _settled(driver: webdriver.Chrome) -> bytes:
    """The picture once nothing moves any more."""
    before, same = b"", 0
    for _ in range(60):
        time.sleep(1)
        now = driver.get_screenshot_as_png()
        same = same + 1 if now == before else 0
        before = now
        if same >= 5:
            break
    return before


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
