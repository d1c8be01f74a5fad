"""Writes the generated pages of docs/ from the code; `--check` fails where one is stale."""

from __future__ import annotations

import csv
import io
import sys
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType

import source_fields
import walk
from layout import ORDER, ROOT
from nhi_watch.core import registry
from nhi_watch.detect import model
from nhi_watch.detect.signals import SIGNALS, Signal, of

DOCS = ROOT / "docs"
MARK = "<!-- Written by `make docs`: change the code, not this page. -->"
ABOUT_SIGNALS = """reasons why a behaviour, an episode (one identity's day) or several linked identities are
unusual or risky. A name links to the file of its theme. A value of 0 is ordinary, larger is worse; *cannot tell* means
that the telemetry for it is missing, and has points of its own. Title, meaning, value, frameworks and what each needs
of the Event: [signals.csv](signals.csv)."""
ABOUT_SOURCES = """For anyone who connects a log, adds one, or asks what a missing field costs. The head of each
source's file, to which its name links, says who acts, what is read of each call, and why records are rejected. How much
is read: of [real records](method/sources_measured.md).

**Which field feeds what**: [sources.csv](sources.csv), to filter (`grep '^gitlab,'`); what a signal needs:
[signals](signals.md). Every record needs a time and an action; one without an identity is nobody's (`anonymous`)."""
HEAD = ["source", "what it reads", "Elasticsearch indices"]
ADD_SOURCE = """## Adding a source

1. `nhi_watch/intake/sources/NAME.py`. What it offers is in [sources](../nhi_watch/intake/sources/__init__.py), what
   an Event holds in [event](../nhi_watch/core/event.py). [`build_event`](../nhi_watch/intake/sources/__init__.py) fills
   in what a log lacks. [`shapes/`](../nhi_watch/intake/shapes) has what every source needs: `forms.claimant` (is
   it mine?), `forms.native` (shapes of Splunk and Elastic), `values.moment` (times), `values.filled`, `values.bound`
   (record ids, which are mandatory). `gitlab.py` is one to copy. A trait does nothing until a signal looks at it.
2. `tests/data/sources/NAME.jsonl`, a sample a line: `{"shape": …, "group": 1, "record": …, "event": …}`, or `"reject"`
   with the reason; `event` holds what is checked of the Event. Eight of shape `native` or more; one group also as
   `splunk` or `splunk_raw` and as `ecs`.
3. For Splunk its sourcetypes in `default/macros.conf`: `nhi_json_logs`, or `nhi_field_logs` where `_raw` is not JSON.
4. `make docs`, then `.venv/bin/python -m pytest tests/test_source*.py tests/test_splunk_conf.py`: a failure says what
   is missing. Then `make check`.

Tried from a fresh clone with three simulated services: 51 to 81 lines; three files by hand, two by `make docs`."""
ABOUT_SCHEMAS = """Each is one module of `nhi_watch/intake/schemas/`: what lakes and pipelines keep in it is read as the
product's own record, by the product's source ([what OCSF loses](method/ocsf.md))."""
ADD_SIGNAL = (
    """## Adding a signal

1. A function in the file of its theme in `nhi_watch/detect/signals/`, named as the signal, under a decorator, or a row
   of the theme's `TABLE`. What it offers is in [signals](../nhi_watch/detect/signals/__init__.py), what it looks at
   (`View`, `EpisodeView`) and what several share in [the kit](../nhi_watch/detect/signals/_kit.py). Kinds of calls are
   distinguished by `shape.access`, and by class and act as `context/tables/calls.json` has them. Counts are told as
   log2(1 + n). An episode signal that may fire although each call and place is ordinary needs `on_ordinary_days=True`.
2. `tests/data/signals/NAME.jsonl`, a sample a line, as beside it: `{"sample": "what it is", "history": …, "events": …,
   "fires": true}`; one that fires, and one that does not. A part of a history is `{"ago": [30, 1], "events": […]}`.
3. Its sentences, as people read them, in `tests/data/sentences.csv`.
4. `make docs`, `.venv/bin/python -m pytest tests/test_signals.py tests/test_sentences.py`, `make check`. Until
   `nhi train` has made a model that knows it, it counts zero points and says so."""
    ""
)
ABOUT_NEEDS = """What a signal *needs* there is besides an identity, a time and an action: without it the signal is
silent or *cannot tell*; *in part*: some of its cases are."""


def main(arguments: list[str]) -> int:
    """Exit code: 1 if `--check` found a stale page, else 0."""
    every = list(pages())
    stale = [path for path, text in every if not path.exists() or path.read_text("utf-8") != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)}: {'stale, run make docs' if '--check' in arguments else 'written'}")
    if "--check" in arguments:
        return int(bool(stale))
    for path, text in every:
        path.write_text(text, "utf-8")
    return 0


def pages() -> Iterator[tuple[Path, str]]:
    """Every generated page and what it should say; a page about what does not exist yet is left out."""
    yield DOCS / "decisions" / "README.md", page("Decisions", decisions())
    yield DOCS / "architecture.md", page("Architecture", walk.page(ORDER))
    writers: dict[str, Callable[[], Iterable[str]]] = {"signals": signals, "sources": sources}
    for name, write in writers.items():
        yield DOCS / f"{name}.md", page(name.capitalize(), write())
    yield DOCS / "sources.csv", fields()
    yield DOCS / "signals.csv", signal_details()


def page(title: str, lines: Iterable[str]) -> str:
    """A page with its title and its mark."""
    return "\n".join([f"# {title}", "", MARK, "", *lines]).rstrip() + "\n"


def decisions() -> Iterator[str]:
    """A link to each decision record, in order."""
    yield "For anyone who asks why something is as it is.\n"
    for path in sorted((DOCS / "decisions").glob("[0-9]*.md")):
        title = path.read_text("utf-8").partition("\n")[0].lstrip("# ")
        yield f"- [{title}]({path.name})"


def signals() -> Iterator[str]:
    """The signals in a table."""
    yield from [f"For detection engineers: {len(SIGNALS)} {ABOUT_SIGNALS}", "", ABOUT_NEEDS, ""]
    mute = [f"`{signal.name}`" for signal in SIGNALS if signal.name not in model.load().signals]
    if mute:
        yield from [f"The model that ships was trained without {', '.join(mute)}: zero points, until one knows it.", ""]
    for scope in sorted({signal.scope for signal in SIGNALS}):
        yield f"**{scope}**: {', '.join(signal_link(signal) for signal in SIGNALS if scope == signal.scope)}.\n"
    yield ADD_SIGNAL


def signal_details() -> str:
    """CSV: all that is told of each signal."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["signal", "title", "meaning", "value", "looks at", "frameworks", "control", "needs"])
    for signal in SIGNALS:
        about = [" ".join(signal.meaning.split()), signal.counts, signal.scope, ", ".join(signal.frameworks)]
        rows.writerow([signal.name, signal.title, *about, signal.control, source_fields.needs_told(signal)])
    return out.getvalue()


def signal_link(signal: Signal) -> str:
    """Its name, linked to its file."""
    theme = next(theme for theme in registry.modules("nhi_watch.detect.signals") if signal in of(theme))
    return f"[`{signal.name}`](../{theme.__name__.replace('.', '/')}.py)"


def sources() -> Iterator[str]:
    """The log sources in a table, and the schemas in which other tools keep their records."""
    yield from [ABOUT_SOURCES, ""]
    yield from table(HEAD, map(source_row, registry.modules("nhi_watch.intake.sources")))
    yield from ["", "## Common schemas", "", ABOUT_SCHEMAS, "", *schemas(), "", ADD_SOURCE]


def source_row(module: ModuleType) -> list[str]:
    """One row of the table of sources: its name links to the file, whose first line tells what it reads."""
    head = meaning(module).partition("\n")[0]
    return [link(module), head, code(module.ELASTIC_INDICES)]


def link(module: ModuleType) -> str:
    """The name of a plug-in, which leads to its file."""
    path = Path(module.__file__ or "")
    place = f"../{path.relative_to(ROOT)}" if path.is_relative_to(ROOT) else path.name
    return f"[`{module.NAME}`]({place})"


def fields() -> str:
    """CSV: each field of each log, what it feeds, and what a record is without it."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["source", "field", "feeds", "without it"])
    for module in registry.modules("nhi_watch.intake.sources"):
        rows.writerows([module.NAME, *row] for row in source_fields.about_source(module))
    return out.getvalue()


def schemas() -> Iterator[str]:
    """The common schemas in a table."""
    schemas = registry.modules("nhi_watch.intake.schemas")
    return table(["schema", *HEAD[1:]], map(source_row, schemas))


def meaning(module: ModuleType) -> str:
    """The docstring of a module."""
    return (module.__doc__ or "").strip()


def code(names: Iterable[str]) -> str:
    """Names as code.

    >>> code(["a", "b"])
    '`a`, `b`'
    """
    return ", ".join(f"`{name}`" for name in names)


def table(head: list[str], rows: Iterable[list[str]]) -> Iterator[str]:
    """A Markdown table; a bar inside a cell is escaped.

    >>> list(table(["a", "b"], [["1", "x|y"]]))
    ['| a | b |', '|---|---|', '| 1 | x\\\\|y |']
    """
    yield "| " + " | ".join(head) + " |"
    yield "|" + "---|" * len(head)
    for row in rows:
        yield "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
