"""Parquet files, as Amazon Security Lake writes them: rows in batches, by pyarrow where it is installed.

A few hundred bytes may claim any number of rows, and name one long value in each of them. So a file that claims far
more than it is large is refused, and rows are made in parts of bounded size: until then each text is held once.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Iterator
from typing import Any, BinaryIO

import orjson

from nhi_watch.hosts.files.reader.batch import Batch, Where, bad
from nhi_watch.hosts.files.reader.lines import LINE_LIMIT

MAGIC = b"PAR1"
INSTALL = "Parquet; install pyarrow (the extra `parquet` of nhi_watch), or convert it to JSON, one record a line"
_ROWS = 1000
_VALUES, _DENSE = 5_000_000, 20
"""Values that any file may have, and values a byte that a larger one may: nothing takes less than 0.1 in real ones."""
_UNPACKED, _RATIO = 256 * 1024 * 1024, 200
"""The same of bytes when unpacked."""
_WIDTH = 64 * 1024
"""Bytes of a value of fixed width: such values are not held once."""


def is_parquet(head: bytes) -> bool:
    """Whether a file begins as Parquet does, and can be read here."""
    return head.startswith(MAGIC) and importlib.util.find_spec("pyarrow") is not None


def read_parquet(name: str, file: BinaryIO) -> Iterator[Batch]:
    """Batches of a file's rows; what is damaged ends it, and is reported.

    Maps come as lists of pairs, times as text.
    """
    arrow: Any = importlib.import_module("pyarrow")
    row, left = 0, file.seek(0, 2)
    try:
        for part, size in _parts(file, left):
            if size > LINE_LIMIT:
                text = f"a row of {size} bytes; a record may have {LINE_LIMIT}"
                yield Batch(name, 0, [], None, [bad(Where(name, row + 1), "line_too_long", b"", text, size)], left)
            else:
                pieces = [orjson.dumps(row, default=repr) for row in part.to_pylist()]
                yield Batch(name, row + 1, list(map(orjson.loads, pieces)), None, [], left, pieces)
            row, left = row + part.num_rows, 0
    except (arrow.ArrowException, OSError, ValueError, OverflowError) as error:  # the last: of dates
        damage = bad(Where(name, row + 1), "corrupt_parquet", b"", f"{str(error)[:200]}; copy the file again", 0)
        yield Batch(name, 0, [], None, [damage], left)


def _parts(file: BinaryIO, size: int) -> Iterator[tuple[Any, int]]:
    """Arrow's batches and the bytes of their texts: of at most LINE_LIMIT, or of one row.

    Raises:
        ValueError: the file claims more than it can hold.
    """
    parquet: Any = importlib.import_module("pyarrow.parquet")
    table = parquet.ParquetFile(file)
    _demand(table.metadata, size)
    names = [table.schema.column(n).path for n in range(len(table.schema))]
    once = parquet.ParquetFile(file, metadata=table.metadata, read_dictionary=names)
    for batch in once.iter_batches(batch_size=_ROWS):
        for part, text_size in _halves(batch):
            yield part if text_size > LINE_LIMIT else _plain(part, table.schema_arrow), text_size


def _plain(part: Any, schema: Any) -> Any:
    """With each text for itself, from which rows are made four times as fast, where Arrow knows how."""
    arrow: Any = importlib.import_module("pyarrow")
    try:
        return part.cast(schema)
    except arrow.ArrowNotImplementedError:  # of views
        return part


def _demand(claimed: Any, size: int) -> None:
    """Refuse what a log of this size cannot hold."""
    groups = [claimed.row_group(n) for n in range(claimed.num_row_groups)]
    columns = [group.column(n) for group in groups for n in range(group.num_columns)]
    values = max(claimed.num_rows, sum(column.num_values for column in columns))
    unpacked = sum(column.total_uncompressed_size for column in columns)
    width = max((claimed.schema.column(n).length for n in range(len(claimed.schema))), default=0)
    if values > max(_VALUES, _DENSE * size) or unpacked > max(_UNPACKED, _RATIO * size) or width > _WIDTH:
        raise ValueError(f"claims {values:,} values of {unpacked:,} bytes in {size:,} bytes, more than any log does")


def _halves(batch: Any) -> Iterator[tuple[Any, int]]:
    size = _text(batch)
    if batch.num_rows > 1 and size > LINE_LIMIT:
        half = batch.num_rows // 2
        yield from _halves(batch.slice(0, half))
        yield from _halves(batch.slice(half))
    else:
        yield batch, size


def _text(batch: Any) -> int:
    """Bytes of the texts in a batch, each as often as it stands there."""
    return sum(map(_text_of, batch.columns))


def _text_of(array: Any) -> int:
    types: Any = importlib.import_module("pyarrow.types")
    compute: Any = importlib.import_module("pyarrow.compute")
    if types.is_dictionary(array.type):
        return compute.sum(compute.binary_length(array.dictionary).take(array.indices)).as_py() or 0
    if not types.is_nested(array.type):
        return 0
    if types.is_struct(array.type) or types.is_fixed_size_list(array.type):
        inside = array.flatten()
        return sum(map(_text_of, inside if types.is_struct(array.type) else [inside]))
    first, last = (array.offsets[0].as_py(), array.offsets[-1].as_py()) if len(array) else (0, 0)
    inside = [array.keys, array.items] if types.is_map(array.type) else [array.values]
    return sum(_text_of(each.slice(first, last - first)) for each in inside)
