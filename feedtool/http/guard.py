"""A host name in, addresses that may be connected to out; and the sockets to them. No other room opens one.

Every address of a name is checked, and a socket goes to a checked address and never to a name, so that a name that
changes its address between check and connection (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import os
import socket
import threading
from collections.abc import Iterator

from feedtool.http.addresses import why_not_public
from feedtool.http.models import Connect, RefusalError, Resolve
from feedtool.http.urls import read_host

HEAD_START = 0.25  # seconds an address has to itself before the next one is tried beside it: RFC 8305 section 5
MOST_ADDRESSES = 16


class Guard:
    """Resolves each host once a run, and refuses a host any of whose addresses is not public."""

    def __init__(self, allowed: tuple[str, ...], *, resolve: Resolve | None, connect: Connect | None) -> None:
        self._allowed = frozenset(_normal(allowed))
        self._resolve = resolve or look_up
        self._connect = connect or open_socket
        self._answers: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    def is_allowed(self, host: str) -> bool:
        """Say whether a host may have addresses that are not public."""
        return host in self._allowed

    async def open(self, host: str, port: int) -> socket.socket:
        """Return a connected socket; raise RefusalError."""
        addresses = await self.addresses(host)
        try:
            return await _race(addresses, port, self._connect)
        except OSError as error:
            raise RefusalError(
                "refused", f"no connection to port {port} of {host}: {_why(error)}", "try later"
            ) from None

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a host, all of them public unless the host may have others; raise RefusalError."""
        found = (host,) if _is_literal(host) else await self._looked_up(host)
        if host not in self._allowed:
            for address in found:
                if reason := why_not_public(address):
                    place = f"{host} is" if address == host else f"{host} leads to {address},"
                    hint = f'if you trust it, add "{host}" to allow_private_hosts of [ingest]'
                    raise RefusalError("private", f"{place} a {reason} address", hint)
        return found

    async def _looked_up(self, host: str) -> tuple[str, ...]:
        task = self._answers.get(host)
        if task is None:
            task = self._answers[host] = asyncio.create_task(self._ask(host))
        try:
            # One visit that runs out of time must not take the answer from the others.
            return await asyncio.shield(task)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            hint = "look for a typing error, or try later"
            # Only this says that there is no such name: EAI_AGAIN is a resolver that fails, EAI_NODATA a name without hosts.
            unknown = host if isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME else ""
            raise RefusalError("dns", f"the host {host} has no address: {reason}", hint, unknown_host=unknown) from None

    async def _ask(self, host: str) -> tuple[str, ...]:
        found = tuple(dict.fromkeys(await self._resolve(host)))[:MOST_ADDRESSES]
        if not found:
            raise OSError(0, "not found")
        return found

    def close(self) -> None:
        """Stop waiting for names."""
        for task in self._answers.values():
            task.cancel()


async def look_up(host: str) -> tuple[str, ...]:
    """Return the addresses of a host from the system's resolver; raise OSError.

    The resolver can't be interrupted and may take half a minute: it gets a thread of its own that nobody waits for.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[str, ...]] = loop.create_future()

    def work() -> None:
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            outcome: tuple[str, ...] | OSError = tuple(str(each[4][0]) for each in found)
        except (OSError, UnicodeError) as error:
            outcome = error if isinstance(error, OSError) else OSError(0, "not a host name")
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile
            loop.call_soon_threadsafe(_answer, answer, outcome)

    threading.Thread(target=work, daemon=True, name="resolver").start()
    return await answer


def _why(error: OSError) -> str:
    # asyncio puts the address into `strerror`, as Python writes a tuple.
    return os.strerror(error.errno) if error.errno else error.strerror or type(error).__name__


async def open_socket(address: str, port: int) -> socket.socket:
    """Return a socket connected to an address; raise OSError."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    opened = socket.socket(family, socket.SOCK_STREAM)
    try:
        opened.setblocking(False)
        await asyncio.get_running_loop().sock_connect(opened, (address, port))
    except BaseException:
        opened.close()
        raise
    return opened


async def _race(addresses: tuple[str, ...], port: int, connect: Connect) -> socket.socket:
    """Connect to the address that answers first, starting one after the other (Happy Eyeballs, RFC 8305)."""
    if len(addresses) == 1:
        return await connect(addresses[0], port)
    waiting = list(_interleaved(addresses))
    running: set[asyncio.Task[socket.socket]] = set()
    error: OSError = OSError(0, "no address")
    try:
        while waiting or running:
            if waiting:
                running.add(asyncio.ensure_future(connect(waiting.pop(0), port)))
            patience = HEAD_START if waiting else None
            done, _ = await asyncio.wait(running, timeout=patience, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                running.discard(task)
                failure = task.exception()
                if failure is None:
                    running.update(done - {task})
                    return task.result()
                if not isinstance(failure, OSError):
                    raise failure
                error = failure
        raise error
    finally:
        for task in running:
            task.add_done_callback(_close_late)
            task.cancel()


def _close_late(task: asyncio.Task[socket.socket]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()


def _interleaved(addresses: tuple[str, ...]) -> Iterator[str]:
    """Yield IPv6 and IPv4 in turn, so that a dead family costs one head start."""
    families = [
        [each for each in addresses if (":" in each) is six] for six in (":" in addresses[0], ":" not in addresses[0])
    ]
    for place in range(len(addresses)):
        yield from (family[place] for family in families if place < len(family))


def _answer(answer: asyncio.Future[tuple[str, ...]], outcome: tuple[str, ...] | OSError) -> None:
    if answer.done():
        return
    if isinstance(outcome, OSError):
        answer.set_exception(outcome)
    else:
        answer.set_result(outcome)


def _is_literal(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _normal(hosts: tuple[str, ...]) -> Iterator[str]:
    for host in hosts:
        with contextlib.suppress(RefusalError):  # settings said so already; what names no host allows none
            yield read_host(host.strip("[]"))
