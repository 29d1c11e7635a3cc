"""Test that every format on disk and on stdout has a version, and that files of another version come to no harm."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.support.server import Server, page, serve
from tests.support.site import Result, article, build, make_site, run, stamps, tree, write

ITEM = """<item><title>Story {0}</title><link>https://news.example/{0}</link><guid>{0}</guid>
<description>Text {1}.</description></item>"""
FEED = '<rss version="2.0"><channel><title>Wire</title><link>https://news.example/</link>{}</channel></rss>'
STATE = "feedtool.state"
MANIFEST = "public/.feedtool-manifest"


def feed(text: str = "one") -> str:
    """Return a feed of two entries whose descriptions contain a text."""
    return FEED.format("".join(ITEM.format(number, text) for number in (1, 2)))


@pytest.fixture
def server() -> Iterator[Server]:
    """Yield a server with a feed."""
    with serve({"/feed": page(feed())}) as served:
        yield served


@pytest.fixture
def site(server: Server, tmp_path: Path) -> Path:
    """Return a site with a source that was visited and an article of its own, built."""
    allow = '[ingest]\nallow_private_hosts = ["127.0.0.1"]\n'
    source = f'[[sources]]\nname = "Wire"\nurl = "{server.url("/feed")}"\n'
    folder = make_site(tmp_path / "site", {"a.md": article("A")}, allow + source)
    assert ingest(folder).exit_code == 0
    assert build(folder).exit_code == 0
    return folder


def ingest(site: Path, *options: str) -> Result:
    """Visit all sources now."""
    return run("ingest", "-C", str(site), "--force", "--json", *options)


def records(site: Path) -> list[dict[str, object]]:
    """Return the records of the state."""
    return [json.loads(line) for line in (site / STATE).read_text("utf-8").splitlines()]


def everything(site: Path) -> dict[str, bytes]:
    """Return all files of a site except the derived ones."""
    return {path: data for path, data in tree(site).items() if not path.startswith(".feedtool/")}


def test_state_begins_with_its_version(site: Path) -> None:
    first, *others = records(site)
    assert first == {"kind": "feedtool", "key": "state", "version": 1}
    assert [one["kind"] for one in others] == ["source"]


def test_state_without_a_version_is_read(site: Path) -> None:
    lines = (site / STATE).read_text("utf-8").splitlines(keepends=True)
    write(site / STATE, "".join(lines[1:]))
    assert run("ingest", "-C", str(site), "--json").exit_code == 0
    assert (site / STATE).read_text("utf-8").splitlines(keepends=True) == lines


def test_unknown_records_and_facts_of_the_state_are_kept(site: Path) -> None:
    source = next(one for one in records(site) if one["kind"] == "source")
    strange = {"kind": "future", "key": "x", "value": [1]}
    write(site / STATE, "".join(json.dumps(one) + "\n" for one in (strange, {**source, "mood": "good"})))
    assert ingest(site).exit_code == 0
    (site / "articles/a.md").unlink()
    assert build(site).exit_code == 0
    kept = records(site)
    assert strange in kept
    assert [one["mood"] for one in kept if one["kind"] == "source"] == ["good"]
    assert "tombstone" in {one["kind"] for one in kept}


@pytest.mark.parametrize("command", ["build", "ingest", "check"])
def test_state_of_a_newer_version_is_not_touched(site: Path, command: str) -> None:
    newer = {"kind": "feedtool", "key": "state", "version": 2}
    write(site / STATE, json.dumps(newer) + "\n" + '{"kind": "future", "key": "x"}\n')
    (site / "articles/a.md").unlink()
    before = everything(site)
    result = run(command, "-C", str(site), "--json", *(["--force"] if command == "ingest" else []))
    if command != "check":  # it neither reads nor writes the state
        assert (result.exit_code, result.json["error"]["message"] if "error" in result.json else "") == (2, "")
        assert f"{site}/feedtool.state: was written by a newer feedtool (format 2, this one knows 1)" in result.stderr
        assert "update feedtool" in result.stderr
    assert everything(site) == before


def test_manifest_begins_with_its_version(site: Path) -> None:
    first, *paths = (site / MANIFEST).read_text("utf-8").splitlines()
    assert first == "# feedtool manifest, format 1"
    assert paths == sorted(paths)
    assert "atom.xml" in paths


def test_manifest_without_a_version_is_read(site: Path) -> None:
    lines = (site / MANIFEST).read_text("utf-8").splitlines(keepends=True)
    write(site / MANIFEST, "".join([*lines[1:], "old.xml\n"]))
    write(site / "public/old.xml", b"feedtool made it")
    (site / "articles/a.md").unlink()
    assert build(site).exit_code == 0
    assert not (site / "public/old.xml").exists()
    assert (site / MANIFEST).read_text("utf-8").startswith("# feedtool manifest, format 1\natom.xml\n")


def test_manifest_of_an_absurd_version_is_no_crash(site: Path) -> None:
    write(site / MANIFEST, f"# feedtool manifest, format {'9' * 5000}\n")
    assert build(site).exit_code == 2


@pytest.mark.parametrize("command", [["build"], ["check"], ["build", "--dry-run"]])
def test_manifest_of_a_newer_version_is_not_touched(site: Path, command: list[str]) -> None:
    write(site / MANIFEST, b'# feedtool manifest, format 2\n{"path": "atom.xml"}\n')
    (site / "articles/a.md").unlink()
    before = everything(site)
    result = run(*command, "-C", str(site))
    assert result.exit_code == 2
    assert ".feedtool-manifest: was written by a newer feedtool (format 2, this one knows 1)" in result.stderr
    assert everything(site) == before


@pytest.mark.parametrize("name", ["index", "ingest"])
@pytest.mark.parametrize("version", [1, 1_000_000])
def test_database_of_another_version_is_made_anew(site: Path, server: Server, name: str, version: int) -> None:
    output = tree(site / "public")
    with closing(sqlite3.connect(site / ".feedtool" / name)) as database:
        database.execute(f"PRAGMA user_version={version}")
    articles = stamps(site / "articles")
    assert ingest(site).json["new"] == 0
    assert build(site).exit_code == 0
    assert (tree(site / "public"), stamps(site / "articles")) == (output, articles)


def test_articles_of_a_newer_stamp_are_left_alone(site: Path, server: Server) -> None:
    paths = [path for path in (site / "articles").rglob("*.html") if "\nfeedtool:" in path.read_text("utf-8")]
    assert len(paths) == 2
    for path in paths:
        write(
            path,
            path.read_text("utf-8")
            .replace("feedtool: '1 ", "feedtool: '2 new ")
            .replace("feedtool: 1 ", "feedtool: 2 new "),
        )
    before = tree(site / "articles")
    server.set("/feed", page(feed("two")))
    result = ingest(site)
    assert (result.exit_code, result.json["new"], result.json["updated"]) == (0, 0, 0)
    assert tree(site / "articles") == before


def test_stamp_with_more_hashes_keeps_them(site: Path, server: Server) -> None:
    path = next(path for path in (site / "articles").rglob("*.html") if "Story 1" in path.read_text("utf-8"))
    text = path.read_text("utf-8")
    start = text.index("feedtool: ")
    line = text[start : text.index("\n", start)]
    hashes = line.split()[2].partition(".")
    longer = line.replace(hashes[0], hashes[0] + "zzzz", 1)
    write(path, text.replace(line, longer))
    server.set("/feed", page(feed("two")))
    assert ingest(site).json["updated"] == 2
    assert "zzzz." in path.read_text("utf-8")


JSON_COMMANDS = {
    "build": ["build"],
    "check": ["check"],
    "ingest": ["ingest"],
    "status": ["status"],
    "doctor": ["doctor"],
    "prune": ["prune", "--keep-last", "9"],
    "explain": ["explain", "{site}/articles/a.md"],
    "explain a code": ["explain", "FT011"],
    "new": ["new", "Title"],
    "guard": ["check", "--against", "{site}/articles"],
}


@pytest.mark.parametrize("name", JSON_COMMANDS)
def test_json_output_has_its_version(site: Path, name: str) -> None:
    words = [word.format(site=site) for word in JSON_COMMANDS[name]]
    printed = json.loads(run(*words, "-C", str(site), "--json").stdout)
    assert next(iter(printed.items())) == ("version", 1)
