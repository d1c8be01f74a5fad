"""Functions that remember their answers, but nothing that somebody has made long: what is remembered takes memory."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import Any, TypeVar, cast

LONGEST = 2_048
"""Characters of what is asked, above which an answer is not remembered. Those of real records have some hundred: a
memory of 16,384 answers would otherwise hold as many texts of megabytes, of records that are long gone."""
T = TypeVar("T")


class _LongError(Exception):
    """Carries an answer past a memory, which keeps none of a call that raises."""

    def __init__(self, answer: object) -> None:
        super().__init__()
        self.answer = answer


def remembered(most: int) -> Callable[[Callable[..., T]], Callable[..., T]]:
    """As `lru_cache`, for functions whose arguments come from records. Lengths are looked at only where nothing is
    remembered yet.

    >>> asked = []
    >>> double = remembered(8)(lambda text: asked.append(text[:1]) or text * 2)
    >>> [double(text)[:2] for text in ("ab", "ab", "c" * 4000, "c" * 4000)], asked
    (['ab', 'ab', 'cc', 'cc'], ['a', 'c', 'c'])
    """

    def decorate(function: Callable[..., T]) -> Callable[..., T]:
        @lru_cache(maxsize=most)
        def answer(*values: Any) -> T:
            result = function(*values)
            if _length(values) > LONGEST:
                raise _LongError(result)
            return result

        @wraps(function)
        def ask(*values: Any) -> T:
            try:
                return answer(*values)
            except _LongError as error:
                return cast("T", error.answer)

        ask.cache_clear, ask.cache_info = answer.cache_clear, answer.cache_info  # type: ignore[attr-defined]
        return ask

    return decorate


def _length(values: tuple[Any, ...]) -> int:
    total = 0
    for value in values:
        if isinstance(value, (str, bytes)):
            total += len(value)
        else:
            total += _length(value) if isinstance(value, tuple) else 1
    return total
