"""Define the interfaces that pipelines receive: a mapper and a clock."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import Protocol, TypeVar

A = TypeVar("A")
B = TypeVar("B")

Clock = Callable[[], datetime]
"""Returns the current time, aware. Used only to hide articles of the future, never for the bytes of output."""


class Mapper(Protocol):
    """Works like `map`, with results in the order of the items. The function and the items must be picklable."""

    def __call__(self, function: Callable[[A], B], items: Iterable[A], /) -> Iterator[B]: ...


def in_order(function: Callable[[A], B], items: Iterable[A], /) -> Iterator[B]:
    """Map in this process, one item after the other: the default Mapper."""
    yield from map(function, items)
