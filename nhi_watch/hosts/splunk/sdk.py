"""What the commands that answer little share: splunk-sdk speaks the protocol, the options' checks are ours.

The SDK's own answer to a wrong option does not say what to write instead; nhi_watch/hosts/splunk/options.py does.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Union

from splunklib.searchcommands import ReportingCommand, StreamingCommand, dispatch
from splunklib.searchcommands.search_command import SearchCommand

from nhi_watch.core.errors import NhiError
from nhi_watch.core.gc_pause import few_collections
from nhi_watch.hosts.splunk.columns import Columns
from nhi_watch.hosts.splunk.lines import Row
from nhi_watch.hosts.splunk.protocol import Messages, Search
from nhi_watch.hosts.splunk.rows import Cell

Record = Mapping[str, Union[str, list[str]]]
Line = dict[str, Cell]


class Told(SearchCommand):  # type: ignore[misc]
    """Options as words, and messages as they are."""

    def start(self, search: Search) -> None:
        """Check what holds for all rows; raises InputError when an argument is wrong."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Say what is wrong with an option. A reporting command of the SDK would ask to be run on indexers too."""
        info = self.metadata.searchinfo
        words = Search(self.fieldnames, info.earliest_time, info.latest_time, info.username or "")
        try:
            self.start(words)
        except NhiError as error:
            self.error_exit(error, str(error).replace("{", "{{").replace("}", "}}"))

    def tell(self, messages: Messages) -> None:
        """Show messages below the search bar; braces in them stand for themselves."""
        for level, text in messages:
            self._record_writer.write_message(level, "{}", text)

    def _protocol_v2_option_parser(self, arg: str) -> list[str]:
        return [arg]

    def _read_csv_records(self, ifile: Iterable[str]) -> Iterator[Record]:
        """Without NUL, which the csv module of Python 3.9 refuses."""
        rows: Iterator[Record] = super()._read_csv_records(line.replace("\0", "") for line in ifile)
        return rows

    def _report_unexpected_error(self) -> None:
        if isinstance(sys.exc_info()[1], BrokenPipeError):
            raise  # the search was stopped: there is nobody to tell
        super()._report_unexpected_error()


class Reporting(Told, ReportingCommand):  # type: ignore[misc]
    """Takes in every row, answers when they have ended."""

    def take(self, columns: Columns, row: Row) -> None:
        """Take in a row."""
        raise NotImplementedError

    def answer(self) -> tuple[list[str], Iterable[Line], Messages]:
        """Names of the fields, rows, and what to tell."""
        raise NotImplementedError

    def reduce(self, records: Iterable[Record]) -> Iterator[Line]:
        """Called for each chunk."""
        for columns, row in placed(records):
            self.take(columns, row)
        if self._finished:
            names, lines, messages = self.answer()
            yield from (whole(names, line) for line in lines)
            self.tell(messages)


class Streaming(Told, StreamingCommand):  # type: ignore[misc]
    """Answers each row by itself, on the search head: lib/ does not go to the indexers."""


def placed(records: Iterable[Record]) -> Iterator[tuple[Columns, Row]]:
    """Rows with where their fields stand.

    >>> [(columns.cell(row, "b"), columns.cell(row, "c")) for columns, row in placed([{"a": "1", "b": ["x", "y"]}])]
    [('x\\ny', '')]
    """
    names: Row = []
    columns = Columns(names)
    for record in records:
        if names != list(record):
            names = list(record)
            columns = Columns(names)
        yield columns, [cell if isinstance(cell, str) else "\n".join(cell) for cell in record.values()]


def whole(names: Iterable[str], line: Mapping[str, Cell]) -> Line:
    """A row with every field: the SDK takes the first row's for those of all. Half characters become "?".

    >>> whole(["a", "b"], {"a": "\\ud800"})
    {'a': '?', 'b': ''}
    """
    return {name: _whole(line.get(name, "")) for name in names}


def _whole(cell: Cell) -> Cell:
    if isinstance(cell, str):
        return cell.encode("utf-8", "replace").decode()
    return [value.encode("utf-8", "replace").decode() for value in cell]


def main(command: Any) -> None:
    """Answer splunkd until it has had enough; a search that is stopped closes our pipes, which is no error of ours."""
    try:
        with few_collections():
            dispatch(command, sys.argv, sys.stdin, sys.stdout, "__main__")
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
