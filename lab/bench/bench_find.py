"""`nhi list` and `nhi show` on a state of 100,000 identities: `python lab/bench/bench_find.py [--identities 100000]`.

A simulated company is scored; its machines, with their profiles, days, keys and notables, are then copied through the
store under other names until there are as many as wanted. The commands run as processes, in turn, beside the bare
start-up `nhi --version`: seconds on the clock and of the processor, the least of so many rounds. Promised: under 0.4 s.
"""

from __future__ import annotations

import argparse
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from _bench import nhi, write

from nhi_watch.core.documents import IdentityDocument, NotableDocument
from nhi_watch.core.event import Identity
from nhi_watch.detect.run import ranked
from nhi_watch.report import jsonlines
from nhi_watch.state import inventory
from nhi_watch.state.inventory import Credential, Known
from nhi_watch.state.sqlite import SqliteStore

PROMISED = 0.4
NUMBER = "{:06d}"
Json = dict[str, Any]


def main() -> None:
    """Build, measure and write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--identities", type=int, default=100_000, help="in the state (default: %(default)s)")
    parser.add_argument("--notables", type=int, default=2_000, help="in the list (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="of each command (default: %(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        out = Path(name) / "results"
        known, listed = built(out, args.identities, args.notables)
        name = known.name.rpartition("/")[2]
        commands: dict[str, list[object]] = {
            "nhi --version": ["--version"],
            "nhi list": ["list", "--out", out],
            "nhi list --severity high --csv": ["list", "--severity", "high", "--csv", "--out", out],
            f"nhi list --identity {name}": ["list", "--identity", name, "--out", out],
            f"nhi show {name}": ["show", name, "--out", out],
            "nhi show ID": ["show", known.id, "--out", out],
            "nhi show KEY": ["show", key_of(known), "--out", out],
            "nhi show RANK": ["show", str(listed[len(listed) // 2]["rank"]), "--out", out],
            "nhi show NOTABLE": ["show", listed[-1]["id"], "--out", out],
            "nhi explain NOTABLE": ["explain", listed[-1]["id"], "--out", out],
        }
        for words in commands.values():  # so that all is compiled, and in the disk's cache
            nhi(*words)
        rounds = [{what: nhi(*words) for what, words in commands.items()} for _ in range(args.rounds)]
        size = (out / "state.sqlite").stat().st_size
    least = {what: [min(times[what][at] for times in rounds) for at in (0, 1)] for what in commands}
    write(
        {
            "identities": args.identities,
            "notables": args.notables,
            "state_bytes": size,
            "seconds_and_processor": least,
        }
    )
    for what, (seconds, processor) in least.items():
        late = "  over what is promised" if processor > PROMISED else ""
        print(f"{seconds:7.3f} s, processor {processor:6.3f} s  {what}{late}")


# ---- the state


def built(out: Path, identities: int, notables: int) -> tuple[Identity, list[NotableDocument]]:
    """Results of so many identities and notables; one of the identities, and the list."""
    data = out.parent / "data"
    nhi("simulate", "--days", 5, "--machines", 40, "--campaigns", 6, "--seed", 7, "--out", data)
    nhi("score", data / "events", "--out", out, "--budget", 300)
    store = SqliteStore(out / "state.sqlite")
    machines = [known for known in inventory.identities(store).values() if known.identity.kind in ("role", "user")]
    templates = [(known, list(rows_of(store, known.identity.id))) for known in machines]
    built: list[Known] = []
    for number, (known, rows) in enumerate(templates):
        tails = range(number, identities, len(templates))
        fresh = [copy_of(known, tail) for tail in tails]
        inventory.keep(store, map(credential_of, fresh), identities=fresh)
        for table, key, raw in rows:  # one after the other by key, which a file takes in soonest
            store.put(table, ((key + NUMBER.format(tail), raw) for tail in tails))
        store.commit()
        built += fresh
    store.close()
    rest = list(jsonlines.read(out / "notables.jsonl"))
    copies = (notable_of(rest[number % len(rest)], built[number], number) for number in range(notables))
    ordered = ranked(copies)
    jsonlines.write(out / "notables.jsonl", ordered)
    return built[identities // 2].identity, ordered


def rows_of(store: SqliteStore, name: str) -> Iterator[tuple[str, str, bytes]]:
    """Table, key and row of what is kept of an identity."""
    for table in ("profile", "delta", "day"):
        days = sorted({key[:7] for key, _ in store.scan(table, "0", ":")}) if table != "profile" else [""]
        for key, raw in store.get(table, [day + name for day in days]).items():
            yield table, key, raw


def copy_of(known: Known, number: int) -> Known:
    """The same identity under another id and name."""
    identity = known.identity
    tail = NUMBER.format(number)
    return known._replace(identity=identity._replace(id=identity.id + tail, name=f"{identity.name}-{tail}"))


def key_of(identity: Identity) -> str:
    """The id of its long-lived key."""
    return f"AKIA{identity.id[-6:]:A>16}"


def credential_of(known: Known) -> Credential:
    """Its long-lived key."""
    return Credential(key_of(known.identity), (known.identity,), known.first, known.last, ())


def notable_of(item: NotableDocument, known: Known, number: int) -> NotableDocument:
    """A notable of another identity."""
    identity: IdentityDocument = {**item["identity"], "id": known.identity.id, "name": known.identity.name}
    return {**item, "id": f"{number:x}".rjust(6, "a") + item["id"][6:], "identity": identity, "members": []}


if __name__ == "__main__":
    main()
