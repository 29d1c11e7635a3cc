"""Test that a hostile network gets no secret and no private address; nothing leaves loopback even if a guard fails."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest

from feedtool.http import Failure, Request, Response, fetch
from tests.support import server as play
from tests.support.fence import BODY, LIMITS, PUBLIC, Fence, Net, failure_text, network
from tests.support.server import page, redirect


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    routes = {"/hang": play.hang(), "/garbage": play.raw(b"\0"), "/to-file": redirect("file:///etc/passwd")}
    with network({**routes, "/to-a-closed-port": redirect("http://a.example:81/?key=s3cret")}) as running:
        yield running


# Redirects and secrets -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("codes", "permanent"),
    [((301,), True), ((301, 308, 301), True), ((301, 302), False), ((302, 301), False), ((307,), False), ((), False)],
)
def test_redirect_is_permanent_if_every_step_is(net: Net, codes: tuple[int, ...], permanent: bool) -> None:
    for step, code in enumerate(codes):
        net.http.set(f"/step{step}", redirect(f"http://new.example/step{step + 1}", code))
    net.http.set(f"/step{len(codes)}", BODY)
    answer = net.one("http://old.example/step0")
    assert answer.permanent_url == (answer.url if permanent else None)
    assert answer.url == (f"http://new.example/step{len(codes)}" if codes else "http://old.example/step0")


def test_redirect_limit_is_exact(net: Net) -> None:
    routes = {f"/r{step}": redirect(f"/r{step + 1}") for step in range(6)} | {"/r6": page(BODY)}
    for path, behaviour in routes.items():
        net.http.set(path, behaviour)
    assert net.one("http://a.example/r1").body == BODY
    assert failure_text(net.one("http://a.example/r0")) == "redirect 302: it redirects more than 5 times"


def test_one_deadline_covers_all_redirects(net: Net) -> None:
    for step in range(5):
        net.http.set(f"/d{step}", page(b"", status=302, headers=[("Location", f"/d{step + 1}")], delay=0.12))
    outcome = net.one("http://a.example/d0", limits={"timeout": 0.4})
    assert (outcome.kind, outcome.seconds < 5) == ("timeout", True)


def test_secrets_go_only_to_their_own_host(net: Net) -> None:
    net.http.set("/away", redirect("http://thief.example/ok"))
    net.http.set("/stay", redirect("/ok"))
    net.http.set("/other-port", redirect(f"http://a.example:{net.http.port}/ok"))
    for path, is_sent in (("/away", False), ("/stay", True), ("/other-port", False)):
        net.http.clear()
        answer = net.one(f"http://ann:s3cr%C3%A9t@a.example{path}", headers=(("X-Key", "k"), ("user-agent", "mine")))
        first, second = (request.headers for request in net.http.log)
        assert (first["authorization"], first["x-key"], first["user-agent"]) == ("Basic YW5uOnMzY3LDqXQ=", "k", "mine")
        assert ("authorization" in second, "x-key" in second) == (is_sent, is_sent)
        assert "s3cr" not in answer.url


def test_encrypted_secret_is_never_sent_in_clear(net: Net) -> None:
    net.https.set("/down", redirect("http://a.example/ok?key=5"))
    assert net.one("https://a.example/down").body == BODY
    refused = net.one("https://a.example/down", headers=(("X-Key", "k"),))
    where = "redirect: it redirects from https to http (http://a.example/ok?…), where others could read a password"
    assert failure_text(refused) == where
    net.http.set("/up", redirect("https://a.example/"))
    net.https.clear()
    assert net.one("http://a.example/up", headers=(("X-Key", "k"),)).body == BODY
    assert net.https.log[0].headers["x-key"] == "k"


@pytest.mark.parametrize("path", ["404", "hang", "garbage", "to-file", "to-a-closed-port", "ok:port", "\t:"])
def test_failures_never_reveal_a_secret(net: Net, path: str, caplog: pytest.LogCaptureFixture) -> None:
    url = f"http://ann:s3cret@a.example/{path}?token=s3cret".replace("/ok:port", ":s3cret/")
    outcome = net.one(url, headers=(("X-Key", "s3cret"),), limits={"timeout": 0.2})
    assert isinstance(outcome, Failure) or path == "\t:"
    assert "s3cret" not in str(outcome) + repr(outcome) + caplog.text


@pytest.mark.parametrize(
    ("name", "value"), [("X-Key", "a\r\nb"), ("X Key", "a"), ("Host", "b"), ("Content-Length", "5")]
)
def test_header_injection_is_refused(net: Net, name: str, value: str) -> None:
    fence = net.fence()
    assert net.one("http://a.example/ok", fence=fence, headers=((name, value),)).kind == "other"
    assert fence.connected == []


# TLS ---------------------------------------------------------------------------------------------------------------


def test_tls_certificates_are_verified(net: Net, monkeypatch: pytest.MonkeyPatch) -> None:
    assert net.one("https://secure.example/").body == BODY
    wrong = "the certificate of wrong.example can't be trusted: Hostname mismatch, certificate is not valid for "
    assert failure_text(net.one("https://wrong.example/")) == f"tls: {wrong}'wrong.example'."
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null")
    message = "tls: the certificate of secure.example can't be trusted: self-signed certificate"
    assert failure_text(net.one("https://secure.example/")) == message


def test_https_to_a_plain_server_fails_clearly(net: Net) -> None:
    fence = Fence(net.http.port, net.http.port)
    net.http.set("/", BODY)
    assert net.one("https://secure.example/", fence=fence).kind == "tls"


# The guard -----------------------------------------------------------------------------------------------------------

PRIVATE = [
    *(
        "127.0.0.1",
        "127.1",
        "2130706433",
        "0x7f.1",
        "0x7f000001",
        "017700000001",
        "0177.0.0.1",
        "127.0.0.1.",
        "0",
        "0x",
    ),
    *("１２７.0.0.1", "127。0。0。1", "①②⑦.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "100.100.100.200"),
    *("169.254.169.254", "168.63.129.16", "224.0.0.1", "240.0.0.1", "255.255.255.255", "0.0.0.0", "198.18.0.1"),
    *(
        "[::1]",
        "[::]",
        "[::127.0.0.1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[64:ff9b::7f00:1]",
        "[2002:7f00:1::]",
    ),
    *("[2001:0:7f00:1::]", "[fe80::1]", "[fec0::1]", "[fd00:ec2::254]", "[ff02::1]", "[64:ff9b:1::1]", "[2001:db8::1]"),
    *("[2606:4700::5efe:10.0.0.1]", "[2606:4700::200:5efe:127.0.0.1]", "localhost", "inside.test", "mixed.test"),
]
NO_HOSTS = [
    "256.1.1.1",
    "1.2.3.4.5",
    "127.0.0.1%2f",
    "%31%32%37.0.0.1",
    "[fe80::1%25eth0]",
    "a..b",
    "",
    "-a-.b.",
]
NAMES: dict[str, list[tuple[str, ...]]] = {
    "localhost": [("127.0.0.1", "::1")],
    "inside.test": [("fd12::1",)],
    "mixed.test": [(PUBLIC, "10.0.0.1")],
}


@pytest.mark.parametrize("host", PRIVATE)
def test_private_addresses_are_not_connected(net: Net, host: str) -> None:
    fence = Fence(net.http.port, net.https.port, NAMES)
    net.http.set("/go", redirect(f"http://{host}/ok"))
    outcomes = [net.one(f"http://{host}/ok", fence=fence), net.one("http://a.example/go", fence=fence)]
    assert {address for address, _ in fence.connected} == {PUBLIC}
    assert [outcome.kind if isinstance(outcome, Failure) else "" for outcome in outcomes] == ["private", "private"]


@pytest.mark.parametrize("host", NO_HOSTS)
def test_invalid_host_is_refused(net: Net, host: str) -> None:
    fence = net.fence()
    assert net.one(f"http://{host}/ok", fence=fence).kind == "other"
    assert (fence.connected, fence.resolved) == ([], [])


def test_dns_rebinding_gains_nothing(net: Net) -> None:
    fence = net.fence(rebind_test=[(PUBLIC,), ("127.0.0.1",)])
    outcomes = net.all([Request(url=f"http://rebind.test/ok?{at}") for at in range(5)], fence=fence, per_host=5)
    assert all(isinstance(outcome, Response) for outcome in outcomes)
    assert {address for address, _ in fence.connected} == {PUBLIC}
    assert fence.resolved == ["rebind.test"]


def test_private_host_needs_explicit_permission(net: Net) -> None:
    net.http.set("/inside", redirect("http://10.0.0.2/ok"))
    fence = Fence(net.http.port, names={"hub.test": [("10.0.0.1",)], "x.hub.test": [("10.0.0.1",)]})
    allowed = {"allow_private_hosts": ("HUB.test",)}
    assert net.one("http://hub.test/ok", fence=fence, limits=allowed).body == BODY
    assert net.one("http://x.hub.test/ok", fence=fence, limits=allowed).kind == "private"
    assert net.one("http://hub.test/inside", fence=fence, limits=allowed).kind == "private"
    assert {address for address, _ in fence.connected} == {"10.0.0.1"}


def test_dead_address_costs_little_if_another_works(net: Net) -> None:
    class HalfDead(Fence):
        async def connect(self, address: str, port: int) -> socket.socket:
            if ":" in address:
                self.connected.append((address, port))
                await asyncio.sleep(60)
            return await super().connect(address, port)

    fence = HalfDead(net.http.port, names={"dual.test": [("2606:4700::1111", PUBLIC)]})
    answer = net.one("http://dual.test/ok", fence=fence, limits={"timeout": 50, "connect": 40})
    assert (answer.status, answer.seconds < 30) == (200, True)


def test_loopback_is_reached_only_if_allowed(net: Net) -> None:
    limits = replace(LIMITS, allow_private_hosts=("127.0.0.1",))
    assert [type(each) for each in fetch([Request(url=net.http.url("/ok"))], limits)] == [Response]
    assert [each.kind for each in fetch([Request(url=net.http.url("/ok"))], LIMITS) if isinstance(each, Failure)] == [
        "private"
    ]


def test_silent_resolver_costs_the_connect_timeout(net: Net, caplog: pytest.LogCaptureFixture) -> None:
    class Deaf(Fence):
        async def resolve(self, host: str) -> tuple[str, ...]:
            return await (super().resolve(host) if host == "a.example" else asyncio.sleep(60, ()))

    fence = Deaf(net.http.port)
    requests = [Request(url=f"http://{host}/ok", key=host) for host in ("b.example", "c.example", "a.example")]
    good, *late = net.all(requests, fence=fence, connect=1.5, timeout=60)
    assert isinstance(good, Response)
    assert {failure_text(each) for each in late} == {
        f"timeout: no connection to {each.key} within 1.5 s" for each in late
    }
    assert caplog.text == ""


def test_system_resolver_answers_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(host: str, *_: object, **__: object) -> list[tuple[object, ...]]:
        if host == "none.test":
            raise socket.gaierror(-2, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("10.0.0.9", 0))]

    monkeypatch.setattr(socket, "getaddrinfo", answer)
    outcomes = fetch([Request(url="http://inner.test/"), Request(url="http://none.test/")], LIMITS)
    assert sorted(failure_text(each) for each in outcomes) == [
        "dns: the host none.test has no address: Name or service not known",
        "private: inner.test resolves to 10.0.0.9, a private address",
    ]
