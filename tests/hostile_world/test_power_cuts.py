"""Test the order of system calls that decides about the damage of a power cut: data, name, folder, dependent files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator

import pytest

from tests.hostile_world.guarded_site import GuardedSite, copied, template
from tests.hostile_world.trace import Call, trace

pytestmark = pytest.mark.skipif(
    not shutil.which("strace") and not os.environ.get("FEEDTOOL_CI"), reason="strace is not installed"
)
COMMANDS = {
    "build": ("build", "--jobs", "1"),
    "ingest": ("ingest", "{outside}/feed.xml", "--name", "Wire"),
    "check --fix": ("check", "--fix"),
    "new": ("new", "Something", "-c", "A folder"),
    "opml import": ("opml", "import", "{outside}/list.opml"),
    "opml export": ("opml", "export", "-o", "{outside}/made.opml"),
    "init": ("init", "{place}/fresh", "--quiet"),
    "prune": ("prune", "--keep-last", "1"),
}
DERIVED = "/.feedtool/"


@pytest.fixture(scope="module")
def first() -> Iterator[GuardedSite]:
    with template() as new_site:
        outline = '<outline type="rss" text="A" xmlUrl="https://a.example/f"/>'
        (new_site.outside / "list.opml").write_text(f'<opml version="2.0"><head/><body>{outline}</body></opml>')
        yield new_site


@pytest.mark.fault_class("crash.power")
@pytest.mark.parametrize("name", COMMANDS)
def test_file_is_synced_before_rename_and_folder_after(
    first: GuardedSite, name: str, tally: Callable[[int], None]
) -> None:
    with copied(first) as guarded:
        if name == "prune":
            assert guarded.run("ingest", str(guarded.outside / "feed.xml"), "--name", "Wire").code == 0
        words = [word.format(outside=guarded.outside, place=guarded.place) for word in COMMANDS[name]]
        site = [] if name == "init" else ["-C", str(guarded.site)]
        code, calls = trace(*site, *words)
        assert code == 0
        mine = [
            call
            for call in calls
            if any(path.startswith(str(guarded.place)) for path in call.paths) or call.name == "sync"
        ]
        named = [
            at
            for at, call in enumerate(mine)
            if call.name.startswith(("rename", "link")) and not is_derived(call.paths[-1])
        ]
        assert named
        for at in named:
            assert_durable(mine, at)
        for at, call in enumerate(mine):
            if call.name == "mkdir" and not is_derived(call.paths[0]):
                assert is_folder_synced(mine, at, os.path.dirname(call.paths[0])), (
                    f"{call.paths[0]} is a folder that may be lost"
                )
        assert_only_renamed(mine)
        tally(len(named))


@pytest.mark.fault_class("crash.power")
def test_state_is_written_after_articles(first: GuardedSite) -> None:
    with copied(first) as guarded:
        _, calls = trace("-C", str(guarded.site), "ingest", str(guarded.outside / "feed.xml"), "--name", "Wire")
        names = [
            at for at, call in enumerate(calls) if call.name.startswith("rename") and "/articles/" in call.paths[-1]
        ]
        state = next(
            at
            for at, call in enumerate(calls)
            if call.name.startswith("rename") and call.paths[-1].endswith("/feedtool.state")
        )
        folder = str(guarded.site / "articles" / "Wire")
        assert len(names) == 2
        assert any(call == Call("fsync", (folder,)) for call in calls[max(names) : state]), (
            "the state is written before the articles"
        )


@pytest.mark.fault_class("crash.power")
def test_manifest_is_written_before_output_files(first: GuardedSite) -> None:
    with copied(first) as guarded:
        shutil.rmtree(guarded.site / "public")
        shutil.rmtree(guarded.site / ".feedtool")
        _, calls = trace("-C", str(guarded.site), "build", "--jobs", "1")
        folder = str(guarded.site / "public")
        names = [
            at for at, call in enumerate(calls) if call.name.startswith("rename") and call.paths[-1].startswith(folder)
        ]
        assert calls[names[0]].paths[-1].endswith(".feedtool-manifest")
        assert any(call == Call("fsync", (folder,)) for call in calls[names[0] : names[1]])
        index = next(
            at
            for at, call in enumerate(calls)
            if call.name.startswith("rename") and call.paths[-1].endswith("/.feedtool/index")
        )
        assert index > max(names), "the index lists files that may be lost"


def is_derived(path: str) -> bool:
    return DERIVED in path


def assert_durable(calls: list[Call], at: int) -> None:
    """Assert that a file is fsynced after its last write and before its rename `at`, and its folder afterwards."""
    source, target = calls[at].paths[0], calls[at].paths[-1]
    about = [call.name for call in calls[:at] if call.paths and call.paths[-1] == source]
    assert "fsync" in about, f"{target} gets its name before its bytes are durable"
    assert about[len(about) - 1 - about[::-1].index("fsync") :].count("write") == 0, (
        f"{source} is written after its fsync"
    )
    assert is_folder_synced(calls, at, os.path.dirname(target)), f"{target} may lose its name"


def is_folder_synced(calls: list[Call], at: int, folder: str) -> bool:
    return any(call.name == "sync" or call == Call("fsync", (folder,)) for call in calls[at:])


def assert_only_renamed(calls: list[Call]) -> None:
    """Assert that no file is written under its final name."""
    ours = [
        call.paths[-1]
        for call in calls
        if call.name in ("openat", "write") and call.paths and not is_derived(call.paths[-1])
    ]
    assert [path for path in ours if not path.endswith(".feedtool-new")] == []
