"""A Mapper over this machine's cores: items go out in order, results come back in order, few are ever waiting."""

from __future__ import annotations

import gc
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from concurrent.futures import Future, ProcessPoolExecutor

A = TypeVar("A")
B = TypeVar("B")


class Pool:
    """Maps in this process at first; where that has taken `patience` seconds and there is more to do, starts `jobs` others.

    A small site never pays for a pool, which costs about as much. What the processes take besides, each imports for
    itself, at the same time: to do that once, before they part, would keep all of them waiting. Close it when done.
    """

    def __init__(self, jobs: int, *, patience: float = 0.03) -> None:
        self.jobs = jobs
        self.patience = patience
        self._pool: ProcessPoolExecutor | None = None
        self._has_spread = False

    def __call__(self, function: Callable[[A], B], items: Iterable[A], /) -> Iterator[B]:
        """Yield `function(item)` for each item, in order, reading only a few items ahead."""
        remaining = iter(items)
        if self.jobs == 1:
            yield from map(function, remaining)
            return
        if self._pool is None:
            spent = 0.0
            # Where one map was worth it, the next is likely to be.
            patience = self.patience / 3 if self._has_spread else self.patience
            while spent < patience:
                started = time.perf_counter()
                for item in remaining:
                    result = function(item)
                    break
                else:
                    return
                spent += time.perf_counter() - started
                yield result
        from feedtool.workers import forked

        self._has_spread = True
        if forked.can_fork():
            # What is loaded is no garbage: looking for some there would copy its pages into every process.
            gc.freeze()
            yield from forked.spread(function, remaining, self.jobs)
        elif hasattr(os, "fork"):
            # Another thread may hold a lock, which would stay locked in a fork; and to start from nothing takes a `__main__`
            # that can be imported again, which is not ours here.
            yield from map(function, remaining)
        else:
            yield from self._spread(function, remaining)

    def _spread(self, function: Callable[[A], B], items: Iterator[A]) -> Iterator[B]:
        waiting: deque[Future[B]] = deque()
        try:
            for item in items:
                waiting.append(self._started().submit(function, item))
                if len(waiting) >= 3 * self.jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _started(self) -> ProcessPoolExecutor:
        if self._pool is None:
            import multiprocessing
            from concurrent.futures import ProcessPoolExecutor

            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.jobs, mp_context=context, initializer=_end_with_parent)
        return self._pool

    def close(self) -> None:
        """Stop the processes, without waiting for work that nobody asks for any more."""
        if self._has_spread:
            gc.unfreeze()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _end_with_parent() -> None:
    """Let this process end when its parent does, however that ends: it would wait for work for good."""
    import threading
    from multiprocessing import parent_process
    from multiprocessing.connection import wait

    parent = parent_process()

    def watch() -> None:
        if parent is not None:
            wait([parent.sentinel])
            os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
