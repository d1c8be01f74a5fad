"""Golden answers: what the list says of the demo, of worlds and of real logs, to be compared between two versions.

    python lab/tools/golden.py record out/golden/before      # of this tree
    python lab/tools/golden.py compare out/golden/before out/golden/after

A case is a JSON file: the listed notables in their order, each with id, title, severity, likelihood and signals. Where
a version writes a likelihood under another name, both are looked for. Inputs are made once, beside the answers.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SHARED = ROOT.parent / "shared" / "data"
HANDS = ("second", "third", "fourth", "fifth")
SEEDS = (1, 2)
DRAWN = (3001, 3002)
NOT_LOGS = {"calibration", "knowledge"}

Json = dict[str, Any]


class Case(NamedTuple):
    """What is scored."""

    name: str
    make: tuple[str, ...]
    """What of `nhi` writes the logs, without its --out; (): they are there."""
    path: Path
    """Its logs; below the folder of inputs where they are made."""


def cases(inputs: Path) -> Iterator[Case]:
    """All cases: the demo, two seeds of each world, every folder of real logs that is here."""
    demo = ("simulate", "--days", "14", "--machines", "120", "--seed", "7", "--campaigns", "8")
    yield Case("demo", demo, inputs / "demo" / "events")
    for seed in DRAWN:
        drawn = ("simulate", "--world", str(seed))
        yield Case(f"drawn-{seed}", drawn, inputs / f"drawn-{seed}" / "events")
    for kind in HANDS:
        for seed in SEEDS:
            command = ("simulate", "--world", str(seed), "--hand", kind)
            yield Case(f"{kind}-{seed}", command, inputs / f"{kind}-{seed}" / "events")
    folders = sorted(SHARED.iterdir()) if SHARED.is_dir() else []
    trails = sorted((SHARED / "cloudtrail").iterdir()) if folders else []
    for path in [*(f for f in folders if f.is_dir() and f.name not in {*NOT_LOGS, "cloudtrail"}), *trails]:
        yield Case(f"real-{path.stem}", (), path)


def record(folder: Path, inputs: Path, only: Sequence[str]) -> None:
    """Score every case with the tree that this file is in."""
    folder.mkdir(parents=True, exist_ok=True)
    for case in cases(inputs):
        if only and not any(case.name.startswith(word) for word in only):
            continue
        if case.make and not case.path.exists():
            _run(*case.make, "--out", str(case.path.parent))
        scored = score(case.path)
        (folder / f"{case.name}.json").write_text(json.dumps(scored, indent=1, ensure_ascii=False) + "\n", "utf-8")
        print(f"{case.name}: {len(scored['notables'])} listed, {scored['run']['events']:,} events")


def score(path: Path) -> Json:
    """The list of one run over some logs."""
    with tempfile.TemporaryDirectory() as out:
        done = _run("score", str(path), "--out", out, ok=(0, 2))
        if done.returncode:
            return {"notables": [], "run": {"events": 0}, "refused": done.stderr.strip()[-300:]}
        lines = (Path(out) / "notables.jsonl").read_text("utf-8").splitlines()
        run = json.loads((Path(out) / "run.json").read_text("utf-8"))
    names = ("read", "parsed", "duplicates", "events", "rejected", "identities", "notables")
    counts = {name: run[name] for name in names}
    return {"notables": [_brief(json.loads(line)) for line in lines], "run": counts}


def _brief(written: Json) -> Json:
    chance = written["likelihood"] if "likelihood" in written else written["score"]
    signals = [
        signal["id"] for signal in written["signals"] if signal.get("points", 0) > 0 or signal.get("log_odds", 0) > 0
    ]
    return {
        "id": written["id"],
        "title": written["title"],
        "kind": written["kind"],
        "severity": written["severity"],
        "likelihood": chance,
        "signals": signals,
    }


def _run(*arguments: str, ok: Sequence[int] = (0,)) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "import sys; from nhi_watch.cli import main; sys.exit(main())", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode not in ok:
        sys.exit(f"nhi {' '.join(arguments)}: {done.stderr.strip()[-2000:]}")
    return done


def compare(before: Path, after: Path) -> int:
    """Print what differs; returns the number of cases that do."""
    names = sorted({path.name for folder in (before, after) for path in folder.glob("*.json")})
    differ = 0
    for name in names:
        if not (before / name).exists() or not (after / name).exists():
            print(f"{name}: only in {before if (before / name).exists() else after}")
            differ += 1
            continue
        lines = list(differences(*(json.loads((folder / name).read_text("utf-8")) for folder in (before, after))))
        differ += bool(lines)
        for line in lines:
            print(f"{Path(name).stem}: {line}")
    print(f"{differ} of {len(names)} cases differ")
    return differ


def differences(before: Json, after: Json) -> Iterator[str]:
    """What differs between two answers, a line each.

    >>> one = {"id": "a", "title": "t", "kind": "compromise", "severity": "low", "likelihood": 1.0, "signals": []}
    >>> list(differences({"notables": [one]}, {"notables": [{**one, "title": "u"}]}))
    ["a: title 't' -> 'u'"]
    >>> list(differences({"notables": [one]}, {"notables": []}))
    ['gone: a low 1.0 t']
    """
    for name in before.get("run", {}):
        if before["run"][name] != after["run"].get(name):
            yield f"run.{name} {before['run'][name]} -> {after['run'].get(name)}"
    old, new = ({notable["id"]: notable for notable in answers["notables"]} for answers in (before, after))
    for word, here, there in (("gone", old, new), ("new", new, old)):
        for name in here:
            if name not in there:
                item = here[name]
                yield f"{word}: {name} {item['severity']} {item['likelihood']} {item['title']}"
    for name in old:
        for field in ("title", "kind", "severity", "likelihood", "signals") if name in new else ():
            if old[name][field] != new[name][field]:
                yield f"{name}: {field} {old[name][field]!r} -> {new[name][field]!r}"
    both = [[name for name in item if name in other] for item, other in ((old, new), (new, old))]
    if both[0] != both[1]:
        yield f"order {both[0]} -> {both[1]}"


def main() -> int:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parts = parser.add_subparsers(dest="what", required=True)
    recording = parts.add_parser("record", help="score all cases with this tree")
    recording.add_argument("folder", type=Path)
    recording.add_argument("--inputs", type=Path, help="where made logs are kept (default: FOLDER/../inputs)")
    recording.add_argument("--only", nargs="*", default=[], help="beginnings of cases' names")
    looked = parts.add_parser("compare", help="say what differs")
    looked.add_argument("before", type=Path)
    looked.add_argument("after", type=Path)
    args = parser.parse_args()
    if args.what == "record":
        record(args.folder, args.inputs or args.folder.resolve().parent / "inputs", args.only)
        return 0
    return int(compare(args.before, args.after) > 0)


if __name__ == "__main__":
    sys.exit(main())
