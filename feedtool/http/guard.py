"""Resolve host names, refuse those with non-public addresses, and open sockets; no other module opens one.

Every address of a name is checked, and sockets connect to a checked address, never to a name. A name that changes its
address between check and connection (DNS rebinding) therefore cannot reach a private host.
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

HEAD_START = 0.25  # seconds before the next address is tried in parallel: RFC 8305 section 5
MAX_ADDRESSES = 16


class Guard:
    """Resolve each host once per run, and refuse a host if any of its addresses is not public."""

    def __init__(self, allowed: tuple[str, ...], *, resolve: Resolve | None, connect: Connect | None) -> None:
        self._allowed = frozenset(_normal(allowed))
        self._resolve = resolve or look_up
        self._connect = connect or open_socket
        self._answers: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    def is_allowed(self, host: str) -> bool:
        """Return True if a host may have addresses that are not public."""
        return host in self._allowed

    async def open(self, host: str, port: int) -> socket.socket:
        """Return a connected socket. Raise RefusalError if no address may be used or accepts the connection."""
        addresses = await self.addresses(host)
        try:
            return await _race(addresses, port, self._connect)
        except OSError as error:
            raise RefusalError(
                "refused", f"no connection to port {port} of {host}: {_why(error)}", "try again later"
            ) from None

    async def addresses(self, host: str) -> tuple[str, ...]:
        """Return the addresses of a host. Raise RefusalError if one of them is not public and the host is not allowed."""
        addresses = (host,) if _is_literal(host) else await self._cached_addresses(host)
        if host not in self._allowed:
            for address in addresses:
                if reason := why_not_public(address):
                    place = f"{host} is" if address == host else f"{host} resolves to {address},"
                    hint = f'if you trust it, add "{host}" to allow_private_hosts of [ingest]'
                    raise RefusalError("private", f"{place} a {reason} address", hint)
        return addresses

    async def _cached_addresses(self, host: str) -> tuple[str, ...]:
        task = self._answers.get(host)
        if task is None:
            task = self._answers[host] = asyncio.create_task(self._resolve_once(host))
        try:
            # A visit that times out must not cancel the query that others wait for.
            return await asyncio.shield(task)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            hint = "check the spelling, or try again later"
            # Only EAI_NONAME means that the name does not exist: EAI_AGAIN is a failure of the resolver, and EAI_NODATA
            # a name without addresses.
            unknown = host if isinstance(error, socket.gaierror) and error.errno == socket.EAI_NONAME else ""
            raise RefusalError("dns", f"the host {host} has no address: {reason}", hint, unknown_host=unknown) from None

    async def _resolve_once(self, host: str) -> tuple[str, ...]:
        addresses = tuple(dict.fromkeys(await self._resolve(host)))[:MAX_ADDRESSES]
        if not addresses:
            raise OSError(0, "not found")
        return addresses

    def close(self) -> None:
        """Cancel all pending queries."""
        for task in self._answers.values():
            task.cancel()


async def look_up(host: str) -> tuple[str, ...]:
    """Return the addresses of a host from the system's resolver. Raise OSError if there are none.

    The resolver cannot be interrupted and may take half a minute, so it runs in a thread that nothing joins.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[tuple[str, ...]] = loop.create_future()

    def work() -> None:
        try:
            rows = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG)
            outcome: tuple[str, ...] | OSError = tuple(str(each[4][0]) for each in rows)
        except (OSError, UnicodeError) as error:
            outcome = error if isinstance(error, OSError) else OSError(0, "not a host name")
        with contextlib.suppress(RuntimeError):  # the loop may be closed by now
            loop.call_soon_threadsafe(_set_result, answer, outcome)

    threading.Thread(target=work, daemon=True, name="resolver").start()
    return await answer


def _why(error: OSError) -> str:
    # asyncio puts the repr of the address into `strerror`.
    return os.strerror(error.errno) if error.errno else error.strerror or type(error).__name__


async def open_socket(address: str, port: int) -> socket.socket:
    """Return a socket connected to an address. Raise OSError if the connection fails."""
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
    """Connect to the address that answers first, starting the attempts one after the other (Happy Eyeballs, RFC 8305)."""
    if len(addresses) == 1:
        return await connect(addresses[0], port)
    waiting = list(_interleaved(addresses))
    running: set[asyncio.Task[socket.socket]] = set()
    error = OSError()  # there is an address, and so another one
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
    """Yield IPv6 and IPv4 addresses alternately, so that a family without connectivity costs one HEAD_START."""
    families = [
        [each for each in addresses if (":" in each) is six] for six in (":" in addresses[0], ":" not in addresses[0])
    ]
    for place in range(len(addresses)):
        yield from (family[place] for family in families if place < len(family))


def _set_result(answer: asyncio.Future[tuple[str, ...]], outcome: tuple[str, ...] | OSError) -> None:
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
        with contextlib.suppress(RefusalError):  # the settings were validated; an invalid name allows no host
            yield read_host(host)
