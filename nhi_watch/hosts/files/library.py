"""`nhi_watch.score`: what `nhi score` does, as a function."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Union

from nhi_watch.context.context import NO_CONTEXT, Context
from nhi_watch.detect import model as models
from nhi_watch.detect.engine import BUDGET
from nhi_watch.detect.run import Result
from nhi_watch.detect.session import Session
from nhi_watch.hosts.codec import use_orjson
from nhi_watch.hosts.files import reader
from nhi_watch.intake import sources
from nhi_watch.intake.sources import AnySource
from nhi_watch.state.store import MemoryStore, Store

Given = Union[str, "os.PathLike[str]", Mapping[str, Any]]
"""A file or folder of logs, or one record of a log."""


def score(
    given: Union[str, os.PathLike[str], Iterable[Given]],
    *,
    store: Union[Store, None] = None,
    read_by: Sequence[AnySource] = (),
    context: Context = NO_CONTEXT,
    budget: float = BUDGET,
    model: Union[Path, None] = None,
) -> Result:
    """Score logs: files, folders, or records as a log delivers them.

    Args:
        given: paths, records, or a mixture of both.
        store: what is remembered between runs; None: nothing is. What is put there is committed.
        read_by: the sources that read the records; none: all that ship.
        context: the customer's own assets, networks and reputation lists.
        budget: notables a day per 1,000 identities with a history.
        model: another model's folder; None: the shipped one.

    Raises:
        InputError: a path cannot be read.
        ModelError: the model does not match its manifest.
        StoreError: the store cannot be used.
    """
    use_orjson()
    used = MemoryStore() if store is None else store
    loaded = models.load(model or models.FOLDER)
    session = Session(used, read_by or sources.every(), context, model=loaded, budget=budget)
    for item in [given] if isinstance(given, (str, os.PathLike)) else given:
        if isinstance(item, Mapping):
            session.feed([item])
        else:
            _read(Path(item), session)
    result = session.finish()
    session.confirm(result.events)
    used.commit()
    return result


def _read(path: Path, session: Session) -> None:
    for batch in reader.read([str(path)]):
        for piece in batch.bad:
            session.batch.reject(piece.reason)
        session.feed(batch.records)
