"""Fetch many requests concurrently, with few connections per host, and yield each outcome as it completes."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from feedtool import interrupts
from feedtool.http.guard import Guard
from feedtool.http.models import Connect, Failure, Limits, RefusalError, Request, Resolve, Response
from feedtool.http.urls import read_address

if TYPE_CHECKING:
    from feedtool.http.exchange import Context, Visit
    from feedtool.protocols import Clock

Outcome = Response | Failure
SHUTDOWN_TIMEOUT = 0.5  # seconds that visits have to close their connections when a run ends before they do
MAX_TIMEOUTS = 6  # timeouts after which a host that never answered gets no more requests in this run


def fetch(
    requests: Iterable[Request],
    limits: Limits,
    *,
    connect: Connect | None = None,
    resolve: Resolve | None = None,
    clock: Callable[[], float] | None = None,
    now: Clock | None = None,
    late: Callable[[], bool] | None = None,
) -> Iterator[Outcome]:
    """Yield the outcome of each request as it completes, like `fetch_all`, on an event loop of its own.

    Fetching only proceeds while the caller waits for the next outcome, so at most about `concurrency` bodies are in
    memory. The time that the caller spends between two outcomes does not count towards any request's timeout. `late` is
    called before each request starts; once it returns True, the remaining requests fail with the kind "late".
    """
    polled = poll(requests, limits, patience=None, connect=connect, resolve=resolve, clock=clock, now=now, late=late)
    with closing(polled):
        yield from (outcome for outcome in polled if outcome is not None)


def poll(
    requests: Iterable[Request],
    limits: Limits,
    *,
    patience: float | None,
    connect: Connect | None = None,
    resolve: Resolve | None = None,
    clock: Callable[[], float] | None = None,
    now: Clock | None = None,
    late: Callable[[], bool] | None = None,
) -> Generator[Outcome | None]:
    """Yield outcomes like `fetch`, and None whenever no outcome arrived for `patience` seconds.

    The caller can then do other work while a server hangs.
    """
    loop = _PausedLoop(selectors.DefaultSelector())
    done: deque[Outcome] = deque()
    arrived = asyncio.Event()

    def keep(outcome: Outcome) -> None:
        done.append(outcome)
        arrived.set()

    ticks = clock or loop.time
    work = fetch_all(requests, limits, on_done=keep, connect=connect, resolve=resolve, clock=ticks, now=now, late=late)
    task = loop.create_task(work)
    task.add_done_callback(lambda _: arrived.set())
    try:
        while True:
            arrived.clear()
            if not done and not task.done():
                _wait(loop, patience, arrived)
                if not arrived.is_set():
                    yield None
            while done:
                yield done.popleft()
            if task.done():
                task.result()
                return
    finally:
        _shut_down(loop, task)


async def fetch_all(
    requests: Iterable[Request],
    limits: Limits,
    *,
    on_done: Callable[[Outcome], None],
    connect: Connect | None = None,
    resolve: Resolve | None = None,
    clock: Callable[[], float] = time.monotonic,
    now: Clock | None = None,
    late: Callable[[], bool] | None = None,
) -> None:
    """Fetch all requests and call `on_done` with the outcome of each as it completes; no server can make it raise.

    `connect` and `resolve` replace opening a socket and querying DNS; addresses are still checked. `now` is called
    if a response contains a date without the server's own time (`Date`).
    """
    from feedtool.http.exchange import Context
    from feedtool.http.session import open_session  # aiohttp takes 0.2 s to import

    guard = Guard(limits.allow_private_hosts, resolve=resolve, connect=connect)
    async with open_session(limits, guard) as session:
        queue = _HostQueue(Context(session=session, guard=guard, limits=limits, clock=clock, now=now), on_done, late)
        try:
            await queue.run(requests)
        finally:
            guard.close()


class _HostQueue:
    """Schedule visits: at most `concurrency` at once and `per_host` for each host, taking the hosts in turn."""

    def __init__(
        self, context: Context, on_done: Callable[[Outcome], None], late: Callable[[], bool] | None = None
    ) -> None:
        self._context = context
        self._on_done = on_done
        self._late = late or bool
        self._waiting: dict[str, deque[Visit]] = {}
        self._active: Counter[str] = Counter()
        self._ready_hosts: deque[str] = deque()
        self._queued_hosts: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._answered: set[str] = set()
        self._timeouts: Counter[str] = Counter()
        self._unfinished = 0
        self._running = 0
        self._finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, requests: Iterable[Request]) -> None:
        """Run until every request has its outcome. Raise what `on_done` raises."""
        from feedtool.http.exchange import Visit, failure

        for request in requests:
            try:
                visit = Visit(request, read_address(request.url))
            except RefusalError as refusal:
                self._on_done(failure(request, _printable_part(request.url), refusal))
                continue
            self._unfinished += 1
            self._queue_visit(visit)
        if self._unfinished:
            try:
                self._fill()
                await self._finished
            finally:
                await self._stop()

    def _queue_visit(self, visit: Visit) -> None:
        host = visit.address.host
        self._waiting.setdefault(host, deque()).append(visit)
        self._queue_host(host)

    def _queue_host(self, host: str) -> None:
        """Queue a host that may start a visit, unless it is queued already."""
        if (
            host in self._waiting
            and host not in self._queued_hosts
            and self._active[host] < self._context.limits.per_host
        ):
            self._queued_hosts.add(host)
            self._ready_hosts.append(host)

    def _fill(self) -> None:
        """Start visits, taking the hosts in turn, until the limits are reached."""
        while self._ready_hosts and self._running < self._context.limits.concurrency:
            host = self._ready_hosts.popleft()
            self._queued_hosts.discard(host)
            queue = self._waiting[host]
            visit = queue.popleft()
            if not queue:
                del self._waiting[host]
            self._active[host] += 1
            self._running += 1
            task = asyncio.create_task(self._step(visit, host))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self._queue_host(host)

    async def _step(self, visit: Visit, host: str) -> None:
        try:
            if self._late():
                outcome: Outcome | None = visit.not_started("the run had no time left", kind="late")
            elif self._timeouts[host] >= MAX_TIMEOUTS and host not in self._answered:
                outcome = visit.not_started(f"{host} has not answered {MAX_TIMEOUTS} other requests of this run")
            else:
                outcome = await visit.step(self._context, last=host not in self._waiting)
                self._record_answer(host, outcome)
            self._release(host)
            if outcome is not None:
                self._unfinished -= 1
                self._on_done(outcome)
            elif visit.pause:
                asyncio.get_running_loop().call_later(visit.pause, self._requeue, visit)
            else:
                self._queue_visit(visit)
            self._fill()
        except Exception as error:  # noqa: BLE001  nothing awaits this task, so its exception would be lost
            self._end(error)
        if not self._unfinished:
            self._end(None)

    def _record_answer(self, host: str, outcome: Outcome | None) -> None:
        """Record whether a host answers: a dead one with a hundred sources would delay the run by half an hour."""
        if isinstance(outcome, Failure) and outcome.kind == "timeout":
            self._timeouts[host] += 1
        else:
            self._answered.add(host)

    def _release(self, host: str) -> None:
        self._active[host] -= 1
        self._running -= 1
        if not self._active[host]:
            del self._active[host]
        self._queue_host(host)

    def _requeue(self, visit: Visit) -> None:
        self._queue_visit(visit)
        self._fill()

    def _end(self, error: Exception | None) -> None:
        if self._finished.done():
            return
        if error is None:
            self._finished.set_result(None)
        else:
            self._finished.set_exception(error)

    async def _stop(self) -> None:
        self._ready_hosts.clear()
        self._queued_hosts.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _PausedLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock stops while the loop does not run, so that a slow caller causes no timeouts."""

    _skipped = 0.0
    _stopped: float | None = None

    def time(self) -> float:
        """Return the loop's own time, in seconds."""
        return (super().time() if self._stopped is None else self._stopped) - self._skipped

    def run_forever(self) -> None:
        """Run the loop; its clock continues from where it stopped."""
        if self._stopped is not None:
            self._skipped += super().time() - self._stopped
            self._stopped = None
        try:
            super().run_forever()
        finally:
            self._stopped = super().time()


async def _wait_for_event(patience: float | None, event: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            await event.wait()


def _wait(loop: asyncio.AbstractEventLoop, patience: float | None, arrived: asyncio.Event) -> None:
    """Run the loop until an outcome arrives or `patience` seconds pass.

    Raise KeyboardInterrupt if the run is stopped, but never inside a callback.
    """
    waiting = loop.create_task(_wait_for_event(patience, arrived))

    def cancel() -> None:
        waiting.cancel()
        loop.call_soon_threadsafe(bool)  # wakes a loop that only waits for sockets

    with interrupts.cancelling(cancel), suppress(asyncio.CancelledError):
        loop.run_until_complete(waiting)


def _shut_down(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    """Cancel all visits and close the loop, within SHUTDOWN_TIMEOUT seconds."""
    task.cancel()
    try:
        # This takes little time, and an interrupt in a callback would leave connections open.
        with interrupts.cancelling(bool):
            loop.run_until_complete(asyncio.wait({task}, timeout=SHUTDOWN_TIMEOUT))
            loop.run_until_complete(asyncio.sleep(0))  # transports close in the next iteration of the loop
    finally:
        if task.done() and not task.cancelled():
            task.exception()  # marks it as retrieved: it was raised already, or no longer matters
        loop.set_exception_handler(lambda *_: None)  # no log messages about tasks that are still pending
        loop.close()


def _printable_part(url: str) -> str:
    """Return the part of an unreadable address that can be shown because it cannot contain a password."""
    scheme, separator, rest = url.partition("://")
    return f"{scheme[:20]}{separator}…" if separator else (rest or url)[:60].partition("@")[0].partition("?")[0]
