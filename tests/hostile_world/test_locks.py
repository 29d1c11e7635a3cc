"""Test that of two runs on one site one works and the other reports it, and that the lock of a dead process is free."""

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
from tests.hostile_world.guarded_site import GuardedSite, copied, site_files, template
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
def first() -> Iterator[GuardedSite]:
    with template() as new_site:
        outline = '<outline type="rss" text="A" xmlUrl="https://a.example/f"/>'
        (new_site.outside / "list.opml").write_text(f'<opml version="2.0"><head/><body>{outline}</body></opml>')
        yield new_site


@pytest.fixture
def guarded(first: GuardedSite) -> Iterator[GuardedSite]:
    with copied(first) as copy:
        yield copy


@contextmanager
def holder(guarded: GuardedSite) -> Iterator[subprocess.Popen[str]]:
    """Hold the lock of the site in another process."""
    words = [sys.executable, "-c", HOLDER, str(guarded.site / ".feedtool")]
    with subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment()) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


@pytest.mark.fault_class("crash.lock")
@pytest.mark.parametrize("name", LINES)
def test_second_run_is_refused_and_changes_nothing(guarded: GuardedSite, name: str) -> None:
    words = [word.format(outside=guarded.outside) for word in LINES[name]]
    before = site_files(guarded.site)
    with holder(guarded) as process:
        result = in_child(feedtool("-C", str(guarded.site), *words))
        assert result.code == 2, result.output
        assert WORDS in result.output
        assert site_files(guarded.site) == before
        process.send_signal(signal.SIGKILL)
        process.wait()
        # At once: the system frees the lock of a dead process.
        assert in_child(feedtool("-C", str(guarded.site), *words)).code == 0


@pytest.mark.fault_class("crash.lock")
@pytest.mark.parametrize("name", ["build --dry-run", "ingest --dry-run", "check", "new"])
def test_commands_without_a_lock_do_not_wait(guarded: GuardedSite, name: str) -> None:
    words = {
        "build --dry-run": ["build", "--dry-run"],
        "ingest --dry-run": ["ingest", "--dry-run", str(guarded.outside / "feed.xml")],
        "check": ["check"],
        "new": ["new", "Something"],
    }[name]
    with holder(guarded):
        result = in_child(feedtool("-C", str(guarded.site), *words))
        assert result.code == 0, result.output


@pytest.mark.fault_class("crash.lock")
def test_concurrent_runs_do_no_damage(guarded: GuardedSite, tally: Tally) -> None:
    lines = [LINES["build"], LINES["ingest"], LINES["build"], LINES["ingest"], LINES["build"]]
    started = [
        subprocess.Popen(
            command("-C", str(guarded.site), *[word.format(outside=guarded.outside) for word in words]),
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(),
        )
        for words in lines
    ]  # fmt: skip
    outputs = [process.communicate(timeout=300)[0] for process in started]
    for process, text in zip(started, outputs, strict=True):
        assert process.returncode in (0, 2), text
        assert process.returncode == 0 or WORDS in text
    assert 0 in {process.returncode for process in started}
    assert guarded.run(*[word.format(outside=guarded.outside) for word in LINES["ingest"]]).code == 0
    assert guarded.build().code == 0
    with copied(guarded) as other:
        for name in [*(other.site / "public").rglob("*"), *(other.site / ".feedtool").rglob("*")]:
            if name.is_file() and name.name not in ("CNAME", "x.jpg"):
                name.unlink()
        assert other.build().code == 0
        assert site_files(other.site) == site_files(guarded.site)
    assert not guarded.halves()
    tally(len(lines))


@pytest.mark.fault_class("crash.lock")
def test_concurrent_imports_succeed_or_are_refused(guarded: GuardedSite) -> None:
    started = []
    for number in range(4):
        outline = f'<outline type="rss" text="S{number}" xmlUrl="https://s{number}.example/f"/>'
        (guarded.outside / f"{number}.opml").write_text(f'<opml version="2.0"><head/><body>{outline}</body></opml>')
        words = command("-C", str(guarded.site), "opml", "import", str(guarded.outside / f"{number}.opml"))
        started.append(
            subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment())
        )
    outputs = [process.communicate(timeout=300)[0] for process in started]
    settings = (guarded.site / "feedtool.toml").read_text()
    for number, process in enumerate(started):
        assert process.returncode in (0, 2), outputs[number]
        assert (f"https://s{number}.example/f" in settings) == (process.returncode == 0), outputs[number]


@pytest.mark.slow
@pytest.mark.fault_class("crash.lock")
def test_ingest_during_serve_rebuilds_the_preview(guarded: GuardedSite) -> None:
    words = command("serve", "-C", str(guarded.site), "--port", "0")
    with subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment()
    ) as process:
        try:
            atom = guarded.site / ".feedtool" / "preview" / "public" / "atom.xml"
            until(atom.exists)
            before = site_files(guarded.site)
            for _ in range(2):
                result = guarded.run(*[word.format(outside=guarded.outside) for word in LINES["ingest"]])
                assert result.code == 0, result.output
            until(lambda: b"Story 2" in atom.read_bytes())
            assert guarded.build().code == 0
            assert {
                name: data
                for name, data in site_files(guarded.site).items()
                if name in before and name.startswith("articles/")
            } == {name: data for name, data in before.items() if name.startswith("articles/")}
            assert process.poll() is None
        finally:
            process.send_signal(signal.SIGINT)
            line = process.communicate(timeout=60)[0]
    assert "Traceback" not in line


def until(true: Callable[[], bool]) -> None:
    """Wait for a condition for up to a minute."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline, "the condition was not true within a minute"
        time.sleep(0.05)


@pytest.mark.fault_class("crash.lock")
def test_lock_reports_a_read_only_site(guarded: GuardedSite) -> None:
    if not can_mount():
        assert not os.environ.get("FEEDTOOL_CI"), "mounts are not allowed, and FEEDTOOL_CI forbids skips"
        pytest.skip("mounts are not allowed here")
    for words in (("build",), ("prune", "--keep-last", "1"), ("opml", "import", str(guarded.outside / "list.opml"))):
        result = in_child(feedtool("-C", str(guarded.site), *words), setups=[read_only(guarded.site)])
        assert result.code == 2, result.output
        assert "ead-only" in result.output
    assert guarded.run("build", "--dry-run", setups=[read_only(guarded.site)]).code == 0
