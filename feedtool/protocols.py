"""The shapes of what walks are given: a mapper, a clock. An engine fits one of these, and no walk asks which."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Protocol, TypeVar

A = TypeVar("A")
B = TypeVar("B")

Clock = Callable[[], datetime]
"""Returns the present, aware. Asked only to hide articles of the future, never for a byte of output."""


class Mapper(Protocol):
    """Works like `map`: results in the order of the items, whatever ran where. The function and the items pickle."""

    def __call__(self, function: Callable[[A], B], items: Iterable[A], /) -> Iterator[B]: ...


def in_order(function: Callable[[A], B], items: Iterable[A], /) -> Iterator[B]:
    """Map here and now: the Mapper of whoever needs no other."""
    yield from map(function, items)
