"""Writes the generated pages of docs/ from the code; `--check` fails where one is stale.

`--words` counts the words outside tables of each page, and of all.
"""

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
from nhi_watch.detect.signals import SIGNALS, of

DOCS = ROOT / "docs"
MARK = "<!-- Written by `make docs`: change the code, not this page. -->"
ABOUT_SIGNALS = """reasons why a behaviour, an episode (one identity's day) or several linked identities are
unusual or risky. A value of 0 is ordinary, larger is worse; *cannot tell*: the log lacks what the signal needs
([glossary](glossary.md)). Title, meaning, value, frameworks, and what each needs besides an identity, a time and an
action: [signals.csv](signals.csv)."""
ABOUT_SOURCES = """For anyone who connects a log, adds one, or asks what a missing field costs. Each name links to the
source's module, whose docstring says who acts, what is read of each call, and why records are rejected. How much of
real logs is read: [measured](method/sources_measured.md).

**Which field feeds what**: [sources.csv](sources.csv), to filter (`grep '^gitlab,'`). Every record needs a time and an
action; one without an identity belongs to `anonymous`."""
HEAD = ["source", "what it reads", "Elasticsearch indices"]
ADD_SOURCE = """## Adding a source

1. `nhi_watch/intake/sources/NAME.py`. What it must define is in
   [sources](../nhi_watch/intake/sources/__init__.py), what an Event holds in [event](../nhi_watch/core/event.py).
   `SOURCE` in [test_source_added.py](../tests/test_source_added.py) is the shortest one, `gitlab.py` has everything.
   - [`shapes/`](../nhi_watch/intake/shapes) has what every source needs: `forms.claimant` (is it mine?),
     `forms.native` and `forms.rebuild` (Splunk's and Elastic's shapes), `values.moment` (times), `values.build_event`
     (fills in what a log lacks).
   - `action` is `service:Operation`, stripped: `plain(…).strip()`. `identity.id` begins with the
     provider; `human` is "" for machines, `account` "" if the log has none; a record that names nobody gets the kind
     `anonymous`.
   - `record_id` is the log's own id; where a client can choose it, `values.bound`; if the log has none,
     `values.derived_id`.
   - A trait does nothing until a signal looks at it.
2. `tests/data/sources/NAME.jsonl`, one sample a line: `{"shape": …, "group": 1, "record": …, "event": …}`, where
   `event` holds the fields to check, or `"reject"` and the reason instead. Samples of one group are the same record in
   several shapes, and give equal Events; one group needs `native`, `splunk` or `splunk_raw`, and `ecs`. Some eight
   native samples are needed, more if records have few fields (80 values together).
3. For Splunk its sourcetypes in `default/macros.conf`: `nhi_json_logs`, or `nhi_field_logs` where `_raw` is not JSON.
4. `make docs`, then `.venv/bin/python -m pytest tests/test_source*.py tests/test_splunk_conf.py -k NAME`, then the same
   without `-k`, and `make check`. Failures say what is missing."""
ABOUT_SCHEMAS = """Each is one module of `nhi_watch/intake/schemas/`: records that lakes and pipelines keep in it are
read as the product's own, by the product's source ([what OCSF loses](method/ocsf.md))."""
ADD_SIGNAL = """## Adding a signal

1. In the file of its theme in `nhi_watch/detect/signals/`: a function named as the signal, under the decorator
   `signal`, or a row of the theme's `TABLE`: `kind_of_call` (a call of a sensitivity class is new), `new_value` (a
   value is new for the identity), `unknown_value` (and rare in the tenant), `counted` (how many different things a day
   shows). `Signal`, `View` and `EpisodeView` are in [the kit](../nhi_watch/detect/signals/_kit.py).
   - `None` is *cannot tell*; counts are returned as log2(1 + n).
   - Kinds of calls: `key.access`, and class and act by `nhi_watch/context/tables/calls.json`.
   - Profiles know the dimensions of [baseline](../nhi_watch/state/baseline.py); those of peers and the tenant only
     `SHARED`.
   - An episode signal that may fire although each call and network is ordinary needs `on_ordinary_days=True`.
2. `tests/data/signals/NAME.jsonl`, one sample a line: `{"sample": "what it is", "history": …, "events": …,
   "fires": true}`; at least one `true` and one `false`, `"cannot tell"` for `None`; `"evidence"` is part of its
   sentence. An event names what differs from `CALL` in [core_samples.py](../tests/core_samples.py), with `"time":
   "10:00"`, `who` and `repeat`. `{"ago": [30, 1], "events": […]}` in a history repeats events from 30 days ago to
   yesterday.
3. Its sentences in `tests/data/sentences.csv`, after reading them: `said`; `where` is `title` or the sample's name;
   `before` stays empty. The failing test prints the rows.
4. `make docs`, `.venv/bin/python -m pytest tests/test_signals.py tests/test_sentences.py tests/test_coverage.py`, and
   `make check`. Until `nhi train` has made a model that knows the signal, it counts zero points."""


def main(arguments: list[str]) -> int:
    """Exit code: 1 if `--check` found a stale page, else 0."""
    if "--words" in arguments:
        counts = {path: words(path.read_text("utf-8")) for path in sorted(DOCS.rglob("*.md"))}
        for path, count in sorted(counts.items(), key=lambda item: -item[1]):
            print(f"{count:6,}  {path.relative_to(ROOT)}")
        print(f"{sum(counts.values()):6,}  in all")
        return 0
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


def words(text: str) -> int:
    """Words of a page outside its tables, code included; a mark such as `-` or `**` alone is none.

    >>> words("# Title\\n\\n- one, two\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |\\n```\\nnhi list\\n```\\n")
    5
    """
    lines = (line for line in text.splitlines() if not line.lstrip().startswith("|"))
    return sum(any(letter.isalnum() for letter in word) for line in lines for word in line.split())


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
    """The signals in a table by theme, and how to add one."""
    yield from [f"For detection engineers: {len(SIGNALS)} {ABOUT_SIGNALS}", ""]
    mute = [f"`{signal.name}`" for signal in SIGNALS if signal.name not in model.load().signals]
    if mute:
        yield from [f"The shipped model was trained without {', '.join(mute)}: zero points.", ""]
    yield from table(["theme", "signals"], map(theme_row, registry.modules("nhi_watch.detect.signals")))
    yield from ["", ADD_SIGNAL]


def signal_details() -> str:
    """CSV: all that is said of each signal."""
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(["signal", "title", "meaning", "value", "looks at", "frameworks", "control", "needs"])
    for signal in SIGNALS:
        about = [" ".join(signal.meaning.split()), signal.counts, signal.scope, ", ".join(signal.frameworks)]
        rows.writerow([signal.name, signal.title, *about, signal.control, source_fields.needs_in_words(signal)])
    return out.getvalue()


def theme_row(theme: ModuleType) -> list[str]:
    """A row of the table of signals: the file of a theme, and its signals in order."""
    path = Path(theme.__file__ or "").relative_to(ROOT)
    return [f"[`{path.stem}`](../{path})", code(sorted(signal.name for signal in of(theme)))]


def sources() -> Iterator[str]:
    """The log sources in a table, and the schemas in which other tools keep their records."""
    yield from [ABOUT_SOURCES, ""]
    yield from table(HEAD, map(source_row, registry.modules("nhi_watch.intake.sources")))
    yield from ["", "## Common schemas", "", ABOUT_SCHEMAS, "", *schemas(), "", ADD_SOURCE]


def source_row(module: ModuleType) -> list[str]:
    """One row of the table of sources: its name links to the file, whose first line says what it reads."""
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
