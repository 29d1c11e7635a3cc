"""Test that a host with several addresses is reached through any working one, of either address family."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator, Mapping

import pytest

from feedtool.http import guard
from feedtool.http.guard import Guard
from feedtool.http.models import RefusalError
from tests.support.fence import BODY, Fence, Net, network

STEP = 0.03
DEAD = "93.184.215.1"
SLOW = "93.184.215.2"
GOOD = "93.184.215.3"
SIX = "2606:4700::1"


@pytest.fixture(autouse=True)
def short_head_start(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the delay between attempts, which RFC 8305 recommends, for quick tests."""
    monkeypatch.setattr(guard, "HEAD_START", STEP)


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with network({}) as running:
        yield running


class Street:
    """Hosts that connect or are refused after a number of time steps; every socket is recorded."""

    def __init__(self, houses: Mapping[str, tuple[float, OSError | None]]) -> None:
        self.houses = houses
        self.asked: list[str] = []
        self.sockets: dict[str, socket.socket] = {}

    async def connect(self, address: str, port: int) -> socket.socket:
        """Answer according to the table of hosts."""
        self.asked.append(address)
        steps, error = self.houses[address]
        await asyncio.sleep(steps * STEP)
        if error is not None:
            raise error
        self.sockets[address] = socket.socket()
        return self.sockets[address]

    def open(self, *addresses: str) -> str:
        """Return the address of the socket that the guard opens, which alone stays open."""

        async def resolve(host: str) -> tuple[str, ...]:
            return addresses

        async def run() -> str:
            opened = await Guard((), resolve=resolve, connect=self.connect).open("a.example", 80)
            await asyncio.sleep(6 * STEP)
            return next(address for address, each in self.sockets.items() if each is opened)

        opened_address = asyncio.run(run())
        assert [address for address, each in self.sockets.items() if each.fileno() >= 0] == [opened_address]
        self.sockets[opened_address].close()
        return opened_address


def refused() -> OSError:
    return ConnectionRefusedError(111, "Connection refused")


@pytest.mark.parametrize("addresses", [(SLOW, DEAD), (DEAD, SLOW), (SLOW, DEAD, DEAD.replace("215", "216"))])
@pytest.mark.parametrize("fails_after", [0, 0.5, 2, 3])
def test_slow_good_address_is_reached(addresses: tuple[str, ...], fails_after: float) -> None:
    dead = {address: (fails_after, refused()) for address in addresses if address != SLOW}
    assert Street({SLOW: (5, None), **dead}).open(*addresses) == SLOW


@pytest.mark.parametrize("good", range(4))
def test_any_of_many_addresses_is_enough(good: int) -> None:
    addresses = [f"93.184.215.{number}" for number in range(4)]
    street = Street({address: (0.5, refused() if at != good else None) for at, address in enumerate(addresses)})
    assert street.open(*addresses) == addresses[good]
    assert street.asked == addresses[: good + 1]


def test_next_address_is_tried_after_a_refusal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(guard, "HEAD_START", 30.0)
    street = Street({DEAD: (0, refused()), GOOD: (0, None)})
    start = time.monotonic()
    assert street.open(DEAD, GOOD) == GOOD
    assert time.monotonic() - start < 10


def test_first_address_gets_only_a_head_start() -> None:
    street = Street({SLOW: (40, None), GOOD: (0, None)})
    assert street.open(SLOW, GOOD) == GOOD
    assert street.asked == [SLOW, GOOD]
    street = Street({SLOW: (0.1, None), GOOD: (0, None)})
    assert street.open(SLOW, GOOD) == SLOW
    assert street.asked == [SLOW]


def test_second_open_connection_is_closed() -> None:
    street = Street({SLOW: (2, None), GOOD: (1, None)})
    assert street.open(SLOW, GOOD) in (SLOW, GOOD)
    assert len(street.asked) == 2


def test_address_families_alternate() -> None:
    addresses = (SIX, "2606:4700::2", "2606:4700::3", DEAD, GOOD)
    street = Street({address: (0, refused()) for address in addresses} | {GOOD: (0, None)})
    assert street.open(*addresses) == GOOD
    assert street.asked == [SIX, DEAD, "2606:4700::2", GOOD]
    street = Street({address: (0, refused()) for address in addresses} | {"2606:4700::3": (0, None)})
    assert street.open(GOOD, *addresses[:4]) == "2606:4700::3"
    assert street.asked == [GOOD, SIX, DEAD, "2606:4700::2", "2606:4700::3"]


def test_last_failure_is_reported() -> None:
    street = Street({DEAD: (0, OSError(113, "No route to host")), SLOW: (2, refused()), SIX: (0, OSError("odd"))})
    with pytest.raises(RefusalError) as failure:
        street.open(DEAD, SIX, SLOW)
    assert failure.value.message == "no connection to port 80 of a.example: Connection refused"
    assert sorted(street.asked) == sorted([DEAD, SIX, SLOW])


@pytest.mark.parametrize("count", [15, 16, 17])
def test_at_most_sixteen_addresses_are_tried(count: int) -> None:
    addresses = [f"93.184.215.{number}" for number in range(count)]
    street = Street({address: (0, refused()) for address in addresses})
    with pytest.raises(RefusalError):
        street.open(*addresses, *addresses)
    assert street.asked == addresses[:16]


def test_feed_is_fetched_from_a_slow_address(net: Net) -> None:
    class Slow(Fence):
        async def connect(self, address: str, port: int) -> socket.socket:
            if address == DEAD:
                raise refused()
            await asyncio.sleep(5 * STEP)
            return await super().connect(address, port)

    for addresses in ((SLOW, DEAD), (DEAD, SLOW)):
        fence = Slow(net.http.port, names={"dual.test": [addresses]})
        assert net.one("http://dual.test/ok", fence=fence).body == BODY


def test_refused_port_leaves_no_open_socket() -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port = listening.getsockname()[1]
        with pytest.raises(ConnectionRefusedError):
            asyncio.run(guard.open_socket("127.0.0.1", port))
        listening.listen()
        opened = asyncio.run(guard.open_socket("127.0.0.1", port))
        assert opened.getpeername() == ("127.0.0.1", port)
        opened.close()
