"""Test the lookup index: what it holds of a folder after each change, and what it reports."""

from __future__ import annotations

import errno
import os
import sqlite3
import subprocess
import sys
import time
from datetime import UTC
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from feedtool import storage
from feedtool.articles.provenance import Stamp, stamp_text
from feedtool.articles.writer import MatchingFields
from feedtool.catalog import fingerprints
from feedtool.errors import OutputError
from feedtool.ingesting import lookup as lookup_module
from feedtool.ingesting.lookup import MAX_PARAMETERS, LookupIndex, make_folder
from feedtool.ingesting.matches import ExistingArticle
from feedtool.storage import prefixes
from tests.support.site import article, build, environment, make_site, run, write

STAMP = Stamp("S", ("abcd", "efgh"), "ijkl")
OWN = f"feedtool: '{stamp_text(STAMP)}'\n"
DATE = "2024-01-02T00:00:00Z"
SECONDS = 1_704_153_600


def text(
    guid: str, *, link: str = "", title: str = "T", date: str = DATE, more: str = OWN, body: str = "<p>B</p>\n"
) -> str:
    linked = f"link: {link}\n" if link else ""
    return f"---\ntitle: {title}\ndate: {date}\nguid: {guid}\n{linked}{more}---\n{body}"


def existing(path: str, guid: str, **facts: Any) -> ExistingArticle:
    given = {"link": "", "title": "T", "source": "S", "published": SECONDS, **facts}
    return ExistingArticle(path, guid, **given)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a folder of three articles of a source and one of a person."""
    place = tmp_path / "articles"
    write(place / "a.md", text("g-a", link="https://www.e.org/a?utm_source=x"))
    write(place / "s/b.md", text("g-b", date="2024-01-03T00:00:00Z"))
    write(place / "s/c.md", text("g-c", title="", date="never"))
    write(place / "s/mine.md", text("g-m", more="", date="2024-01-01T00:00:00Z"))
    time.sleep(0.03)
    return place


A = existing("a.md", "g-a", link="e.org/a")
B = existing("s/b.md", "g-b", published=SECONDS + 86_400)
C = existing("s/c.md", "g-c", title="c", published=0)
MINE = existing("s/mine.md", "g-m", source="", published=SECONDS - 86_400)


def refreshed(root: Path, path: Path | None = None, zone: Any = UTC) -> LookupIndex:
    index = LookupIndex(str(root), str(path) if path else None, zone=zone)
    index.refresh("articles/")
    return index


def test_articles_are_found_by_guid_link_and_source(root: Path) -> None:
    index = refreshed(root)
    assert index.count() == 4
    assert [index.by_guid(guid) for guid in ("g-a", "g-b", "g-m", "none", "")] == [[A], [B], [MINE], [], []]
    assert [index.by_link(link) for link in ("e.org/a", "e.org", "")] == [[A], [], []]
    assert index.existing_guids(["g-a", "x", "g-c", "g-a"]) == {"g-a", "g-c"}
    assert list(index.all_from_sources()) == [B, A, C]
    assert [index.recent("S", count) for count in (1, 2, 9)] == [[B], [B, A], [B, A, C]]
    assert index.recent("T", 9) == []
    index.source_folders = {"S": "s/", "T": "s/"}
    assert index.recent("S", 1) == [B, MINE]
    assert index.recent("T", 9) == [MINE]
    assert [index.stamp(path) for path in ("a.md", "s/mine.md", "none")] == [STAMP, Stamp(), Stamp()]
    assert (index.problems, index.unreadable, index.is_incomplete, index.vanished, index.notes) == (
        [],
        set(),
        False,
        [],
        [],
    )


def test_query_returns_at_most_a_hundred_articles(tmp_path: Path) -> None:
    for number in range(101):
        write(tmp_path / f"{number:03}.md", text("g", link="https://e.org/"))
    index = refreshed(tmp_path)
    assert [one.path for one in index.by_guid("g")] == [f"{number:03}.md" for number in range(100)]
    assert [one.path for one in index.by_link("e.org")] == [f"{number:03}.md" for number in range(100)]


def test_any_number_of_guids_can_be_looked_up(root: Path) -> None:
    index = refreshed(root)
    for count in (MAX_PARAMETERS - 1, MAX_PARAMETERS, MAX_PARAMETERS + 1, 2 * MAX_PARAMETERS + 1):
        guids = [f"x{number}" for number in range(count)]
        assert index.existing_guids(["g-a", *guids, "g-b"]) == {"g-a", "g-b"}
    assert index.existing_guids([]) == set()


def test_dates_without_a_zone_use_the_zone_of_the_site(tmp_path: Path) -> None:
    write(tmp_path / "a.md", text("g", date="2024-01-02 08:00"))
    write(tmp_path / "2024-01-02-b.md", "---\nguid: h\n---\n")
    index = refreshed(tmp_path, zone=ZoneInfo("Asia/Shanghai"))
    assert [one.published for one in (*index.by_guid("g"), *index.by_guid("h"))] == [SECONDS, SECONDS - 8 * 3600]
    assert index.by_guid("h")[0].title == "2024-01-02-b"


def test_text_of_an_article_is_its_beginning(root: Path) -> None:
    index = refreshed(root)
    write(root / "a.md", text("g-a", body=f"<p>{'x' * 2001}</p>"))
    assert index.text(A) == "x" * 2000
    # Eight times as much of the body is read.
    for blanks, found in ((15_996, "x"), (15_997, "")):
        write(root / "a.md", text("g-a", body=f"<p>{' ' * blanks}x</p>"))
        assert index.text(A) == found
    (root / "a.md").unlink()
    assert index.text(A) == ""


def test_refresh_follows_every_change_of_a_folder(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "ingest"
    read: list[str] = []
    real = storage.read_prefixes

    def read_prefixes(names: list[str], size: int, *, folder: str) -> Any:
        read.extend(f"{folder}{name}".removeprefix(f"{root}/") for name in names)
        return real(names, size, folder=folder)

    monkeypatch.setattr(storage, "read_prefixes", read_prefixes)

    def step() -> tuple[list[str], list[ExistingArticle], list[ExistingArticle]]:
        read.clear()
        with refreshed(root, database) as index:
            index.commit()
            found = sorted(read), index.vanished, sorted([*index.by_guid("g-m"), *index.all_from_sources()])
            assert index.notes == []
        return found

    every = sorted([A, B, C, MINE])
    assert step() == (["a.md", "s/b.md", "s/c.md", "s/mine.md"], [], every)
    time.sleep(0.03)
    assert step() == ([], [], every)
    write(root / "s/b.md", text("g-b2"))
    time.sleep(0.03)
    changed = existing("s/b.md", "g-b2")
    assert step() == (["s/b.md"], [], sorted([A, changed, C, MINE]))
    (root / "s/mine.md").unlink()
    (root / "s/c.md").unlink()
    assert step() == ([], [C], sorted([A, changed]))
    write(root / "s/d.md", text("g-d"))
    time.sleep(0.03)
    assert step() == (["s/d.md"], [], sorted([A, changed, existing("s/d.md", "g-d")]))
    for name in ("b.md", "d.md"):
        (root / "s" / name).unlink()
    assert step() == ([], [changed, existing("s/d.md", "g-d")], [A])
    (root / "s").rmdir()
    assert step() == ([], [], [A])
    os.symlink(tmp_path, root / "z")
    with refreshed(root, database) as index:
        assert [one.code for one in index.problems] == [one.code for one in refreshed(root).problems]


def test_file_rewritten_within_a_tick_is_read_again(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A coarse clock: every file has the same times, which are those of the first run.
    tick = time.time_ns() // 10**9 * 10**9
    real = storage.walk_articles

    def coarse(*given: Any, **more: Any) -> Any:
        for folder in real(*given, **more):
            yield folder._replace(files=[(name, size, tick, tick) for name, size, _, _ in folder.files])

    monkeypatch.setattr(storage, "walk_articles", coarse)
    database = tmp_path / "ingest"

    def run() -> list[bool]:
        with refreshed(root, database) as index:
            index.commit()
            return [bool(index.by_guid(guid)) for guid in ("g-a", "g-x")]

    assert run() == [True, False]
    write(root / "a.md", text("g-x", link="https://www.e.org/a?utm_source=x"))
    # Long after both writes, the stat data are the same as in the first run.
    monkeypatch.setattr(fingerprints.time, "time_ns", lambda: tick + 10**10)
    assert run() == [False, True]
    write(root / "a.md", text("g-a", link="https://www.e.org/a?utm_source=x"))
    assert run() == [False, True], "a write that keeps its stat data after the tick cannot be found"


def test_changed_environment_reads_every_file_again(root: Path, tmp_path: Path) -> None:
    database = tmp_path / "ingest"
    dates = []
    for zone in (UTC, ZoneInfo("Asia/Shanghai"), UTC):
        write(root / "s/b.md", text("g-b", date="2024-01-03 00:00:00"))
        time.sleep(0.03)
        for _ in range(2):
            with refreshed(root, database, zone) as index:
                index.commit()
                dates.append(index.by_guid("g-b")[0].published - SECONDS)
    assert dates == [86_400, 86_400, 57_600, 57_600, 86_400, 86_400]
    time.sleep(0.03)
    # Without a change of the file itself.
    with refreshed(root, database, ZoneInfo("Asia/Shanghai")) as index:
        assert index.by_guid("g-b")[0].published - SECONDS == 57_600


def test_written_files_are_found_at_once(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    index = refreshed(root)
    fields = MatchingFields("g-n", "https://e.org/n", "N", DATE, STAMP)
    index.add_pending([("s/n.md", fields), ("n.md", fields._replace(guid="g-o", title=""))])
    new = [existing("s/n.md", "g-n", link="e.org/n", title="N"), existing("n.md", "g-o", link="e.org/n", title="n")]
    assert [*index.by_guid("g-n"), *index.by_guid("g-o")] == new
    rows = "SELECT path, folder, size, changed, ctime FROM articles WHERE guid IN ('g-n', 'g-o') ORDER BY guid"
    assert index._execute(rows).fetchall() == [("s/n.md", "s/", -1, 0, 0), ("n.md", "", -1, 0, 0)]
    found = SimpleNamespace(st_size=5, st_mtime_ns=6, st_ctime_ns=7)
    index.confirm([("s/n.md", found)])  # type: ignore[list-item]
    assert index._execute(rows).fetchall() == [("s/n.md", "s/", 5, 6, 7), ("n.md", "", -1, 0, 0)]
    index.remove("n.md")
    assert index.by_guid("g-o") == []
    write(root / "s/n.md", text("g-p"))
    with monkeypatch.context() as patch:
        # However slow the machine is.
        patch.setattr(time, "time_ns", lambda: (root / "s/n.md").stat().st_ctime_ns)
        index.add("s/n.md", text("g-p").encode())
    assert index.by_guid("g-p") == [existing("s/n.md", "g-p")]
    rows = rows.replace("'g-o'", "'g-p'")
    assert index._execute(rows).fetchall() == [("s/n.md", "s/", -1, 0, 0)], "it may change again within the same tick"
    assert index.stamp("s/n.md") == STAMP
    time.sleep(0.03)
    index.refresh("articles/")
    status = (root / "s/n.md").stat()
    expected = ("s/n.md", "s/", status.st_size, status.st_mtime_ns, status.st_ctime_ns)
    assert index._execute(rows).fetchall() == [expected]
    assert index.by_guid("g-p") == [existing("s/n.md", "g-p")]


# Unreadable files and folders.


def refuse(path: Path, code: int, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = prefixes._try_open

    def open_or_refuse(name: str, open_file: Any) -> int | OSError:
        return OSError(code, words) if name == path.name else real(name, open_file)

    monkeypatch.setattr(prefixes, "_try_open", open_or_refuse)


def test_unreadable_file_is_reported_and_listed(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(root / "s/b.md", errno.EACCES, "Permission denied", monkeypatch)
    index = refreshed(root)
    message = (
        "articles/s/b.md: cannot be read: Permission denied; give feedtool permission to read it, or check the disk"
    )
    assert [(one.code, one.severity, str(one)) for one in index.problems] == [("FT310", "error", message)]
    assert (index.unreadable, index.is_incomplete) == ({"s/b.md"}, True)
    assert index.count() == 4
    assert index._query(f"{lookup_module._SELECT_ARTICLES} WHERE path=?", "s/b.md") == [
        existing("s/b.md", "", title="b", source="", published=0)
    ]


def test_unreadable_file_keeps_its_earlier_row(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "ingest"
    with refreshed(root, database) as index:
        index.commit()
    write(root / "s/b.md", text("g-b", title="Other"))
    write(root / "s/mine.md", "---\ntitle: no guid\n---\n")
    time.sleep(0.03)
    with monkeypatch.context() as patch:
        refuse(root / "s/b.md", errno.EIO, "Input/output error", patch)
        for _ in range(2):
            with refreshed(root, database) as index:
                assert (index.unreadable, index.is_incomplete, index.by_guid("g-b")) == ({"s/b.md"}, False, [B])
                assert len(index.problems) == 1
                index.commit()
    with refreshed(root, database) as index:
        assert (index.unreadable, index.problems) == (set(), [])
        assert index.by_guid("g-b") == [existing("s/b.md", "g-b", title="Other")]
        index.commit()
    write(root / "s/mine.md", "---\ntitle: no guid, again\n---\n")
    refuse(root / "s/mine.md", errno.EIO, "Input/output error", monkeypatch)
    with refreshed(root, database) as index:
        assert (index.unreadable, index.is_incomplete) == ({"s/mine.md"}, True)


MERGE = (
    "---\n<<<<<<< ours\nguid: g-1\nlink: https://e.org/1\n=======\nguid: g-2\nlink: https://e.org/2\n>>>>>>> theirs\n"
    "title: T\ndate: {}\n{}---\n"
)


def test_unmerged_file_is_found_by_both_sides(root: Path) -> None:
    write(root / "s/b.md", MERGE.format(DATE, OWN))
    index = refreshed(root)
    hint = "finish the merge: keep one side and delete the marker lines"
    message = f"articles/s/b.md:2: contains the conflict markers of an unfinished merge; {hint}"
    assert [(one.code, str(one)) for one in index.problems] == [("FT310", message)]
    assert (index.unreadable, index.is_incomplete) == ({"s/b.md"}, False)
    ours, theirs = existing("s/b.md", "g-1", link="e.org/1"), existing("s/b.md", "g-2", link="e.org/2")
    assert (index.by_guid("g-1"), index.by_guid("g-2")) == ([ours], [theirs])
    assert (index.by_link("e.org/1"), index.by_link("e.org/2")) == ([ours], [theirs])
    assert index.existing_guids(["g-1", "g-2", "g-3"]) == {"g-1", "g-2"}
    for one, other in (("guid: g-1\n", ""), ("guid: g-2\n", "")):
        write(root / "s/b.md", MERGE.format(DATE, OWN).replace(one, other))
        assert refreshed(root).is_incomplete
    same = MERGE.format(DATE, OWN).replace("g-2", "g-1").replace("org/2", "org/1")
    write(root / "s/b.md", same)
    index = refreshed(root)
    assert (index.by_guid("g-1"), index.by_link("e.org/1"), index.is_incomplete) == ([ours], [ours], False)


def test_unreadable_folder_keeps_its_articles(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "ingest"
    write(root / "t/d.md", text("g-d"))
    with refreshed(root, database) as index:
        index.commit()
    for name in ("s/b.md", "s/c.md", "s/mine.md", "t/d.md"):
        (root / name).unlink()
    real = os.scandir

    def scandir(place: Any = ".") -> Any:
        if str(place).rstrip("/") == f"{root}/s":
            raise OSError(errno.EACCES, "Permission denied", place)
        return real(place)

    monkeypatch.setattr(os, "scandir", scandir)
    with refreshed(root, database) as index:
        assert [one.file for one in index.problems] == ["articles/s/"]
        assert index.is_incomplete
        assert (index.by_guid("g-b"), index.by_guid("g-d")) == ([B], [])
        assert index.vanished == [existing("t/d.md", "g-d")]
        index.commit()
    monkeypatch.undo()
    with refreshed(root, database) as index:
        assert (index.is_incomplete, index.by_guid("g-b"), sorted(index.vanished)) == (False, [], sorted([B, C]))


def test_name_without_an_encoding_is_skipped(root: Path) -> None:
    os.rename(root / "a.md", os.fsencode(root) + b"/\xff.md")
    os.rename(root / "s", os.fsencode(root) + b"/\xfe")
    index = refreshed(root)
    assert (index.count(), index.vanished, index.problems) == (0, [], [])
    write(root / "é.md", text("g-e"))
    assert refreshed(root).by_guid("g-e") == [existing("é.md", "g-e")]


# The database.

ANEW = (
    ".feedtool/ingest was damaged, of another version, not made by this user on this machine, or left by a run that was "
    "stopped; it was made anew"
)


def test_intact_database_is_used_again(root: Path, tmp_path: Path) -> None:
    database = tmp_path / "site/.feedtool/ingest"
    database.parent.mkdir(parents=True)

    def opened() -> tuple[list[str], int]:
        with LookupIndex(str(root), str(database)) as index:
            found = list(index.notes), index.count()
            index.refresh("articles/")
            index.commit()
        return found

    assert [opened(), opened()] == [([], 0), ([], 4)]

    def stopped(error: type[BaseException]) -> None:
        with LookupIndex(str(root), str(database)) as index:
            index.remove("a.md")
            raise error

    with pytest.raises(RuntimeError):
        stopped(RuntimeError)
    assert opened() == ([], 4)
    with pytest.raises(KeyboardInterrupt):
        stopped(KeyboardInterrupt)
    assert [opened(), opened()] == [([ANEW], 0), ([], 4)]
    database.write_bytes(b"no database")
    assert [opened(), opened()] == [([ANEW], 0), ([], 4)]
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA user_version=1")
    connection.close()
    assert [opened(), opened()] == [([ANEW], 0), ([], 4)]


def test_database_of_another_version_is_not_used(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "ingest"
    with monkeypatch.context() as patch:
        patch.setattr(lookup_module, "VERSION", 1)
        with refreshed(root, database) as index:
            index.commit()
    for notes in ([ANEW], []):
        with refreshed(root, database) as index:
            assert index.notes == notes


def test_database_that_git_tracks_is_not_used(root: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    database = site / ".feedtool/ingest"
    database.parent.mkdir(parents=True)
    with refreshed(root, database) as index:
        index.commit()

    def git(*words: str) -> None:
        subprocess.run(["git", "-C", str(site), *words], check=True, capture_output=True)

    git("init", "-q")
    with LookupIndex(str(root), str(database)) as index:
        assert (index.notes, index.count()) == ([], 4)
    git("add", "-f", ".feedtool/ingest")
    message = (
        ".feedtool/ingest is tracked by git, so anybody may have written it; it is not used, and is made anew in each run "
        "until you run: git rm -r --cached .feedtool"
    )
    for _ in range(2):
        with LookupIndex(str(root), str(database)) as index:
            assert (index.notes, index.count()) == ([message], 0)


def test_unusable_database_stops_the_run(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hint = "check the disk and the permissions; the folder may be deleted at any time"
    with pytest.raises(OutputError) as failure:
        LookupIndex(str(root), str(tmp_path / "none/ingest"))
    assert str(failure.value) == f"{tmp_path}/none/ingest: cannot be used: unable to open database file; {hint}"
    index = LookupIndex(str(root), None)
    index._connection.close()
    for call in (index.count, lambda: index.add_pending([])):
        with pytest.raises(OutputError) as failure:
            call()
        assert str(failure.value).endswith(f"closed database.; {hint}")
    assert failure.value.where == ""
    index = refreshed(root, tmp_path / "ingest")
    index._connection.close()
    with pytest.raises(OutputError) as failure:
        index.confirm([])
    assert failure.value.where == str(tmp_path / "ingest")


def test_missing_articles_folder_is_created(tmp_path: Path) -> None:
    make_folder(str(tmp_path / "a/b"))
    assert (tmp_path / "a/b").is_dir()
    write(tmp_path / "file", b"")
    with pytest.raises(OutputError) as failure:
        make_folder(str(tmp_path / "file/x"))
    message = "cannot be made: Not a directory; there is a file in place of a folder; move it away"
    assert str(failure.value) == f"{tmp_path}/file/x: {message}"


def test_index_in_memory_keeps_nothing(root: Path, tmp_path: Path) -> None:
    with refreshed(root) as index:
        index.commit()
        index.commit()
        assert index.count() == 4
    assert index.details == ()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["articles"]


KILLED = """
import os
from feedtool.ingesting.lookup import LookupIndex
LookupIndex.count = lambda self: os.kill(os.getpid(), 9)
from feedtool.__main__ import main
main()
"""


def test_published_articles_outlive_a_killed_ingest(tmp_path: Path) -> None:
    site = make_site(
        tmp_path / "site",
        {"a.md": article("A", front="guid: urn:x:a\n"), "b.md": article("B", front="guid: urn:x:b\n")},
        '[[sources]]\nname = "F"\nurl = "feed.xml"\n',
    )
    write(site / "feed.xml", "<rss><channel><title>F</title></channel></rss>")
    assert build(site).json["written"] > 0
    killed = [sys.executable, "-c", KILLED, "ingest", "-C", str(site)]
    assert subprocess.run(killed, env=environment(), cwd=tmp_path, check=False).returncode == -9
    assert build(site).json["written"] == 0
    # The index still knows the published entries, so a deleted article gets a tombstone.
    (site / "articles/b.md").unlink()
    assert build(site).json["written"] > 0
    assert b'ref="urn:x:b"' in (site / "public/atom.xml").read_bytes()
    assert run("ingest", "-C", str(site)).exit_code == 0
    # A damaged lookup does not block a build, nor a damaged index an ingest.
    write(site / ".feedtool/ingest", b"damaged")
    assert build(site).json["written"] == 0
    write(site / ".feedtool/index", b"damaged")
    assert run("ingest", "-C", str(site)).exit_code == 0
