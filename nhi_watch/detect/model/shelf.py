"""Models that were installed, each in a folder of its own, and which of them is in use: so that one can go back.

    models/history.jsonl        one line for each switch, the latest last; never rewritten
    models/3f1eb33308ab/        scorecard.json, manifest.json, reference.json, named by the scorecard's SHA-256

The shelf lies beside the state. Where it is empty, the model that ships is in use.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Optional

from nhi_watch.core.errors import InputError, ModelError
from nhi_watch.detect.model import FOLDER, MANIFEST, SCORECARD, load
from nhi_watch.detect.model.order import ORDER

NAME = "models"
HISTORY = "history.jsonl"
FILES = (SCORECARD, MANIFEST, "reference.json", ORDER)
SHIPPED = "shipped"
_LETTERS = 12


class Switch(NamedTuple):
    """One line of the history."""

    time: str
    """RFC 3339."""
    what: str
    """use | rollback"""
    sha256: str
    """Of the scorecard that is in use from then on."""
    id: str
    by: str


def beside(state: Path) -> Path:
    """The shelf that belongs to a state."""
    return state.parent / NAME


def in_use(shelf: Path) -> Path:
    """The folder of the model in use.

    Raises:
        ModelError: it is no longer on the shelf.
    """
    stack = _stack(shelf)
    return _folder(shelf, stack[-1].sha256) if stack else FOLDER


def put(shelf: Path, folder: Path) -> Path:
    """Copy a model onto the shelf, after it was verified; it is not in use yet. Returns its folder there.

    Raises:
        ModelError: it does not match its manifest, or is of a later version.
    """
    card = load(folder)
    there = shelf / card.sha256[:_LETTERS]
    there.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        if (folder / name).exists() and (folder / name).resolve() != (there / name).resolve():
            shutil.copyfile(folder / name, there / name)
    load(there)
    return there


def use(shelf: Path, folder: Path, now: str, by: str) -> Switch:
    """Put a model onto the shelf and score with it from now on."""
    card = load(put(shelf, folder))
    return _append(shelf, Switch(now, "use", card.sha256, card.id, by))


def rollback(shelf: Path, now: str, by: str) -> Switch:
    """Go back to the model that was in use before the latest.

    Raises:
        InputError: the model that ships is in use: there is nothing before it.
        ModelError: that model is damaged, or gone.
    """
    stack = _stack(shelf)
    if not stack:
        raise InputError(f"{shelf}: the model that ships is in use, there is none before it")
    card = load(_folder(shelf, stack[-2].sha256) if len(stack) > 1 else FOLDER)
    return _append(shelf, Switch(now, "rollback", card.sha256, card.id, by))


def history(shelf: Path) -> list[Switch]:
    """All switches, the earliest first.

    Raises:
        ModelError: the history is damaged.
    """
    path = shelf / HISTORY
    if not path.exists():
        return []
    try:
        return [Switch(**json.loads(line)) for line in path.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError, TypeError) as error:
        raise ModelError(f"{path}: cannot be read ({error}); name the model with --model") from error


def find(shelf: Path, name: str) -> Path:
    """The folder of a model by what people call it: a folder, `shipped`, or the beginning of an id or SHA-256.

    Raises:
        InputError: none or several are meant.
    """
    if name == SHIPPED:
        return FOLDER
    if (Path(name) / SCORECARD).exists():
        return Path(name)
    found = {_sha256(folder): folder for folder in _folders(shelf) if _is_named(folder, name)} if name else {}
    if len(found) != 1:
        raise InputError(f"{len(found)} models begin with {name[:60]!r}; see `nhi model history`, or give a folder")
    return next(iter(found.values()))


def by_hash(shelf: Path, sha256: str) -> Optional[Path]:
    """The folder of a scorecard, on the shelf or shipped; None where it is neither."""
    return next((f for f in (FOLDER, *_folders(shelf)) if _sha256(f) == sha256), None)


def _folders(shelf: Path) -> Iterator[Path]:
    return (path.parent for path in sorted(shelf.glob(f"*/{SCORECARD}"))) if shelf.is_dir() else iter(())


def _is_named(folder: Path, name: str) -> bool:
    return folder.name.startswith(name) or str(_manifest(folder).get("id", "")).startswith(name)


def _sha256(folder: Path) -> str:
    return str(_manifest(folder).get("sha256", ""))


def _manifest(folder: Path) -> dict[str, object]:
    try:
        plain = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError):
        return {}
    return plain if isinstance(plain, dict) else {}


def _folder(shelf: Path, sha256: str) -> Path:
    found = by_hash(shelf, sha256)
    if found is None:
        raise ModelError(f"{shelf}: the model {sha256[:_LETTERS]} is not there any more; see `nhi model use`")
    return found


def _stack(shelf: Path) -> list[Switch]:
    """The models to go back through, the one in use last."""
    stack: list[Switch] = []
    for switch in history(shelf):
        if switch.what == "rollback":
            del stack[-1:]
        else:
            stack.append(switch)
    return stack


def _append(shelf: Path, switch: Switch) -> Switch:
    shelf.mkdir(parents=True, exist_ok=True)
    line = json.dumps(switch._asdict()) + "\n"
    with (shelf / HISTORY).open("a", encoding="utf-8") as file:
        file.write(line)
        file.flush()
        os.fsync(file.fileno())
    return switch
