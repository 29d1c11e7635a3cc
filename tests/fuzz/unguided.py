"""Try the seeds of a target and mutations of them, which are the same on every machine for the same number and seed.

It needs only Python, so it runs on systems without atheris, and in every run of the tests.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from itertools import chain

from tests.fuzz.targets import LONGEST, TARGETS, findings


class BrokenError(AssertionError):
    """A property was broken; `data` is the input that broke it, `tried` the number of inputs tried."""

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(f"{name}: {data[:2000]!r}")
        self.data = data
        self.tried = 1


def attempt(name: str, data: bytes) -> None:
    """Try one input.

    Raises BrokenError if it breaks the property.
    """
    try:
        TARGETS[name].law(data)
    except Exception as error:
        raise BrokenError(name, data) from error


def play(name: str, *, seed: int, tries: int = 0, seconds: float = 0.0) -> int:
    """Try all seeds and findings, then `tries` mutations and more for `seconds`; return the number of inputs tried."""
    rng = random.Random(f"{seed} {name}")
    pool = [*TARGETS[name].begin(), *findings(name).values()]
    words = TARGETS[name].dictionary()
    end = time.monotonic() + seconds
    done = 0
    for data in chain(pool, mutations(pool, words, rng)):
        if done >= len(pool) + tries and time.monotonic() >= end:
            break
        done += 1
        try:
            attempt(name, data)
        except BrokenError as error:
            error.tried = done
            raise
    return done


def mutations(pool: Sequence[bytes], words: Sequence[bytes], rng: random.Random) -> Iterator[bytes]:
    """Yield endless inputs, each a few changes away from one in the pool, most of them from a short part of it."""
    while True:
        data = rng.choice(pool)
        if len(data) > 400 and rng.random() < 0.8:
            # A whole article is mostly body, but its beginning matters more, and short inputs run faster.
            start = 0 if rng.random() < 0.7 else rng.randrange(len(data))
            data = data[start : start + rng.randint(50, 400)]
        for _ in range(rng.choice((1, 1, 2, 3, 5, 8))):
            data = _mutated(data, pool, words, rng)
        yield data[:LONGEST]


def _mutated(data: bytes, pool: Sequence[bytes], words: Sequence[bytes], rng: random.Random) -> bytes:
    start = rng.randint(0, len(data))
    end = min(len(data), start + rng.choice((0, 0, 1, 1, 2, 4, 16, 64)))
    kind = rng.randrange(6)
    if kind == 0:
        piece = bytes([rng.randrange(256)])
    elif kind == 1:
        piece = data[start:end] * rng.choice((2, 2, 3, 20))
    elif kind == 2:
        other = rng.choice(pool)
        at = rng.randint(0, len(other))
        piece = other[at : at + rng.randint(1, 40)]
    elif kind == 3:
        piece = b""
    else:
        piece = rng.choice(words)
    return data[:start] + piece + data[end:]
