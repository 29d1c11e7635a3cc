"""Two runs at once on one site: one works and the other says so; a lock of the dead holds nobody up."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from tests.hostile_world.child import can_mount, feedtool, read_only
from tests.hostile_world.child import child as in_child
from tests.hostile_world.yard import Yard, copied, held, template
from tests.support.site import command, environment

Tally = Callable[[int], None]
WORDS = "another run of feedtool is at work on this site"
HOLDER = """
import sys, time
from feedtool.catalog.index import lock
with lock(sys.argv[1]):
    print("held", flush=True)
    time.sleep(600)
"""
LINES = {
    "build": ("build",),
    "ingest": ("ingest", "{outside}/feed.xml", "--name", "Wire"),
    "check --fix": ("check", "--fix"),
    "prune": ("prune", "--keep-last", "1"),
    "opml import": ("opml", "import", "{outside}/list.opml"),
}


@pytest.fixture(scope="module")
def first() -> Iterator[Yard]:
    with template() as made:
        outline = '<outline type="rss" text="A" xmlUrl="https://a.example/f"/>'
        (made.outside / "list.opml").write_text(f'<opml version="2.0"><head/><body>{outline}</body></opml>')
        yield made


@pytest.fixture
def yard(first: Yard) -> Iterator[Yard]:
    with copied(first) as made:
        yield made


@contextmanager
def holder(yard: Yard) -> Iterator[subprocess.Popen[str]]:
    """Hold the site's lock in another process."""
    words = [sys.executable, "-c", HOLDER, str(yard.site / ".feedtool")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.fault_class("crash.lock")
@pytest.mark.parametrize("name", LINES)
def test_second_run_is_refused_and_changes_nothing(yard: Yard, name: str) -> None:
    words = [word.format(outside=yard.outside) for word in LINES[name]]
    before = held(yard.site)
    with holder(yard) as process:
        ended = in_child(feedtool("-C", str(yard.site), *words))
        assert ended.code == 2, ended.said
        assert WORDS in ended.said
        assert held(yard.site) == before
        process.send_signal(signal.SIGKILL)
        process.wait()
        # At once: the system frees the lock of the dead.
        assert in_child(feedtool("-C", str(yard.site), *words)).code == 0


@pytest.mark.fault_class("crash.lock")
@pytest.mark.parametrize("name", ["build --dry-run", "ingest --dry-run", "check", "new"])
def test_commands_without_a_lock_do_not_wait(yard: Yard, name: str) -> None:
    words = {
        "build --dry-run": ["build", "--dry-run"],
        "ingest --dry-run": ["ingest", "--dry-run", str(yard.outside / "feed.xml")],
        "check": ["check"],
        "new": ["new", "Something"],
    }[name]
    with holder(yard):
        ended = in_child(feedtool("-C", str(yard.site), *words))
        assert ended.code == 0, ended.said


@pytest.mark.fault_class("crash.lock")
def test_concurrent_runs_do_no_damage(yard: Yard, tally: Tally) -> None:
    lines = [LINES["build"], LINES["ingest"], LINES["build"], LINES["ingest"], LINES["build"]]
    started = [
        subprocess.Popen(
            command("-C", str(yard.site), *[word.format(outside=yard.outside) for word in words]),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(),
        )
        for words in lines
    ]  # fmt: skip
    said = [process.communicate(timeout=300)[0] for process in started]
    for process, text in zip(started, said, strict=True):
        assert process.returncode in (0, 2), text
        assert process.returncode == 0 or WORDS in text
    assert 0 in {process.returncode for process in started}
    assert yard.run(*[word.format(outside=yard.outside) for word in LINES["ingest"]]).code == 0
    assert yard.build().code == 0
    with copied(yard) as other:
        for name in [*(other.site / "public").rglob("*"), *(other.site / ".feedtool").rglob("*")]:
            if name.is_file() and name.name not in ("CNAME", "x.jpg"):
                name.unlink()
        assert other.build().code == 0
        assert held(other.site) == held(yard.site)
    assert not yard.halves()
    tally(len(lines))


@pytest.mark.fault_class("crash.lock")
def test_concurrent_imports_succeed_or_are_refused(yard: Yard) -> None:
    started = []
    for number in range(4):
        outline = f'<outline type="rss" text="S{number}" xmlUrl="https://s{number}.example/f"/>'
        (yard.outside / f"{number}.opml").write_text(f'<opml version="2.0"><head/><body>{outline}</body></opml>')
        words = command("-C", str(yard.site), "opml", "import", str(yard.outside / f"{number}.opml"))
        started.append(
            subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment())
        )
    said = [process.communicate(timeout=300)[0] for process in started]
    settings = (yard.site / "feedtool.toml").read_text()
    for number, process in enumerate(started):
        assert process.returncode in (0, 2), said[number]
        assert (f"https://s{number}.example/f" in settings) == (process.returncode == 0), said[number]


@pytest.mark.slow
@pytest.mark.fault_class("crash.lock")
def test_ingest_during_serve_rebuilds_the_preview(yard: Yard) -> None:
    words = command("serve", "-C", str(yard.site), "--port", "0")
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
    ) as process:
        try:
            atom = yard.site / ".feedtool" / "preview" / "public" / "atom.xml"
            until(atom.exists)
            before = held(yard.site)
            for _ in range(2):
                ended = yard.run(*[word.format(outside=yard.outside) for word in LINES["ingest"]])
                assert ended.code == 0, ended.said
            until(lambda: b"Story 2" in atom.read_bytes())
            assert yard.build().code == 0
            assert {
                name: data for name, data in held(yard.site).items() if name in before and name.startswith("articles/")
            } == {name: data for name, data in before.items() if name.startswith("articles/")}
            assert process.poll() is None
        finally:
            process.send_signal(signal.SIGINT)
            said = process.communicate(timeout=60)[0]
    assert "Traceback" not in said


def until(true: Callable[[], bool]) -> None:
    """Wait for something, with a wide margin."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "it did not come about within a minute"
        time.sleep(0.05)


@pytest.mark.fault_class("crash.lock")
def test_lock_reports_a_read_only_site(yard: Yard) -> None:
    if not can_mount():
        assert not os.environ.get("FEEDTOOL_CI"), "mounts are not allowed, and FEEDTOOL_CI lets nothing be skipped"
        pytest.skip("mounts are not allowed here")
    for words in (("build",), ("prune", "--keep-last", "1"), ("opml", "import", str(yard.outside / "list.opml"))):
        ended = in_child(feedtool("-C", str(yard.site), *words), setups=[read_only(yard.site)])
        assert ended.code == 2, ended.said
        assert "ead-only" in ended.said
    assert yard.run("build", "--dry-run", setups=[read_only(yard.site)]).code == 0
