"""A target, a number and a seed in, nothing out: its seeds and mutations of them are tried, the same ones everywhere.

Needs nothing but Python: what runs where atheris is not to be had, and in every run of the tests.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator, Sequence
from itertools import chain

from tests.fuzz.targets import LONGEST, TARGETS, findings


class BrokenError(AssertionError):
    """A law was broken; `data` is the input that did it, `tried` how many inputs it took."""

    def __init__(self, name: str, data: bytes) -> None:
        super().__init__(f"{name}: {data[:2000]!r}")
        self.data = data
        self.tried = 1


def attempt(name: str, data: bytes) -> None:
    """Try one input; raise BrokenError."""
    try:
        TARGETS[name].law(data)
    except Exception as error:
        raise BrokenError(name, data) from error


def play(name: str, *, seed: int, tries: int = 0, seconds: float = 0.0) -> int:
    """Try all seeds and findings, then `tries` mutations and as many more as `seconds` hold; return how many in all."""
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
    """Yield inputs without end, each a few changes away from one of the pool, most of them from a short part of it."""
    while True:
        data = rng.choice(pool)
        if len(data) > 400 and rng.random() < 0.8:
            # A whole article is mostly body: what is near the beginning matters more, and short inputs run faster.
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
