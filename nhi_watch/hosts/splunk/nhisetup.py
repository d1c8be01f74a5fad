"""The generating search command nhisetup: the steps of setting up, for the page Set up and for the search bar.

It changes macros and searches of this app with the rights of who runs it, through splunk-sdk.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from splunklib import client, results
from splunklib.binding import HTTPError, handler
from splunklib.searchcommands import Configuration, GeneratingCommand, Option, dispatch, validators

from nhi_watch.core.errors import NhiError
from nhi_watch.core.timestamps import DAY
from nhi_watch.hosts.splunk import steps
from nhi_watch.hosts.splunk.rest import APP, authorities, trust

_FAILED = ("FAILED", "INTERNAL_CANCEL", "USER_CANCEL", "BAD_INPUT_CANCEL", "QUIT")


class SearchHead:
    """What the steps need of a search head, by way of splunk-sdk."""

    def __init__(self, service: client.Service) -> None:
        self._service = service

    def oneshot(self, search: str, earliest: int = 0, latest: int = 0) -> list[Mapping[str, str]]:
        """The rows of a search, over a stretch of time if one is given."""
        times = {"earliest_time": earliest, "latest_time": latest} if latest else {}
        text = search if search.startswith("|") else f"search {search}"
        stream = self._service.jobs.oneshot(text, output_mode="json", count=0, **times)
        return [row for row in results.JSONResultsReader(stream) if isinstance(row, dict)]

    def macro(self, name: str) -> str:
        """A macro's definition."""
        return str(self._service.confs["macros"][name]["definition"])

    def set_macro(self, name: str, definition: str) -> None:
        """Give a macro a definition."""
        self._service.confs["macros"][name].update(definition=definition)

    def enable(self, name: str) -> None:
        """Enable a saved search."""
        self._service.saved_searches[name].enable()

    def enabled(self, name: str) -> bool:
        """Whether a saved search is."""
        return str(self._service.saved_searches[name]["disabled"]) in ("0", "False", "false")

    def run(self, name: str, earliest: int, latest: int) -> bool:
        """Run a saved search's text over a stretch of time, and wait for its end."""
        text = str(self._service.saved_searches[name]["search"])
        job = self._service.jobs.create(
            text if text.lstrip().startswith("|") else f"search {text}",
            earliest_time=earliest,
            latest_time=latest,
            allow_partial_results="0",
            label=name,
        )
        while not job.is_done():
            time.sleep(steps._PAUSE)
        return str(job["dispatchState"]) not in _FAILED and str(job["isFailed"]) not in ("1", "true", "True")

    def done(self) -> set[str]:
        """Keys of the lookup nhi_steps."""
        return {row["_key"] for row in self._service.kvstore["nhi_steps"].data.query()}

    def note(self, key: str) -> None:
        """Keep a key there."""
        self._service.kvstore["nhi_steps"].data.batch_save({"_key": key, "time": int(time.time())})

    def forget(self, name: str, query: Mapping[str, object]) -> None:
        """Delete rows of a lookup in the KV store."""
        self._service.kvstore[name].data.delete(query=json.dumps(query))


@Configuration()
class NhiSetupCommand(GeneratingCommand):  # type: ignore[misc]
    """The command: `do` says which step."""

    do = Option(
        default="status",
        validate=validators.Set("status", "find", "indexes", "sample", "backfill", "enable", "reconcile"),
    )
    indexes = Option(default="")
    days = Option(default="30", validate=validators.Integer(1, steps.LONGEST))
    show = Option(default="on", validate=validators.Set("on", "off"))
    es = Option(default="off", validate=validators.Set("on", "off"))

    def generate(self) -> Iterator[steps.Row]:
        """The rows of the step, as it goes on."""
        try:
            yield from self._step(SearchHead(connect(self.metadata.searchinfo)))
        except (NhiError, HTTPError) as error:
            self.write_error(str(error))
        except OSError as error:
            self.write_error(f"nhisetup: splunkd does not answer: {error}")
        except KeyError as error:
            self.write_error(f"nhisetup: this app has no {error}, or your role may not read it: give it nhi_admin")

    def _step(self, splunk: SearchHead) -> Iterator[steps.Row]:
        if self.do == "find":
            return steps.find(splunk)
        if self.do == "indexes":
            return steps.name_indexes(splunk, self.indexes)
        if self.do == "sample":
            return steps.show_sample(splunk, self.show == "on")
        if self.do == "backfill":
            return steps.backfill(splunk, int(self.days), int(time.time()) // DAY)
        if self.do == "reconcile":
            return steps.reconcile(splunk, int(time.time()))
        if self.do == "enable":
            return steps.enable(splunk, [*steps.ALWAYS, *(steps.SECURITY if self.es == "on" else ())])
        return steps.status(splunk)


def connect(metadata: object) -> client.Service:
    """The search head, its certificate verified, with the session of who searches.

    Raises:
        NhiError: there is no session, or no certificate of an authority.
    """
    uri, key = str(getattr(metadata, "splunkd_uri", "")), str(getattr(metadata, "session_key", ""))
    if not uri or not key:
        raise NhiError("nhisetup: splunkd gave no session: run it in the search bar of a search head")
    parts = urlsplit(uri)
    return client.Service(
        handler=handler(context=trust(uri, *authorities())),
        scheme=parts.scheme,
        host=parts.hostname,
        port=parts.port or 8089,
        token=key,
        owner="nobody",
        app=APP,
    )


def main() -> None:
    """Answer splunkd until it has had enough."""
    dispatch(NhiSetupCommand, sys.argv, sys.stdin, sys.stdout, "__main__")
