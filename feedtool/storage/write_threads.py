"""Run writes in a few threads, which mostly wait for the disk, and raise the first error.

ThreadPoolExecutor does the same, but importing it (logging, traceback, textwrap) takes a tenth of the time of a small build.
"""

from __future__ import annotations

from collections.abc import Callable
from queue import SimpleQueue
from threading import BoundedSemaphore, Thread

Work = Callable[[], None]


class Threads:
    """A pool of threads. Each submitted task starts one more thread, until there are `count`."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._work: SimpleQueue[Work | None] = SimpleQueue()
        self._slots = BoundedSemaphore(2 * count)
        self._threads: list[Thread] = []
        self._error: BaseException | None = None
        self._is_closed = False

    def submit(self, work: Work) -> None:
        """Run a task in a thread. Block while twice as many tasks as threads are pending. Raise the error of an earlier task."""
        self._slots.acquire()
        if self._error is not None:
            self._slots.release()
            self.wait_for_writes()
        if len(self._threads) < self._count:
            thread = Thread(target=self._run, daemon=True)
            self._threads.append(thread)
            thread.start()
        self._work.put(work)

    def wait_for_writes(self) -> None:
        """Wait until all tasks are done, and raise the first error. After an error no further task is started."""
        self._join()
        error, self._error = self._error, None
        if error is not None:
            raise error

    def close(self) -> None:
        """Wait for the tasks that are running. Those that have not started are dropped."""
        self._is_closed = True
        self._join()

    def _join(self) -> None:
        for _ in self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join()
        self._threads.clear()

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                if self._error is None and not self._is_closed:
                    work()
            except BaseException as error:  # noqa: BLE001  `wait_for_writes` raises it
                self._error = self._error or error
            finally:
                self._slots.release()
