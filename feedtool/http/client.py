"""Requests in, outcomes out as each completes: many at once, few for each host, none of them holding another up."""

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
    from feedtool.http.exchange import Visit, World
    from feedtool.protocols import Clock

Outcome = Response | Failure
WIND_UP = 0.5  # seconds that visits have for closing their connections when a run ends before them
SILENCE = 6  # requests that may run out of time before a host that answered none is asked no more in this run


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
    """Yield the outcome of each request as it completes; as `fetch_all`, with an event loop of its own.

    Fetching goes on only while the next outcome is being waited for, so never more than about `concurrency` bodies
    are in memory. The time the caller takes between two outcomes counts for no request's timeout; whether it is too `late` to
    begin with another request is asked before each.
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
    """Yield as `fetch` does, and None where no outcome came for `patience` seconds: the caller may have other things to do
    than to wait for a server that hangs."""
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
        _wind_up(loop, task)


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
    """Fetch all, calling `on_done` with the outcome of each as it completes; what servers do raises nothing.

    `connect` and `resolve` replace opening a socket and asking DNS; addresses are checked all the same. `now` is
    asked where a server names a date and not its own time.
    """
    from feedtool.http.exchange import World
    from feedtool.http.session import open_session  # aiohttp takes 0.2 s to import

    guard = Guard(limits.allow_private_hosts, resolve=resolve, connect=connect)
    async with open_session(limits, guard) as session:
        turns = _HostQueue(World(session=session, guard=guard, limits=limits, clock=clock, now=now), on_done, late)
        try:
            await turns.run(requests)
        finally:
            guard.close()


class _HostQueue:
    """Gives visits their turns: `concurrency` at once, `per_host` for each host, hosts one after the other."""

    def __init__(
        self, world: World, on_done: Callable[[Outcome], None], late: Callable[[], bool] | None = None
    ) -> None:
        self._world = world
        self._on_done = on_done
        self._late = late or bool
        self._waiting: dict[str, deque[Visit]] = {}
        self._active: Counter[str] = Counter()
        self._line: deque[str] = deque()
        self._lined_up: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._answered: set[str] = set()
        self._silent: Counter[str] = Counter()
        self._left = 0
        self._running = 0
        self._finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def run(self, requests: Iterable[Request]) -> None:
        """Return when every request has its outcome; raise what `on_done` raises."""
        from feedtool.http.exchange import Visit, failure

        for request in requests:
            try:
                visit = Visit(request, read_address(request.url))
            except RefusalError as refusal:
                self._on_done(failure(request, _unread(request.url), refusal))
                continue
            self._left += 1
            self._queue(visit)
        if self._left:
            try:
                self._fill()
                await self._finished
            finally:
                await self._stop()

    def _queue(self, visit: Visit) -> None:
        host = visit.address.host
        self._waiting.setdefault(host, deque()).append(visit)
        self._offer(host)

    def _offer(self, host: str) -> None:
        """Put a host in the line of those that may start a visit; each stands there once at most."""
        if host in self._waiting and host not in self._lined_up and self._active[host] < self._world.limits.per_host:
            self._lined_up.add(host)
            self._line.append(host)

    def _fill(self) -> None:
        """Start visits, one host after the other, until all places are taken."""
        while self._line and self._running < self._world.limits.concurrency:
            host = self._line.popleft()
            self._lined_up.discard(host)
            queue = self._waiting[host]
            visit = queue.popleft()
            if not queue:
                del self._waiting[host]
            self._active[host] += 1
            self._running += 1
            task = asyncio.create_task(self._step(visit, host))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
            self._offer(host)

    async def _step(self, visit: Visit, host: str) -> None:
        try:
            if self._late():
                outcome: Outcome | None = visit.unasked("the run had no time left", kind="late")
            elif self._silent[host] >= SILENCE and host not in self._answered:
                outcome = visit.unasked(f"{host} has not answered {SILENCE} other requests of this run")
            else:
                outcome = await visit.step(self._world, last=host not in self._waiting)
                self._remember(host, outcome)
            self._give_back(host)
            if outcome is not None:
                self._left -= 1
                self._on_done(outcome)
            elif visit.pause:
                asyncio.get_running_loop().call_later(visit.pause, self._again, visit)
            else:
                self._queue(visit)
            self._fill()
        except Exception as error:  # noqa: BLE001  a task's exception reaches nobody by itself
            self._end(error)
        if not self._left:
            self._end(None)

    def _remember(self, host: str, outcome: Outcome | None) -> None:
        """Note which hosts are dead: one with a hundred sources would hold the run up for half an hour."""
        if isinstance(outcome, Failure) and outcome.kind == "timeout":
            self._silent[host] += 1
        else:
            self._answered.add(host)

    def _give_back(self, host: str) -> None:
        self._active[host] -= 1
        self._running -= 1
        if not self._active[host]:
            del self._active[host]
        self._offer(host)

    def _again(self, visit: Visit) -> None:
        self._queue(visit)
        self._fill()

    def _end(self, error: Exception | None) -> None:
        if self._finished.done():
            return
        if error is None:
            self._finished.set_result(None)
        else:
            self._finished.set_exception(error)

    async def _stop(self) -> None:
        self._line.clear()
        self._lined_up.clear()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class _PausedLoop(asyncio.SelectorEventLoop):
    """An event loop whose time stands still while it does not run: a slow caller makes no deadline pass."""

    _skipped = 0.0
    _stopped: float | None = None

    def time(self) -> float:
        """Return the loop's own time, in seconds."""
        return (super().time() if self._stopped is None else self._stopped) - self._skipped

    def run_forever(self) -> None:
        """Run, the time going on from where it stood."""
        if self._stopped is not None:
            self._skipped += super().time() - self._stopped
            self._stopped = None
        try:
            super().run_forever()
        finally:
            self._stopped = super().time()


async def _within(patience: float | None, event: asyncio.Event) -> None:
    with suppress(TimeoutError):
        async with asyncio.timeout(patience):
            await event.wait()


def _wait(loop: asyncio.AbstractEventLoop, patience: float | None, arrived: asyncio.Event) -> None:
    """Run the loop until something arrived; raises KeyboardInterrupt when the run is stopped, but in no callback."""
    waiting = loop.create_task(_within(patience, arrived))

    def cancel() -> None:
        waiting.cancel()
        loop.call_soon_threadsafe(bool)  # it may be waiting for sockets alone

    with interrupts.cancelling(cancel), suppress(asyncio.CancelledError):
        loop.run_until_complete(waiting)


def _wind_up(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    """End all visits and close the loop, within WIND_UP seconds."""
    task.cancel()
    try:
        # It is short, and an exception in a callback would leave it undone.
        with interrupts.cancelling(bool):
            loop.run_until_complete(asyncio.wait({task}, timeout=WIND_UP))
            loop.run_until_complete(asyncio.sleep(0))  # transports close a turn later
    finally:
        if task.done() and not task.cancelled():
            task.exception()  # told already, or of no use any more
        loop.set_exception_handler(lambda *_: None)  # what is left is let go without a word
        loop.close()


def _unread(url: str) -> str:
    """Return what may be shown of an address that can't be read: as far as no password can be in it."""
    scheme, mark, rest = url.partition("://")
    return f"{scheme[:20]}{mark}…" if mark else (rest or url)[:60].partition("@")[0].partition("?")[0]
