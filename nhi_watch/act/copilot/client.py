"""Asking a language model through an OpenAI-compatible endpoint (`POST …/chat/completions`), streamed and bounded."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import httpx

from nhi_watch.core.errors import NhiError

LETTERS_A_TOKEN = 8
"""More than any language needs; an answer longer than the budget by this measure is cut off."""
BYTES_A_TOKEN = 2_000
"""More than servers wrap a single token of a stream in: llama.cpp takes 300."""
_CONNECT = 10.0


class EndpointError(NhiError):
    """The endpoint did not answer as it should; the brief goes on without it."""


class Endpoint(NamedTuple):
    """Where to ask, and what it may cost."""

    url: str
    """Up to and including `/v1`."""
    model: str
    key: str = ""
    seconds: float = 60.0
    """In all."""
    tokens: int = 2_000
    """Of the answer."""


def ask(endpoint: Endpoint, system: str, user: str, on_text: Callable[[str], None] = lambda text: None) -> str:
    """The answer; `on_text` is given each piece as it comes.

    Raises:
        EndpointError: it hangs, refuses, or answers something else.
    """
    body = {
        "model": endpoint.model, "stream": True, "temperature": 0, "max_tokens": endpoint.tokens,
        "messages": [{"role": "system", "content": system}, {"role": "user", "content": user}],
    }  # fmt: skip
    headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    until = time.monotonic() + endpoint.seconds
    # A model on a small machine reads the whole prompt before it says its first word: silence is no hanging.
    limits = httpx.Timeout(endpoint.seconds, connect=min(_CONNECT, endpoint.seconds))
    try:
        with httpx.Client(timeout=limits, follow_redirects=False, trust_env=False) as client:
            where = f"{endpoint.url.rstrip('/')}/chat/completions"
            with client.stream("POST", where, json=body, headers=headers) as answer:
                return _answer(endpoint, answer, until, on_text)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise EndpointError(f"the endpoint does not answer ({type(error).__name__})") from error


def _answer(endpoint: Endpoint, answer: httpx.Response, until: float, on_text: Callable[[str], None]) -> str:
    kind = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    if answer.status_code != 200:
        raise EndpointError(f"the endpoint refuses (status {answer.status_code})")
    if kind not in ("text/event-stream", "application/json"):
        raise EndpointError(f"the endpoint answers {kind[:60] or 'something'!r} instead of text/event-stream")
    room, parts = endpoint.tokens * LETTERS_A_TOKEN, []
    for piece in _pieces(_lines(answer, until, endpoint.tokens * BYTES_A_TOKEN + 65_536), kind):
        parts.append(piece[:room])
        room -= len(parts[-1])
        on_text(parts[-1])
        if room <= 0:
            break
    return "".join(parts)


def _lines(answer: httpx.Response, until: float, most: int) -> Iterator[str]:
    """The lines of the answer as they come, within time and size."""
    held = b""
    for chunk in answer.iter_bytes():
        most -= len(chunk)
        if time.monotonic() > until:
            raise EndpointError("the endpoint takes too long")
        if most < 0:
            raise EndpointError("the endpoint answers too much")
        held += chunk
        *whole, held = held.split(b"\n")
        yield from (line.decode("utf-8", "replace").strip() for line in whole)
    yield held.decode("utf-8", "replace").strip()


def _pieces(lines: Iterator[str], kind: str) -> Iterator[str]:
    if kind == "application/json":
        yield _text(" ".join(lines), "message")
        return
    for line in lines:
        data = line[5:].strip() if line.startswith("data:") else ""
        if data == "[DONE]":
            return
        if data:
            yield _text(data, "delta")


def _text(data: str, name: str) -> str:
    try:
        told: Any = json.loads(data)
        choices = told["choices"]
        text = choices[0].get(name, {}).get("content") if choices else None
    except (ValueError, KeyError, TypeError, AttributeError, IndexError) as error:
        raise EndpointError("the endpoint's answer is not in the form of chat completions") from error
    return text if isinstance(text, str) else ""
