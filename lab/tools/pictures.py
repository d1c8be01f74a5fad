"""Makes the pictures of the docs from a folder that `make demo` filled: the report, and the terminal.

    python lab/tools/pictures.py out/demo docs/pictures

The notable that is opened is the highest of those that hold records of an incident: none is a false alarm.
"""

from __future__ import annotations

import io
import json
import sys
import tempfile
from pathlib import Path

from rich.console import Console

from nhi_watch.report import jsonlines, terminal
from screenshot import browser, take

_PAGE = """<!doctype html><meta charset="utf-8"><style>body{{margin:0;background:{background};color:{foreground};
padding:20px 24px}}pre{{font:14px/1.35 'DejaVu Sans Mono',monospace;margin:0}}{stylesheet}</style><pre>{code}</pre>"""
_SIZES = {"report": (1440, 900, False), "report_dark": (1440, 900, True), "report_phone": (390, 844, False)}


def true_one(folder: Path) -> str:
    """The beginning of the id of the listed notable with the highest likelihood that holds records of an incident."""
    incidents = json.loads((folder / "data" / "labels.json").read_text("utf-8"))["incidents"]
    records = {name for incident in incidents for name in incident["record_ids"]}
    true_notables = [item for item in jsonlines.read(folder / "notables.jsonl") if records & set(item["record_ids"])]
    return str(max(true_notables, key=lambda item: item["likelihood"])["id"])[:6]


def listing(folder: Path) -> str:
    """What `nhi score` prints, as a page."""
    console = Console(record=True, width=100, force_terminal=True, file=io.StringIO())
    run = next(jsonlines.read(folder / "run.json"))
    console.print(f"$ nhi score logs/ --out {folder.name}")
    terminal.show(list(jsonlines.read(folder / "notables.jsonl")), run, console)
    return console.export_html(code_format=_PAGE)


def main(folder: Path, out: Path) -> None:
    """Write every picture."""
    opened = true_one(folder)
    for name, (width, height, dark) in _SIZES.items():
        with browser(width, height, dark=dark) as driver:
            take(driver, folder / "report.html", out / f"{name}.png", opened)
    with tempfile.TemporaryDirectory() as built, browser(900, 850) as driver:
        page = Path(built) / "terminal.html"
        page.write_text(listing(folder), "utf-8")
        take(driver, page, out / "terminal.png", None)


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
