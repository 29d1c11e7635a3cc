"""Test that runs that are killed, die or fail at any call leave old or new files, and that the next run completes them."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.hostile_world.child import ChildResult, child, feedtool
from tests.hostile_world.crashes import Step, Survivor, assert_old_or_new, assert_same, steps
from tests.hostile_world.dying import DIED, Fault
from tests.hostile_world.guarded_site import GuardedSite, copied, site_files, template
from tests.reliability.results import FULL, trials
from tests.support.site import article, build, command, environment, make_site, tree

Tally = Callable[[int], None]


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> list[Step]:
    return list(steps(tmp_path_factory.mktemp("steps")))


@pytest.fixture(scope="module")
def first() -> Iterator[GuardedSite]:
    with template() as new_site:
        yield new_site


@pytest.mark.slow
@pytest.mark.fault_class("crash.kill")
@pytest.mark.parametrize("seed", range(trials(1, 5)))
def test_killed_runs_leave_whole_files_and_converge(tmp_path: Path, seed: int, tally: Tally) -> None:
    kills = trials(15, 100)
    one = Survivor(tmp_path, seed)
    while one.kills < kills:
        one.hour(kills)
    tally(one.kills)


def calls_of(step: Step, place: Path) -> list[str]:
    """Return the calls of an undisturbed run."""
    counting = Fault(0, "")
    site = step.again(place)
    result = child(lambda: step.work(site), setups=[counting], after=lambda: counting.calls)
    assert result.code == 0, result.output
    calls: list[str] = result.after
    return calls


def chosen(calls: list[str], count: int, offset: int, *, every: int = 1) -> list[int]:
    """Return the numbers (from 1 on) of the tried calls: `count` of them; in the full form all, or one of `every`."""
    step = every if FULL else max(1, len(calls) // count)
    return list(range(1 + offset % step, len(calls) + 1, step))


@pytest.mark.slow
@pytest.mark.fault_class("crash.call")
@pytest.mark.parametrize("how", ["before", "half", "after"])
@pytest.mark.parametrize("which", [0, 1], ids=["ingest", "build"])
def test_crash_at_any_call_leaves_whole_files(
    tried: list[Step], tmp_path: Path, which: int, how: str, tally: Tally
) -> None:
    step = tried[which]
    calls = calls_of(step, tmp_path / "site")
    writes = [number for number, call in enumerate(calls, 1) if call in ("write", "writev")]
    numbers = chosen(calls, 4, len(how)) if how != "half" else writes[:: trials(len(writes) // 3, 1)]
    for number in numbers:
        site = step.again(tmp_path / "site")
        result = child(partial(step.work, site), setups=[Fault(number, how)])
        assert result.code in (DIED, 0), (number, result.output)
        assert_old_or_new(site_files(site), step.old, step.new)
        recover(step, site, without_index=number % 2 == 0)
    tally(len(numbers))


@pytest.mark.slow
@pytest.mark.fault_class("crash.error")
@pytest.mark.parametrize("name", ["ENOSPC", "EIO", "EDQUOT", "EROFS", "EMFILE", "EACCES"])
@pytest.mark.parametrize("which", [0, 1], ids=["ingest", "build"])
def test_io_error_is_reported_and_leaves_whole_files(
    tried: list[Step], tmp_path: Path, which: int, name: str, tally: Tally
) -> None:
    step = tried[which]
    calls = calls_of(step, tmp_path / "site")
    numbers = chosen(calls, 2, sum(map(ord, name)), every=1 if name in ("ENOSPC", "EIO") else 5)
    for number in numbers:
        site = step.again(tmp_path / "site")
        result = child(partial(step.work, site), setups=[Fault(number, getattr(errno, name))])
        assert result.calm, (number, calls[number - 1], result.output)
        now = site_files(site)
        if result.code == 0:
            assert_same({n: d for n, d in now.items() if n in step.new}, step.new)
        elif which == 0:
            # A run that could not do everything keeps its own records; `recover` shows below that they are whole.
            now["feedtool.state"] = step.old["feedtool.state"]
        assert_old_or_new(now, step.old, step.new)
        if calls[number - 1] != "unlink":
            assert [one for one in now if one.endswith(".feedtool-new")] == []
        recover(step, site, without_index=number % 2 == 0)
    tally(len(numbers))


def recover(step: Step, site: Path, *, without_index: bool) -> None:
    if without_index:
        shutil.rmtree(site / ".feedtool", ignore_errors=True)
    result = child(lambda: step.work(site))
    assert result.code == 0, result.output
    assert_same(site_files(site), step.new)


needs_strace = pytest.mark.skipif(
    not shutil.which("strace") and not os.environ.get("FEEDTOOL_CI"), reason="strace is not installed"
)


@needs_strace
@pytest.mark.slow
@pytest.mark.fault_class("crash.call")
def test_kill_during_sqlite_write_leaves_whole_files(first: GuardedSite, tally: Tally) -> None:
    killed = 0
    number = 1
    while True:
        with copied(first) as guarded:
            words = ["strace", "-f", "-qq", "-o", os.devnull, "-e", "trace=pwrite64,fdatasync,ftruncate"]
            words += ["-e", f"inject=pwrite64,fdatasync,ftruncate:signal=SIGKILL:when={number}"]
            words += command("build", "-C", str(guarded.site), "--jobs", "1", "--quiet")
            done = subprocess.run(words, env=environment(), capture_output=True, timeout=120, check=False)
            assert_old_or_new(ours(guarded), own(guarded.old), own(guarded.new))
            result = guarded.build()
            assert result.code == 0, result.output
            assert_same(ours(guarded), own(guarded.new))
        if done.returncode == 0:
            break
        killed += 1
        number += trials(5, 1)
    assert killed >= 2
    tally(killed)


def own(files: dict[str, bytes]) -> dict[str, bytes]:
    return {name: data for name, data in files.items() if not name.startswith(("public/CNAME", "public/photos"))}


def ours(guarded: GuardedSite) -> dict[str, bytes]:
    return own(site_files(guarded.site))


@pytest.mark.slow
@pytest.mark.fault_class("crash.kill")
def test_killed_builds_leave_no_child_processes(tmp_path: Path, tally: Tally) -> None:
    many = {
        f"n{n}.md": article(f"N{n}", date=f"2022-07-{n % 28 + 1:02}", front=f"categories: [C{n % 5}]\n")
        for n in range(160)
    }
    site = make_site(tmp_path / "site", many, "[feeds]\nlimit = 200\n")
    other = make_site(tmp_path / "other", many, "[feeds]\nlimit = 200\n")
    began = child(lambda: _build(other))
    assert began.code == 0, began.output
    count = trials(2, 20)
    for number in range(count):
        # `child` fails if a process of its session outlives it.
        child(lambda: _build(site), kill_after=began.seconds * (number + 1) / (count + 1))
    assert child(lambda: _build(site)).code == 0
    assert tree(site / "public") == tree(other / "public")
    tally(count)


def _build(site: Path) -> int:
    from feedtool.cli.main import run

    return run(["build", "-C", str(site), "--jobs", "2", "--quiet"])


@pytest.mark.fault_class("crash.kill")
def test_killed_new_leaves_a_whole_article_or_none(first: GuardedSite, tally: Tally) -> None:
    calls = 0
    for number in range(1, 40):
        with copied(first) as guarded:
            before = set(tree(guarded.site / "articles"))
            result = guarded.run(
                "new", "Something", "-c", "Else", setups=[Fault(number, "half" if number % 2 else "before")]
            )
            fresh = {name: data for name, data in tree(guarded.site / "articles").items() if name not in before}
            whole = {name: data for name, data in fresh.items() if name.endswith(".md")}
            assert all(data.endswith(b"---\n\n") for data in whole.values())
            again = guarded.run("new", "Something", "-c", "Else")
            assert again.code == 0, again.output
            if result.code == 0:
                break
            calls += 1
    assert calls > 3
    tally(calls)


@pytest.mark.fault_class("crash.kill")
@pytest.mark.parametrize(
    "words", [("check", "--fix"), ("opml", "import"), ("prune", "--keep-last", "1")], ids=["fix", "import", "prune"]
)
def test_interrupted_edits_leave_files_old_or_new(first: GuardedSite, words: tuple[str, ...], tally: Tally) -> None:
    outlines = '<outline type="rss" text="A" xmlUrl="https://a.example/f"/>'
    (first.outside / "list.opml").write_text(f'<opml version="2.0"><head/><body>{outlines}</body></opml>')
    with copied(first) as guarded:
        assert guarded.run("ingest", str(guarded.outside / "feed.xml"), "--name", "Wire").code == 0
        old = own(site_files(guarded.site))
        line = [word for word in words if word != "import"] if words[0] == "opml" else list(words)
        with copied(guarded) as other:
            assert run_line(other, words).code == 0
            new = own(site_files(other.site))
        assert new != old, line
        calls = 0
        # An odd step, so that calls fail in both ways.
        for number in range(1, 60, trials(3, 1)):
            with copied(guarded) as other:
                result = run_line(other, words, Fault(number, "half" if number % 2 else "before"))
                now = own(site_files(other.site))
                assert_old_or_new(now | {"public/.feedtool-manifest": old["public/.feedtool-manifest"]}, old, new)
                assert run_line(other, words).code == 0
                assert_same(own(site_files(other.site)), new)
            if result.code == 0:
                break
            calls += 1
    assert number > 4, "a run makes too few calls"
    tally(calls)


def run_line(guarded: GuardedSite, words: tuple[str, ...], *setups: Fault) -> ChildResult:
    more = [str(guarded.outside / "list.opml")] if words[0] == "opml" else []
    return child(feedtool("-C", str(guarded.site), *words, *more), setups=list(setups))


def test_build_after_a_kill_reports_as_usual(first: GuardedSite) -> None:
    with copied(first) as guarded:
        guarded.build(setups=[Fault(20, "before")])
        assert build(guarded.site).exit_code == 0
