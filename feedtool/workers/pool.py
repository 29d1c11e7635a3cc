"""Map a function over items on all cores of this machine, in order, with few items in memory at a time."""

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
    """Map in this process for `patience` seconds, then in `jobs` other processes if items are left. Close it after use.

    A small site thus never pays for starting processes, which takes about as long. Each process imports further modules by
    itself, in parallel with the others: importing them once, before the fork, would delay all of them.
    """

    def __init__(self, jobs: int, *, patience: float = 0.03) -> None:
        self.jobs = jobs
        self.patience = patience
        self._pool: ProcessPoolExecutor | None = None
        self._uses_processes = False

    def __call__(self, function: Callable[[A], B], items: Iterable[A], /) -> Iterator[B]:
        """Yield `function(item)` for each item, in order, reading only a few items ahead."""
        remaining = iter(items)
        if self.jobs == 1:
            yield from map(function, remaining)
            return
        if self._pool is None:
            spent = 0.0
            # If one map needed other processes, the next one is likely to need them, too.
            patience = self.patience / 3 if self._uses_processes else self.patience
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

        self._uses_processes = True
        if forked.can_fork():
            # Exclude loaded modules from garbage collection: scanning them would copy their pages into every process.
            gc.freeze()
            yield from forked.spread(function, remaining, self.jobs)
        elif hasattr(os, "fork"):
            # Another thread may hold a lock, which would stay locked in a fork; and the spawn method needs a `__main__`
            # that can be imported again, which a caller of the API need not have.
            yield from map(function, remaining)
        else:
            yield from self._spread(function, remaining)

    def _spread(self, function: Callable[[A], B], items: Iterator[A]) -> Iterator[B]:
        waiting: deque[Future[B]] = deque()
        try:
            for item in items:
                waiting.append(self._process_pool().submit(function, item))
                if len(waiting) >= 3 * self.jobs:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()

    def _process_pool(self) -> ProcessPoolExecutor:
        if self._pool is None:
            import multiprocessing
            from concurrent.futures import ProcessPoolExecutor

            context = multiprocessing.get_context("spawn")
            self._pool = ProcessPoolExecutor(self.jobs, mp_context=context, initializer=_end_with_parent)
        return self._pool

    def close(self) -> None:
        """Stop the processes and cancel the remaining work."""
        if self._uses_processes:
            gc.unfreeze()
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None


def _end_with_parent() -> None:
    """End this process when its parent ends in any way; otherwise it would wait for work forever."""
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
    """Return the number of cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0)) or 1
    return os.cpu_count() or 1
