"""Test which hosts the guard refuses and in which words, how it resolves names, and to which address it connects."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
from base64 import b64encode
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from feedtool.http import guard
from feedtool.http.guard import Guard, look_up, open_socket
from feedtool.http.models import RefusalError
from feedtool.http.urls import read_address, read_host

PUBLIC = "93.184.216.34"
Answer = tuple[str, ...] | OSError


def resolving(answers: dict[str, Answer], queries: list[str]) -> Callable[[str], Awaitable[tuple[str, ...]]]:
    async def resolve(host: str) -> tuple[str, ...]:
        queries.append(host)
        answer = answers[host]
        if isinstance(answer, OSError):
            raise answer
        return answer

    return resolve


def refusal(*hosts: str, answers: dict[str, Answer], allowed: tuple[str, ...] = ()) -> tuple[Any, ...]:
    """Return the addresses or the refusal of the last of some hosts, resolved one after the other."""
    queries: list[str] = []

    async def run() -> tuple[Any, ...]:
        found: tuple[Any, ...] = ()
        own = Guard(allowed, resolve=resolving(answers, queries), connect=None)
        for host in hosts:
            try:
                found = await own.addresses(host)
            except RefusalError as error:
                found = (error.kind, error.message, error.hint, error.unknown_host)
        return found

    found = asyncio.run(run())
    assert sorted(queries) == sorted(set(queries)), "each host is resolved once"
    return found


@pytest.mark.parametrize(
    ("host", "answer", "expected"),
    [
        (PUBLIC, None, (PUBLIC,)),
        ("a.test", ("::1", PUBLIC), ("private", "a.test resolves to ::1, a loopback address",
         'if you trust it, add "a.test" to allow_private_hosts of [ingest]', "")),
        ("a.test", (PUBLIC, "10.0.0.1"), ("private", "a.test resolves to 10.0.0.1, a private address",
         'if you trust it, add "a.test" to allow_private_hosts of [ingest]', "")),
        ("127.0.0.1", None, ("private", "127.0.0.1 is a loopback address",
         'if you trust it, add "127.0.0.1" to allow_private_hosts of [ingest]', "")),
        ("a.test", (PUBLIC, "1.1.1.1", PUBLIC), (PUBLIC, "1.1.1.1")),
        ("a.test", (), ("dns", "the host a.test has no address: not found",
         "check the spelling, or try again later", "")),
        ("a.test", socket.gaierror(socket.EAI_NONAME, "no such name"), ("dns",
         "the host a.test has no address: no such name", "check the spelling, or try again later", "a.test")),
        ("a.test", socket.gaierror(socket.EAI_AGAIN, "try again"), ("dns",
         "the host a.test has no address: try again", "check the spelling, or try again later", "")),
        ("a.test", OSError(socket.EAI_NONAME, "no such name"), ("dns",
         "the host a.test has no address: no such name", "check the spelling, or try again later", "")),
        ("a.test", OSError(), ("dns", "the host a.test has no address: OSError",
         "check the spelling, or try again later", "")),
    ],
)  # fmt: skip
def test_host_is_resolved_and_checked_once(host: str, answer: Answer | None, expected: tuple[Any, ...]) -> None:
    answers = {host: answer} if answer is not None else {}
    assert refusal(host, answers=answers) == expected
    assert refusal(host, host, answers=answers) == expected


def test_allowed_hosts_are_read_in_any_form() -> None:
    allowed = ("Intra.Test.", "[::1]", "not a host", "192.168.1")
    answers: dict[str, Answer] = {"intra.test": ("10.0.0.1",), "other.test": ("10.0.0.1",)}
    own = Guard(allowed, resolve=None, connect=None)
    assert [own.is_allowed(host) for host in ("intra.test", "::1", "192.168.0.1", "not a host", "other.test")] == [
        True, True, True, False, False,
    ]  # fmt: skip
    assert refusal("intra.test", answers=answers, allowed=allowed) == ("10.0.0.1",)
    assert refusal("::1", answers=answers, allowed=allowed) == ("::1",)
    assert refusal("other.test", answers=answers, allowed=allowed)[0] == "private"


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (OSError(errno.ECONNREFUSED, "Connect call failed ('1.2.3.4', 80)"), os.strerror(errno.ECONNREFUSED)),
        (OSError(0, "no room"), "no room"),
        (OSError(), "OSError"),
    ],
)
def test_failed_connection_is_reported_with_its_reason(error: OSError, why: str) -> None:
    async def connect(address: str, port: int) -> socket.socket:
        raise error

    async def run() -> RefusalError:
        with pytest.raises(RefusalError) as failure:
            await Guard((), resolve=None, connect=connect).open(PUBLIC, 81)
        return failure.value

    found = asyncio.run(run())
    assert (found.kind, found.message, found.hint, found.unknown_host) == (
        "refused", f"no connection to port 81 of {PUBLIC}: {why}", "try again later", "",
    )  # fmt: skip


class Sockets:
    """A fake `connect`: it takes a number of seconds for each address, or raises an error."""

    def __init__(self, ends: dict[str, float | Exception]) -> None:
        self.ends = ends
        self.tried: list[str] = []
        self.opened: dict[str, socket.socket] = {}
        self.begun: dict[str, float] = {}

    async def connect(self, address: str, port: int) -> socket.socket:
        self.tried.append(address)
        self.begun[address] = asyncio.get_running_loop().time()
        end = self.ends[address]
        if isinstance(end, Exception):
            raise end
        try:
            await asyncio.sleep(end)
        except asyncio.CancelledError:
            if end < 50:
                raise
            # The connection succeeds just as it is cancelled.
        self.opened[address] = socket.socket()
        return self.opened[address]


def race(ends: dict[str, float | Exception], monkeypatch: pytest.MonkeyPatch) -> tuple[Any, Sockets, list[Any]]:
    """Return the connected address or the error, the sockets, and the timeout of each wait."""
    patience: list[Any] = []
    real = asyncio.wait

    async def wait(tasks: Any, *, timeout: float | None, return_when: str) -> Any:
        patience.append(timeout)
        return await real(tasks, timeout=timeout and timeout / 10, return_when=return_when)

    monkeypatch.setattr(guard.asyncio, "wait", wait)
    sockets = Sockets(ends)
    order = tuple(ends)

    async def resolve(host: str) -> tuple[str, ...]:
        return order

    async def run() -> Any:
        try:
            opened = await Guard(("a.test",), resolve=resolve, connect=sockets.connect).open("a.test", 80)
        except Exception as error:  # noqa: BLE001 - what it is, the test says
            return error
        await asyncio.sleep(0.01)
        return next(address for address, one in sockets.opened.items() if one is opened)

    found = asyncio.run(run())
    return found, sockets, patience


def test_families_take_turns_beginning_with_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    refused = OSError(errno.ECONNREFUSED, "")
    names = ["1.1.1.1", "2.2.2.2", "3.3.3.3", "::4", "::5"]
    _, sockets, waits = race(dict.fromkeys(names, refused), monkeypatch)
    assert sockets.tried == ["1.1.1.1", "::4", "2.2.2.2", "::5", "3.3.3.3"]
    assert waits == [0.25, 0.25, 0.25, 0.25, None]
    _, sockets, _ = race(dict.fromkeys(["1.1.1.1", "::4", "::5", "2.2.2.2"], refused), monkeypatch)
    assert sockets.tried == ["1.1.1.1", "::4", "2.2.2.2", "::5"]
    _, sockets, _ = race(dict.fromkeys(names[::-1], refused), monkeypatch)
    assert sockets.tried == ["::5", "3.3.3.3", "::4", "2.2.2.2", "1.1.1.1"]


def test_next_address_is_tried_beside_a_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found, sockets, waits = race({"1.1.1.1": 60, "2.2.2.2": 0}, monkeypatch)
    assert (found, sockets.tried, waits) == ("2.2.2.2", ["1.1.1.1", "2.2.2.2"], [0.25, None])
    assert {address: one.fileno() >= 0 for address, one in sockets.opened.items()} == {
        "1.1.1.1": False,
        "2.2.2.2": True,
    }


def test_first_address_that_answers_is_the_only_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found, sockets, waits = race({"1.1.1.1": 0, "2.2.2.2": 0}, monkeypatch)
    assert (found, sockets.tried, waits) == ("1.1.1.1", ["1.1.1.1"], [0.25])
    found, sockets, waits = race({"1.1.1.1": 0}, monkeypatch)
    assert (found, sockets.tried, waits) == ("1.1.1.1", ["1.1.1.1"], [])


def test_second_of_two_connections_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    _, sockets, _ = race({"1.1.1.1": 0.05, "2.2.2.2": 0.025}, monkeypatch)
    assert [one.fileno() >= 0 for one in sockets.opened.values()].count(True) == 1


def test_last_error_is_reported_and_a_bug_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    found, _, _ = race(
        {"1.1.1.1": OSError(errno.EHOSTUNREACH, ""), "2.2.2.2": OSError(errno.ECONNREFUSED, "")}, monkeypatch
    )
    assert found.message == f"no connection to port 80 of a.test: {os.strerror(errno.ECONNREFUSED)}"
    fault = ValueError("a fault")
    found, _, _ = race({"1.1.1.1": fault, "2.2.2.2": 0}, monkeypatch)
    assert found is fault


def test_closed_guard_waits_for_no_name() -> None:
    async def forever(host: str) -> tuple[str, ...]:
        await asyncio.sleep(60)
        return ()

    async def run() -> None:
        own = Guard((), resolve=forever, connect=None)
        waiting = asyncio.ensure_future(own.addresses("a.test"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        own.close()
        await asyncio.wait_for(waiting, 5)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())


def test_cancelled_visit_does_not_cancel_the_query() -> None:
    async def run() -> tuple[str, ...]:
        ready = asyncio.Event()

        async def resolve(host: str) -> tuple[str, ...]:
            await ready.wait()
            return (PUBLIC,)

        own = Guard((), resolve=resolve, connect=None)
        impatient = asyncio.ensure_future(own.addresses("a.test"))
        other = asyncio.ensure_future(own.addresses("a.test"))
        await asyncio.sleep(0.01)
        impatient.cancel()
        await asyncio.sleep(0)
        ready.set()
        return await asyncio.wait_for(other, 5)

    assert asyncio.run(run()) == (PUBLIC,)


def test_system_resolver_is_asked_for_stream_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    queries: list[tuple[Any, ...]] = []

    def getaddrinfo(host: str, port: object, **options: Any) -> list[tuple[Any, ...]]:
        thread = threading.current_thread()
        queries.append((host, port, options, thread.daemon, thread.name))
        if host == "broken":
            raise UnicodeError("label too long")
        if host == "none":
            raise socket.gaierror(socket.EAI_NONAME, "no such name")
        return [(2, 1, 6, "", (PUBLIC, 0)), (10, 1, 6, "", ("::1", 0, 0, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    assert asyncio.run(look_up("a.test")) == (PUBLIC, "::1")
    options = {"type": socket.SOCK_STREAM, "flags": socket.AI_ADDRCONFIG}
    assert queries == [("a.test", None, options, True, "resolver")]
    for host, expected in (("broken", (0, "not a host name")), ("none", (socket.EAI_NONAME, "no such name"))):
        with pytest.raises(OSError, match=expected[1]) as failure:
            asyncio.run(look_up(host))
        assert (failure.value.errno, failure.value.strerror) == expected


def test_late_answer_of_the_resolver_is_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    answered, begun = threading.Event(), threading.Event()
    faults: list[Any] = []
    monkeypatch.setattr(threading, "excepthook", faults.append)

    def getaddrinfo(*_: Any, **__: Any) -> list[tuple[Any, ...]]:
        begun.set()
        answered.wait(5)
        return [(2, 1, 6, "", (PUBLIC, 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)

    async def given_up(*, stay: bool) -> None:
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: faults.append(context))
        asking = asyncio.ensure_future(look_up("a.test"))
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.sleep(0)
        if stay:
            answered.set()
            await asyncio.sleep(0.05)

    for stay in (True, False):
        answered.clear()
        asyncio.run(given_up(stay=stay))
        answered.set()
        for thread in threading.enumerate():
            if thread.name == "resolver":
                thread.join(5)
    assert faults == []


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_socket_connects_to_the_address_unblocked(address: str) -> None:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as server:
        try:
            server.bind((address, 0))
        except OSError:
            pytest.skip("there is no such address on this machine")
        server.listen()
        port = server.getsockname()[1]
        with asyncio.run(open_socket(address, port)) as opened:
            assert (opened.getpeername()[:2], opened.gettimeout(), opened.family) == ((address, port), 0.0, family)


def test_socket_that_cannot_connect_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    created: list[socket.socket] = []
    real = socket.socket

    def make(*kinds: Any) -> socket.socket:
        created.append(real(*kinds))
        return created[-1]

    with real() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setattr(guard.socket, "socket", make)
    with pytest.raises(ConnectionRefusedError):
        asyncio.run(open_socket("127.0.0.1", port))
    assert [one.fileno() for one in created[-1:]] == [-1]


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("x" * 63 + ("." + "x" * 63) * 2 + "." + "x" * 61, "x" * 63 + ("." + "x" * 63) * 2 + "." + "x" * 61),
        ("ａ" * 10 + "．test", "a" * 10 + ".test"),
        ("[::1]", "::1"),
        ("::ffff:1.2.3.4", "::ffff:102:304"),
        ("EXAMPLE.test", "example.test"),
        ("0x7F.1", "127.0.0.1"),
        ("xn--bcher-kva.test", "xn--bcher-kva.test"),
        ("BÜCHER.test", "xn--bcher-kva.test"),
        *[
            (host, host)
            for host in ("localhost", "a", "ab", "a-b", "_a_", "a.b", "a.bc.d", "a.b-c.d_", "a--b.c", "1a.b", "a.b1")
        ],
    ],
)
def test_host_has_one_form(text: str, host: str) -> None:
    assert read_host(text) == host


@pytest.mark.parametrize(
    "text",
    ["", "-a", "a-", "-", "a.-b", "a.b-", "a..b", ".a", "..", "a b", "a/b", "a\n", "a@b", "a.b..", "%61", "::1%eth0", "1::2::3",
     "a:b", "256.1", "1.2.3.4.5", "1.2.3.4.0", "X[::1]", "0xg.1", "09.1", "1.2.3.256", "\ud800.b", "a" * 64 + ".b"],
)  # fmt: skip
def test_invalid_host_is_refused(text: str) -> None:
    with pytest.raises(RefusalError) as failure:
        read_host(text)
    assert (failure.value.kind, failure.value.message, failure.value.hint) == (
        "other", "the address has no valid host name", "use a name such as www.example.org",
    )  # fmt: skip


# A host of more than 255 characters is refused even if IDNA would shorten it.
SOFT = "\u00ad"


@pytest.mark.parametrize(("soft", "good"), [(251, True), (252, False)])
def test_host_of_over_255_characters_is_refused(soft: int, good: bool) -> None:
    text = f"a{SOFT * soft}.bc"
    assert len(text) == 255 + (not good)
    if good:
        assert read_host(text) == "a.bc"
    else:
        with pytest.raises(RefusalError, match="the address has no valid host name"):
            read_host(text)


def test_undecodable_bytes_are_sent_unchanged() -> None:
    address = read_address("http://u\udcff:p\udcfe@a.example/\udcff?\udcfe")
    assert address.authorization == "Basic " + b64encode(b"u\xff:p\xfe").decode()
    assert (address.path, address.query) == ("/%FF", "%FE")


def test_allowed_characters_of_an_address_are_kept() -> None:
    signs = "!$%&'()*+,-./:;=@_~|[]azAZ09"
    address = read_address(f"http://a.example/{signs}?{signs}?/")
    assert (address.path, address.query) == (f"/{signs}", f"{signs}?/")
    others = '"<>\\^`{} é'
    quoted = "%22%3C%3E%5C%5E%60%7B%7D%20%C3%A9"
    address = read_address(f"http://a.example/{others}x?{others}x")
    assert (address.path, address.query) == (f"/{quoted}x", f"{quoted}x")
