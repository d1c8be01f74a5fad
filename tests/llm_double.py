"""An OpenAI-compatible endpoint for tests, built from the API's documentation: chat completions in one piece.

What it says is up to a function from the request to the answer's text. `plain` rephrases the facts as a language model
would, with its own habits: it was not written to please the verifier.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
Speaker = Callable[[Json], str]
_FACT = re.compile(r"(f\d+) \| ([^|]+) \| (.+)")


class Misbehaving:
    """Ways not to answer."""

    HANG, DRIP, HTML, REFUSE, BROKEN, FLOOD, SHUT, REDIRECT = range(8)


@contextmanager
def endpoint(speaker: Speaker, fault: int = -1) -> Iterator[tuple[str, list[Json]]]:
    """Its URL up to /v1, and the requests that it got."""
    met: list[Json] = []
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            met.append({**body, "path": self.path, "authorization": self.headers.get("Authorization", "")})
            try:
                if fault >= 0:
                    _misbehave(self, fault, over)
                else:
                    _say(self, {"choices": [{"index": 0, "message": {"content": speaker(body)}}]})
            except (BrokenPipeError, ConnectionResetError):
                pass

        def log_message(self, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1", met
    finally:
        over.set()
        server.shutdown()
        server.server_close()


def _say(handler: BaseHTTPRequestHandler, answer: Json) -> None:
    _head(handler, 200, "application/json")
    handler.wfile.write(json.dumps(answer).encode())


def _head(handler: BaseHTTPRequestHandler, status: int, kind: str) -> None:
    handler.send_response(status)
    handler.send_header("Content-Type", kind)
    handler.send_header("Location", "http://127.0.0.1:9/v1")
    handler.end_headers()


def _misbehave(handler: BaseHTTPRequestHandler, fault: int, over: threading.Event) -> None:
    if fault == Misbehaving.HANG:
        over.wait(30)
    elif fault == Misbehaving.DRIP:
        _head(handler, 200, "application/json")
        while not over.wait(0.05):
            handler.wfile.write(b":")
    elif fault == Misbehaving.FLOOD:
        _head(handler, 200, "application/json")
        until = time.monotonic() + 5
        while not over.is_set() and time.monotonic() < until:
            handler.wfile.write(b"x" * 65_536)
    elif fault == Misbehaving.HTML:
        _head(handler, 200, "text/html; charset=utf-8")
        handler.wfile.write(b"<html><script>alert(1)</script></html>")
    elif fault == Misbehaving.REFUSE:
        _head(handler, 500, "application/json")
    elif fault == Misbehaving.BROKEN:
        _say(handler, {"choices": 3})
    elif fault == Misbehaving.REDIRECT:
        _head(handler, 302, "application/json")


def facts(request: Json) -> list[tuple[str, str, str]]:
    """(id, section, sentence) of the facts in a request."""
    result = (_FACT.fullmatch(line) for line in request["messages"][-1]["content"].splitlines())
    return [(match[1], match[2], match[3]) for match in result if match]


def copying(request: Json) -> str:
    """It repeats every fact."""
    return "\n".join(f"{text} [{name}]" for name, _, text in facts(request))


HABITS: tuple[tuple[str, str], ...] = (
    (r"^The call (\S+) was made at", r"\1 was called at"), (r"^The call", "An API request"),
    (r"was made at", "was observed at"), (r"was never seen with this identity before", "is new for this identity"),
    (r"was never seen", "was never observed"), (r"with outcome", "and resulted in"), (r"would be", "would then be"),
    (r"is of kind", "is a"), (r"The owner of the identity is not known", "No owner is known for the identity"),
    (r"^The notable", "Notable"), (r"holds", "contains"), (r"mandatory", "required"), (r"records", "events"),
    (r"its status is", "currently stands at"), (r"raises the impact", "makes it worse"),
    (r"points", "points to the score"),
    (r"could not be evaluated", "had no data"), (r"their telemetry is missing", "their telemetry is unavailable"),
    (r", from (\S+) to (\S+)\.", r" between \1 and \2."), (r"^The identity", "Identity"), (r"^The", "This"),
)  # fmt: skip
_OPENERS = ("Notably, ", "In addition, ", "Additionally, ", "", "", "", "", "")


def plain(request: Json, seed: int = 1) -> str:
    """It rephrases each fact: synonyms, other clauses, openers, and sometimes two in one."""
    dice, lines = random.Random(seed), []
    numbered = facts(request)
    while numbered:
        name, section, text = numbered.pop(0)
        names = [name]
        for pattern, other in dice.sample(HABITS, 8):
            text = re.sub(pattern, other, text)
        if numbered and numbered[0][1] == section and dice.random() < 0.15:
            more, _, other = numbered.pop(0)
            text, names = f"{text.rstrip('.')} and {other[0].lower()}{other[1:]}", [name, more]
        lines.append(f"{dice.choice(_OPENERS)}{text} [{', '.join(names)}]")
    return "\n".join(lines)
