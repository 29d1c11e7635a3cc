"""Test how a real `feedtool ingest` ends for every fault of a server and every hostile body: messages, articles, state."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.hostile_world.network.bodies import BODIES
from tests.hostile_world.network.faults import CONNECTING, PATIENT, WAITING, Fault
from tests.hostile_world.network.play import COLUMNS, played, routes_of
from tests.hostile_world.network.servers import World, world
from tests.support.server import as_behaviour
from tests.support.site import tree

EXPECTED = Path(__file__).with_name("expected.tsv")
READ = {name: Fault(as_behaviour(body)) for name, body in BODIES.items()}
EVERY = {**WAITING, **CONNECTING, **PATIENT, **READ}
INSIDE = {
    "metadata.test": ["169.254.169.254"],
    "mixed.test": ["93.184.215.14", "10.0.0.1"],
    "localhost": ["127.0.0.1", "::1"],
}
TRUSTED = ("secure.example", "down.example")
PATIENCE = "max_bytes = 3000000\ntimeout = 120"


@pytest.fixture(scope="module")
def running_world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with world(tmp_path_factory.mktemp("world"), routes_of(EVERY), TRUSTED) as running:
        running.names |= INSIDE
        yield running


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sites")


@pytest.fixture(scope="module")
def rows(running_world: World, site: Path) -> dict[str, tuple[str, ...]]:
    """Return the rows of all faults, each kind ingested in one run; only faults without another end have a short deadline."""
    return {
        **played(running_world, site / "waiting", WAITING, "timeout = 4\nconcurrency = 32"),
        **played(running_world, site / "connecting", CONNECTING, "timeout = 15"),
        **played(running_world, site / "patient", PATIENT, PATIENCE),
        **played(running_world, site / "bodies", READ, PATIENCE),
    }


@pytest.mark.fault_class("network.faults")
def test_every_fault_has_its_expected_outcome(
    rows: dict[str, tuple[str, ...]], accept: bool, tally: Callable[[int], None]
) -> None:
    text = "".join("\t".join(row) + "\n" for row in (COLUMNS, *rows.values()))
    if accept:
        EXPECTED.write_text(text, "utf-8")
    assert text.splitlines() == EXPECTED.read_text("utf-8").splitlines()
    tally(len(rows))


@pytest.mark.fault_class("network.guard")
def test_only_public_addresses_are_connected_to(running_world: World, rows: dict[str, tuple[str, ...]]) -> None:
    notes = running_world.notes()
    connected = {line.split()[1] for line in notes if line.startswith("connect ")}
    assert {address for address in connected if not address.startswith(("93.184.215.", "93.184.216."))} == set()
    resolved = [line for line in notes if line.startswith("resolve h") and ".example" in line]
    assert len(resolved) >= len(set(resolved)) > 100


def test_ingest_leaks_no_file_and_writes_only_articles(site: Path, rows: dict[str, tuple[str, ...]]) -> None:
    for path, data in tree(site).items():
        assert b"root:" not in data, path
        assert b"evil" not in data, path
        assert len(data) < 4_000_000, path
    new = sum(int(row[2]) for row in rows.values())
    assert len([path for path in tree(site) if "/articles/" in path]) == new


def test_proxies_netrc_and_cookies_are_ignored(running_world: World, rows: dict[str, tuple[str, ...]]) -> None:
    requests = [*running_world.http.log, *running_world.https.log]
    assert len(requests) > 50
    assert not [one for one in requests if {"authorization", "cookie", "proxy-authorization"} & set(one.headers)]
    assert all(one.path.startswith("/") for one in requests)  # a proxy would get the whole address
