"""Test that bad servers do not delay or mix up other sources, and that their cost in time and memory is bounded."""

from __future__ import annotations

import socket
import ssl
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from feedtool.http import Limits, Request, Response, fetch
from tests.bench.measure import measured
from tests.hostile_world.network.bodies import BODIES, feed
from tests.hostile_world.network.faults import ENDLESS, WAITING, Fault
from tests.hostile_world.network.play import routes_of, settings_of
from tests.hostile_world.network.servers import World, listening, world
from tests.support import server as play
from tests.support.server import as_behaviour, page, serve
from tests.support.site import ROOT, make_site

GOOD = {f"wire {at}": Fault(page(feed(f"neighbour {at}"))) for at in range(3)}
HEAVY = [
    *("a billion laughs", "quadratic blowup", "short entities often", "an author of 300 kB", "200,000 attributes"),
    *(
        "100,000 namespaces",
        "20,000 categories",
        "100,000 nested div",
        "20,000 nested lists",
        "20,000 nested elements",
    ),
    *("20,000 elements left open", "tags within tags", "comments left open", "brackets", "a CDATA left open"),
    *("an author of 300 kB in parentheses", "a title of 1 MB", "a date of 1 MB", "JSON nested 100,000 deep"),
    *("a number of 100,000 digits", "a picture of 1 MB", "a reference of 5,000 digits"),
]
BOMBS = {**ENDLESS, **{name: Fault(as_behaviour(BODIES[name])) for name in HEAVY}}
LOCAL = Limits(timeout=60, connect=30, per_host=4, allow_private_hosts=("127.0.0.1",))


@pytest.fixture(scope="module")
def running_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world"), routes_of({**GOOD, **WAITING, **BOMBS})) as running:
        yield running


@pytest.mark.fault_class("network.neighbours")
def test_good_sources_are_saved_while_others_hang(
    running_world: World, tmp_path: Path, tally: Callable[[int], None]
) -> None:
    site = make_site(tmp_path, {}, settings_of({**WAITING, **GOOD}, "timeout = 600\nconcurrency = 24"))
    words, surroundings = running_world.command("ingest", "-C", str(site))
    with subprocess.Popen(
        words, env=surroundings, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as running:
        try:
            deadline = time.monotonic() + 200
            while len(list((site / "articles").rglob("*.*"))) < 2 * len(GOOD):
                assert time.monotonic() < deadline
                assert running.poll() is None
                time.sleep(0.1)
            assert running.poll() is None  # the other sources still hang
        finally:
            running.kill()
    tally(len(WAITING))


@pytest.mark.fault_class("network.bombs")
def test_bombs_stay_within_time_and_memory_limits(
    running_world: World, tmp_path: Path, tally: Callable[[int], None]
) -> None:
    site = make_site(tmp_path, {}, settings_of({**BOMBS, **GOOD}, "timeout = 300"))
    words, surroundings = running_world.command("ingest", "-C", str(site), "--json", "-j", "2")
    # The peak of the kernel includes the memory of this process when it started the other.
    sample = measured(words, cwd=tmp_path, env={**surroundings, "PYTHONPATH": str(ROOT)}, code=1)
    assert len(list((site / "articles").glob("wire*/*"))) == 2 * len(GOOD)
    seconds, megabytes = sample.cpu, sample.memory / (1 << 20)
    print(f"{len(BOMBS)} bombs: {seconds:.1f} s of CPU, {megabytes:.0f} MB")
    assert seconds < 2 * len(BOMBS)
    assert megabytes < 400
    tally(len(BOMBS))


@pytest.mark.fault_class("network.mixed")
def test_unsolicited_response_answers_no_request() -> None:
    def act(peer: socket.socket) -> None:
        answers = [b"first", b"second"]
        while peer.recv(1 << 16):
            peer.sendall(_answer(answers.pop(0)))
            time.sleep(0.2)
            peer.sendall(_answer(b"evil"))

    later = page(b"", status=302, headers=[("Location", "/now")], delay=0.6)
    with (
        listening(act) as port,
        serve({"/later": later, "/now": play.redirect(f"http://127.0.0.1:{port}/second")}) as server,
    ):
        requests = [Request(url=f"http://127.0.0.1:{port}/first"), Request(url=server.url("/later"))]
        outcomes = list(fetch(requests, LOCAL))
    assert all(isinstance(one, Response) for one in outcomes)
    assert {one.body for one in outcomes if isinstance(one, Response)} == {b"first"}


@pytest.mark.fault_class("network.neighbours")
def test_missing_close_notify_is_not_waited_for(running_world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    assert running_world.https.certificate is not None
    monkeypatch.setenv("SSL_CERT_FILE", str(running_world.https.certificate))
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(running_world.https.certificate)

    def act(peer: socket.socket) -> None:
        secured = context.wrap_socket(peer, server_side=True, suppress_ragged_eofs=True)
        secured.recv(1 << 16)
        secured.sendall(_answer(b"ok"))
        raw = socket.socket(fileno=secured.detach())
        with raw:
            raw.settimeout(60)
            while raw.recv(1 << 16):  # the goodbye is read, and nothing said
                pass

    with listening(act) as port:
        started = time.monotonic()
        (answer,) = fetch([Request(url=f"https://127.0.0.1:{port}/")], LOCAL)
        assert isinstance(answer, Response)
        assert time.monotonic() - started < 25  # asyncio would wait for 30 s


@pytest.mark.fault_class("network.neighbours")
@pytest.mark.parametrize("code", [404, 410, 302])
def test_status_is_used_if_the_body_never_arrives(code: int) -> None:
    head = f"HTTP/1.1 {code} X\r\nLocation: /ok\r\nContent-Length: 9\r\n\r\n".encode()
    with serve({"/": play.raw(head, then="hang"), "/ok": b"ok"}) as server:
        (outcome,) = fetch([Request(url=server.url("/"))], LOCAL)
    assert outcome.status == (200 if code == 302 else code)


def _answer(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
