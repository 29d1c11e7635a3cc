"""Test that no input of others (pages, candidates, redirects, lists) makes feedtool connect to a private address."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from feedtool.cli.main import run as command
from feedtool.http import guard
from tests.hostile_world.network.bodies import feed, rss
from tests.support.behaviours import page, redirect
from tests.support.fence import BODY, PUBLIC, Fence, Net, network
from tests.support.site import article, make_site

HOSTS = [
    *(
        "127.0.0.1",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "017700000001",
        "0177.0.0.01",
        "127.0.0.1.",
    ),
    *("0", "0.0.0.0", "00000000.0", "①②⑦.0.0.1", "127。0。0。1", "１２７.0.0.1", "0X7F.0x0.0x0.0x1"),
    *("10.0.0.1", "10.1", "167772161", "172.16.0.1", "172.31.255.255", "192.168.0.1", "0xc0a80001", "0300.0250.1"),
    *(
        "169.254.169.254",
        "0xa9fea9fe",
        "2852039166",
        "0251.0376.0251.0376",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
    ),
    *(
        "224.0.0.1",
        "239.255.255.250",
        "240.0.0.1",
        "255.255.255.255",
        "198.18.0.1",
        "192.0.2.1",
        "192.88.99.1",
        "100.64.0.1",
    ),
    *("[::1]", "[::]", "[0:0:0:0:0:0:0:1]", "[::127.0.0.1]", "[::7f00:1]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]"),
    *("[::ffff:0:127.0.0.1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]"),
    *("[2002:a9fe:a9fe::]", "[2001:0:7f00:1::]", "[2001:0:808:808::80ff:fffe]", "[fe80::1]", "[fec0::1]", "[fc00::1]"),
    *("[fd00:ec2::254]", "[ff02::1]", "[100::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[2001:10::1]"),
    *(
        "[2606:4700::5efe:10.0.0.1]",
        "[2606:4700::200:5efe:127.0.0.1]",
        "localhost",
        "LOCALHOST.",
        "inside.test",
        "mixed.test",
    ),
    *("good.example@127.0.0.1", "good.example:80@127.0.0.1", "good.example%40x@127.0.0.1", "good.example\\@127.0.0.1"),
    *(
        "a:b@c@127.0.0.1",
        "127.0.0.1:80",
        "127.0.0.1:00080",
        "[::1]:80",
        "mapped.test",
        "nat.test",
        "scope.test",
        "sixth.test",
    ),
]
NO_HOSTS = [
    *(
        "[fe80::1%25eth0]",
        "[::1%lo]",
        "127.0.0.1%2f",
        "%31%32%37.0.0.1",
        "%6cocalhost",
        "256.1.1.1",
        "1.2.3.4.5",
        "09",
    ),
    *(
        "[::ffff:127.0.0.1.]",
        "[127.0.0.1]",
        "[v1.a]",
        "[::1",
        "a..b",
        "-.example",
        "127.0.0.1\tx",
        "127.0.0.1\n.x",
        "a b",
    ),
    *("a\u200db.example", "faß.example", "127.0.0.1:99999", "127.0.0.1:-1", "127.0.0.1:8O", "a\0b", "..", "a" * 300),
]
NAMES: dict[str, list[tuple[str, ...]]] = {
    "localhost": [("127.0.0.1", "::1")],
    "inside.test": [("fd12::1",)],
    "mixed.test": [(PUBLIC, "10.0.0.1")],
    "mapped.test": [("::ffff:10.0.0.1",)],
    "nat.test": [("64:ff9b::a00:1",)],
    "scope.test": [("fe80::1%eth0",)],
    "sixth.test": [(*(PUBLIC,) * 3, *(f"93.184.215.{n}" for n in range(12)), "127.0.0.1")],
}
ALLOW = '[ingest]\nallow_private_hosts = ["hub.test"]\ntimeout = 30\n'
LINK = '<link rel="alternate" type="application/rss+xml" href="{}">'
TEXT = "<p>" + "A sentence of the article that is long enough to be taken for one. " * 30 + "</p>"


@pytest.fixture(scope="module")
def net() -> Iterator[Net]:
    with network({}) as running:
        yield running


@pytest.mark.fault_class("network.guard")
@pytest.mark.parametrize("host", HOSTS)
def test_private_address_spellings_are_not_connected(net: Net, host: str, tally: Callable[[int], None]) -> None:
    fence = Fence(net.http.port, net.https.port, NAMES)
    net.http.set("/go", redirect(f"http://{host}/ok"))
    outcomes = [net.one(f"{scheme}://{host}/ok".replace(":80/", "/"), fence=fence) for scheme in ("http", "https")]
    outcomes.append(net.one("http://a.example/go", fence=fence))
    assert {address for address, _ in fence.connected} == {PUBLIC}
    assert [outcome.kind for outcome in outcomes] == ["private"] * 3
    assert outcomes[2].hint == "no request was sent; if you trust the host, add it as a source"
    tally(len(outcomes))


@pytest.mark.fault_class("network.guard")
@pytest.mark.parametrize("host", NO_HOSTS)
def test_invalid_hosts_are_not_looked_up(net: Net, host: str, tally: Callable[[int], None]) -> None:
    fence = Fence(net.http.port, net.https.port, NAMES)
    net.http.set("/go", redirect(f"http://{host}/ok"))
    assert net.one(f"http://{host}/ok", fence=fence).kind == "other"
    assert (fence.connected, fence.resolved) == ([], [])
    tally(1)


@pytest.mark.parametrize("home", [None, "http://hub.test/feed", "https://hub.test/", "http://HUB.test:80/x"])
def test_private_source_host_serves_its_own_pages(net: Net, home: str | None) -> None:
    fence = Fence(net.http.port, names={"hub.test": [("10.0.0.1",)]})
    net.http.set("/page", BODY)
    allowed = {"allow_private_hosts": ("hub.test",)}
    assert net.one("http://hub.test/page", fence=fence, limits=allowed, home=home).body == BODY


@pytest.mark.fault_class("network.guard")
@pytest.mark.parametrize(
    "home", ["", "http://a.example/", "http://hub.test:8080/", "http://x.hub.test/", "http://hub.test@a.example/"]
)
def test_other_sources_do_not_reach_an_allowed_host(net: Net, home: str) -> None:
    fence = Fence(net.http.port, names={"hub.test": [("10.0.0.1",)]})
    net.http.set("/go", redirect("http://hub.test/ok"))
    allowed = {"allow_private_hosts": ("hub.test",), "per_host": 4}
    for url, request_home in (
        ("http://hub.test/ok", home),
        ("http://a.example/go", None),
        ("http://a.example/go", home),
    ):
        assert net.one(url, fence=fence, limits=allowed, home=request_home).kind == "private"
    assert ("10.0.0.1", 80) not in fence.connected


def test_open_connections_are_not_shared_with_others(net: Net) -> None:
    from feedtool.http import Request

    fence = Fence(net.http.port, names={"hub.test": [("10.0.0.1",)]})
    net.http.set("/slowly", page(BODY, delay=0.3))
    net.http.set("/later", page(b"", status=302, headers=[("Location", "http://hub.test/ok")], delay=0.15))
    own = [Request(url=f"http://hub.test/{path}", key="own") for path in ("ok", "slowly", "slowly")]
    other = Request(url="http://a.example/later", key="other")
    outcomes = net.all([*own, other], fence=fence, allow_private_hosts=("hub.test",), per_host=1, timeout=20)
    assert {(one.key, getattr(one, "kind", "good")) for one in outcomes} == {("own", "good"), ("other", "private")}


LINKS = [
    *(
        "http://127.0.0.1/x",
        "http://inside.test/x",
        "http://hub.test/x",
        "http://p.example/away",
        "http://p.example/article",
    ),
    *("http://[::ffff:10.0.0.1]/x", "http://2130706433/"),
]
INWARD = ("http://hub.test/feed", "http://127.0.0.1/feed", "//inside.test/feed", "/away")


@pytest.fixture
def fence(net: Net, monkeypatch: pytest.MonkeyPatch) -> Fence:
    """Replace the network of the commands of this process by a fence."""
    item = "<item><title>T{0}</title><guid>{0}</guid><link>{1}</link><description>Short.</description></item>"
    linked = rss(*(item.format(at, link) for at, link in enumerate(LINKS)))
    inward = f"<html><head>{''.join(map(LINK.format, INWARD))}</head><body>Hi</body></html>"
    article = f"<html><body><article>{TEXT}</article></body></html>"
    net.http.set("/linked", linked)
    net.http.set("/wire", feed("guard"))
    net.http.set("/article", article, type="text/html")
    net.http.set("/inward", inward, type="text/html")
    net.http.set("/away", redirect("http://hub.test/wire"))
    net.http.set("/atom.xml", redirect("http://inside.test/atom.xml"))
    net.http.set("/feeds.opml", redirect("http://169.254.169.254/feeds.opml"))
    new_fence = Fence(
        net.http.port, names={"inside.test": [("10.0.0.7",)], "hub.test": [("10.0.0.1",)], "localhost": [("::1",)]}
    )
    monkeypatch.setattr(guard, "look_up", new_fence.resolve)
    monkeypatch.setattr(guard, "open_socket", new_fence.connect)
    return new_fence


def _reached(fence: Fence) -> set[str]:
    return {address for address, _ in fence.connected}


@pytest.mark.fault_class("network.ways")
def test_entry_pages_go_through_the_guard(
    fence: Fence, tmp_path: Path, tally: Callable[[int], None], capfd: pytest.CaptureFixture[str]
) -> None:
    source = '[[sources]]\nname = "A"\nurl = "http://f.example/linked"\nfull_text = true\n'
    site = make_site(tmp_path, {}, ALLOW + source)
    assert command(["ingest", "-C", str(site), "--json"]) == 0
    captured = capfd.readouterr()
    report = json.loads(captured.out)
    assert _reached(fence) == {PUBLIC}
    assert (report["new"], [problem["code"] for problem in report["problems"]]) == (7, ["FT309"])
    assert "10.0.0." not in captured.out + captured.err  # no output may show the private addresses of names
    assert "A sentence of the article" in (site / "articles/A/T4.md").read_text("utf-8")
    tally(6)


@pytest.mark.fault_class("network.ways")
@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("http://127.0.0.1/wire", "127.0.0.1 is a loopback address"),
        ("localhost/wire", "localhost resolves to ::1, a loopback address"),
        ("http://inside.test/wire", "inside.test resolves to 10.0.0.7, a private address"),
        ("http://ann:s3cret@127.1/wire", "127.0.0.1 is a loopback address"),
        ("http://b.example/away", "hub.test is not a public host; only a source of its own may use it"),
        ("http://b.example/inward", "this is not a feed, and no feed was found from here"),
        ("file:///etc/passwd", "must be an http or https URL"),
        ("gopher://127.0.0.1/", "must be an http or https URL"),
    ],
)
def test_add_goes_through_the_guard(
    fence: Fence, tmp_path: Path, url: str, words: str, capfd: pytest.CaptureFixture[str]
) -> None:
    site = make_site(tmp_path, {}, ALLOW)
    assert command(["add", url, "-C", str(site)]) == 2
    error_text = capfd.readouterr().err
    assert words in error_text
    assert "s3cret" not in error_text
    assert _reached(fence) <= {PUBLIC}
    assert "sources" not in (site / "feedtool.toml").read_text("utf-8")


def test_allowed_private_address_is_added_and_ingested(fence: Fence, tmp_path: Path) -> None:
    site = make_site(tmp_path, {}, ALLOW)
    assert command(["add", "http://hub.test/wire", "-C", str(site)]) == 0
    assert command(["ingest", "-C", str(site)]) == 0
    assert _reached(fence) == {"10.0.0.1"}


@pytest.mark.fault_class("network.ways")
@pytest.mark.parametrize("place", ["http://127.0.0.1/", "http://inside.test/", "http://c.example/"])
def test_check_against_goes_through_the_guard(fence: Fence, tmp_path: Path, place: str) -> None:
    site = make_site(tmp_path, {"a.md": article("A")}, ALLOW)
    assert command(["build", "-q", "-C", str(site)]) == 0
    assert command(["check", "--against", place, "-C", str(site)]) != 0
    assert _reached(fence) <= {PUBLIC}
