"""Parquet files, as Amazon Security Lake writes them: rows in batches, by pyarrow where it is installed."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson

from nhi_watch.hosts.files.reader.batch import Batch, Where, bad

MAGIC = b"PAR1"
INSTALL = "Parquet; install pyarrow (the extra `parquet` of nhi_watch), or convert it to JSON, one record a line"
_ROWS = 1000


def is_parquet(head: bytes) -> bool:
    """Whether a file begins as Parquet does, and can be read here."""
    return head.startswith(MAGIC) and importlib.util.find_spec("pyarrow") is not None


def read_parquet(name: str, file: BinaryIO) -> Iterator[Batch]:
    """Batches of a file's rows; what is damaged ends it, and is told.

    Maps come as lists of pairs, times as text.
    """
    arrow: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    row, left = 0, file.seek(0, 2)
    try:
        for batch in parquet.ParquetFile(file).iter_batches(batch_size=_ROWS):
            pieces = [orjson.dumps(one, default=repr) for one in batch.to_pylist()]
            yield Batch(name, row + 1, list(map(orjson.loads, pieces)), None, [], left, pieces)
            row, left = row + len(pieces), 0
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:  # the last: of dates
        damage = bad(Where(name, row + 1), "corrupt_parquet", b"", f"{str(error)[:200]}; copy the file again", 0)
        yield Batch(name, 0, [], None, [damage], left)
