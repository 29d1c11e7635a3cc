"""Writes in, done by a few threads that mostly wait for the disk; the first one that failed is what is raised.

A pool of the standard library does the same, but loading it (logging, traceback, textwrap) is a tenth of a small build.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import BoundedSemaphore, Thread

Work = Callable[[], None]


class Threads:
    """Threads for work: one more with each, until there are `count`."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._room = BoundedSemaphore(2 * count)
        self._threads: list[Thread] = []
        self._failed: BaseException | None = None
        self._over = False

    def submit(self, work: Work) -> None:
        """Have work done; waits while twice as much as there are threads is waiting. Raises what earlier work raised."""
        self._room.acquire()
        if self._failed is not None:
            self._room.release()
            self.wait_for_writes()
        if len(self._threads) < self._count:
            thread = Thread(target=self._live, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._work.put(work)

    def wait_for_writes(self) -> None:
        """Return when all work is done; raise what the first that failed raised, behind which none was begun."""
        self._end()
        failed, self._failed = self._failed, None
        if failed is not None:
            raise failed

    def close(self) -> None:
        """Wait for what is being done; what has not begun is not begun any more."""
        self._over = True
        self._end()

    def _end(self) -> None:
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _live(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                if self._failed is None and not self._over:
                    work()
            except BaseException as error:  # noqa: BLE001  it is raised where it is waited for
                self._failed = self._failed or error
            finally:
                self._room.release()
