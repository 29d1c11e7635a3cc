"""Test that files in `.feedtool/` are used only if this user made them on this machine and git does not track them."""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from feedtool.catalog.signing import KEY_SIZE, STATE_DIR_VARIABLE, Signer, state_folder, user_signer
from tests.support.poison import SCRIPT, TEXT, poison_index, poison_lookup
from tests.support.site import Result, article, build, make_site, run, tree, write

POSIX = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such permissions")
SETTINGS = '[pages]\narticles = "all"\n'
FEED = """<rss version="2.0"><channel><title>Wire</title><link>https://news.example/</link>{}</channel></rss>"""
ITEM = """<item><title>Story {0}</title><link>https://news.example/{0}</link><guid>https://news.example/{0}</guid>
<pubDate>Mon, 23 Nov 2020 1{0}:00:00 GMT</pubDate><description>Text of story {0}.</description></item>"""
FOREIGN = "was not made by this user on this machine"


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a built site whose articles contain the text "hello world"."""
    body = f"<p>{TEXT.decode()}</p>\n"
    articles = {"a.md": article("A", body=body), "deep/b.md": article("B", date="2022-07-26", body=f"{body}more\n")}
    folder = make_site(tmp_path / "site", articles, SETTINGS)
    assert build(folder).exit_code == 0
    return folder


def build_with(site: Path, *words: str, env: dict[str, str] | None = None) -> Result:
    """Build a site with command-line arguments."""
    result = run("build", "-C", str(site), *words, env=env)
    assert result.exit_code == 0, result.stderr
    assert "Traceback" not in result.stderr
    return result


def git(place: Path, *words: str) -> str:
    """Run git in a folder and return its output."""
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main")
    done = subprocess.run(["git", *identity, *words], cwd=place, capture_output=True, text=True, check=True)
    return done.stdout


def cloned(site: Path, *, tracked: bool) -> Path:
    """Commit a site, with its index if `tracked`, and return a clone that has the index in both cases."""
    git(site, "init", "-q")
    git(site, "add", "-A")
    if tracked:
        git(site, "add", "-f", ".feedtool/index")
    git(site, "commit", "-q", "-m", "x")
    clone = site.parent / "clone"
    git(site.parent, "clone", "-q", str(site), str(clone))
    if not tracked:
        shutil.copytree(site / ".feedtool", clone / ".feedtool")
    shutil.rmtree(clone / "public", ignore_errors=True)
    return clone


def output(site: Path) -> dict[str, bytes]:
    """Return the output of a site."""
    return tree(site / "public")


KEYS: dict[str, Callable[[], Signer | None]] = {
    "checksums left": lambda: None,
    "another key": lambda: Signer(b"\x07" * KEY_SIZE),
    "no key": lambda: Signer(bytes(KEY_SIZE)),
    "the user's key": user_signer,
}


@pytest.mark.parametrize("whose", KEYS)
def test_tracked_index_is_never_used(site: Path, whose: str) -> None:
    good = output(site)
    assert poison_index(site / ".feedtool/index", KEYS[whose]()) == 2
    clone = cloned(site, tracked=True)
    result = build_with(clone)
    assert "note: .feedtool/index is tracked by git" in result.stderr
    assert "git rm -r --cached .feedtool" in result.stderr
    assert output(clone) == good
    assert SCRIPT not in b"".join(good.values())
    assert "tracked by git" in build_with(clone).stderr
    git(clone, "rm", "-r", "-q", "--cached", ".feedtool")
    assert "note" not in build_with(clone).stderr


@pytest.mark.parametrize("whose", ["checksums left", "another key", "no key"])
def test_index_of_another_user_is_not_used(site: Path, whose: str) -> None:
    good = output(site)
    assert poison_index(site / ".feedtool/index", KEYS[whose]()) == 2
    clone = cloned(site, tracked=False)
    result = build_with(clone)
    if KEYS[whose]() is not None:
        assert f"note: .feedtool/index {FOREIGN}" in result.stderr
    assert output(clone) == good
    result = build_with(clone)
    assert "note" not in result.stderr
    assert "0 files written" in result.stdout


def test_index_of_this_user_is_used_in_another_folder(site: Path) -> None:
    """A restored cache or a moved site has another path, so only the key decides."""
    clone = cloned(site, tracked=False)
    with closing(sqlite3.connect(clone / ".feedtool/index")) as index:
        before = index.execute("SELECT count(*) FROM entries").fetchone()
    assert poison_index(clone / ".feedtool/index", user_signer()) == 2
    result = build_with(clone)
    assert "note" not in result.stderr
    assert before == (2,)
    assert SCRIPT in b"".join(output(clone).values()), "the index was not used, so this test proves nothing"


SWAPS = {
    "entries": "UPDATE entries SET (value, sum) = (SELECT value, sum FROM entries AS e WHERE e.key != entries.key)",
    "folders": "UPDATE folders SET (rows, sum) = (SELECT rows, sum FROM folders AS f WHERE f.path != folders.path)",
    "marks": "UPDATE folders SET (mark, mark_sum) = (SELECT mark, mark_sum FROM folders AS f WHERE f.path != folders.path)",
    "marks alone": "UPDATE folders SET mark = x'00112233445566778899aabbccddeeff'",
    "facts": "UPDATE facts SET (value, sum) = (SELECT value, sum FROM facts WHERE name = 'code') WHERE name = 'last'",
    "a fact that is not signed": "UPDATE facts SET sum = NULL WHERE name = 'last'",
    "checksums of nothing": "UPDATE entries SET sum = x''",
    "texts": "UPDATE entries SET value = CAST(value AS TEXT)",
}


@pytest.mark.parametrize("harm", SWAPS)
def test_swapped_values_are_rejected(site: Path, harm: str) -> None:
    good = output(site)
    with closing(sqlite3.connect(site / ".feedtool/index", isolation_level=None)) as index:
        assert index.execute(SWAPS[harm]).rowcount > 0
    # Heads are read again if the articles folder changed; entries are read if output is missing.
    write(site / "articles/c.md", article("C", date="2022-07-27"))
    (site / "articles/c.md").unlink()
    shutil.rmtree(site / "public")
    build_with(site)
    assert output(site) == good


def test_folder_fingerprints_are_signed(site: Path) -> None:
    """An old index with the present fingerprint in it would hide an edit forever."""
    time.sleep(0.1)  # a change within one tick of the clock has no matching fingerprint
    build(site)
    write(site / "articles/a.md", article("A", body="<p>Another text.</p>"))
    time.sleep(0.1)
    old = site.parent / "old"
    shutil.copytree(site, old)
    build(site)
    good, fingerprint = output(site), "SELECT mark FROM folders WHERE path=x''"
    with closing(sqlite3.connect(site / ".feedtool/index")) as index:
        (present,) = index.execute(fingerprint).fetchone()
    for name in (".feedtool", "public"):
        shutil.rmtree(site / name)
        shutil.copytree(old / name, site / name)
    assert output(site) != good
    with closing(sqlite3.connect(site / ".feedtool/index", isolation_level=None)) as index:
        assert index.execute(fingerprint).fetchone() != (present,)
        index.execute("UPDATE folders SET mark=? WHERE path=x''", (present,))
    build_with(site)
    assert output(site) == good


VIEW = """DROP TABLE entries; CREATE VIEW entries AS WITH RECURSIVE n(key) AS (SELECT 1 UNION ALL SELECT key + 1 FROM n)
SELECT key, x'' AS value, x'' AS sum FROM n"""
TRIGGER = "CREATE TRIGGER more AFTER INSERT ON facts BEGIN DELETE FROM entries; END"


@pytest.mark.parametrize("schema", [VIEW, TRIGGER], ids=["view", "trigger"])
def test_index_with_a_foreign_schema_is_not_used(site: Path, schema: str) -> None:
    good = output(site)
    with closing(sqlite3.connect(site / ".feedtool/index")) as index:
        index.executescript(schema)
    (site / "articles/deep/b.md").touch()
    assert FOREIGN in build_with(site).stderr
    assert output(site) == good


def test_refused_index_takes_tombstones_from_feeds(site: Path) -> None:
    clone = cloned(site, tracked=False)
    shutil.copytree(site / "public", clone / "public")
    poison_index(clone / ".feedtool/index", Signer())
    (clone / "articles/a.md").unlink()
    assert FOREIGN in build_with(clone).stderr
    assert b"deleted-entry" in (clone / "public/atom.xml").read_bytes()


def test_tracked_journal_is_not_used(site: Path) -> None:
    """SQLite reads a write-ahead log beside a database as part of it, so a commit must not add one either."""
    git(site, "init", "-q")
    write(site / ".feedtool/index-wal", b"x")
    git(site, "add", "-f", ".feedtool/index-wal")
    assert "tracked by git" in build_with(site).stderr


def ingest_stories(site: Path, *numbers: int) -> Result:
    """Ingest a feed with these stories from a file."""
    feed = site.parent / "feed.xml"
    write(feed, FEED.format("".join(map(ITEM.format, numbers))))
    return run("ingest", "-C", str(site), str(feed), "--name", "Wire")


LIES = {
    "an article that is not there": "UPDATE articles SET guid='https://news.example/2' WHERE guid LIKE '%/1'",
    "an article in the place of another": "UPDATE articles SET guid='https://news.example/1', source='Wire' WHERE path='a.md'",
}


@pytest.mark.parametrize("query", LIES.values(), ids=LIES)
@pytest.mark.parametrize("whose", [*KEYS, "a log beside it"])
def test_foreign_lookup_hides_and_overwrites_nothing(site: Path, whose: str, query: str) -> None:
    assert ingest_stories(site, 1).exit_code == 0
    before = tree(site / "articles")
    lookup = site / ".feedtool/ingest"
    if whose == "a log beside it":
        change_log_only(lookup, query)
    else:
        poison_lookup(lookup, KEYS[whose](), query)
    if whose == "the user's key":
        git(site, "init", "-q")
        git(site, "add", "-f", ".feedtool/ingest")
    result = ingest_stories(site, 1, 2)
    assert "note: .feedtool/ingest " in result.stderr
    after = tree(site / "articles")
    assert {path: after[path] for path in before} == before
    assert len(after) == len(before) + 1


def change_log_only(path: Path, query: str) -> None:
    """Change a database only in its write-ahead log, so that the database file and its seal stay the same."""
    with closing(sqlite3.connect(path, isolation_level=None)) as lookup:
        lookup.execute("PRAGMA wal_autocheckpoint=0")
        lookup.execute(query)
        copies = {end: Path(f"{path}{end}").read_bytes() for end in ("", "-wal")}
    for end, data in copies.items():
        Path(f"{path}{end}").write_bytes(data)


def test_tracked_preview_is_not_served(site: Path) -> None:
    from feedtool.config import load_settings
    from feedtool.preview import Preview
    from feedtool.publish import Choices, utc_now

    page = site / ".feedtool/preview/public/evil.html"
    write(page, SCRIPT)
    git(site, "init", "-q")
    git(site, "add", "-f", str(page))
    preview = Preview(load_settings(str(site)), base_url="http://127.0.0.1/", choices=Choices(), clock=utc_now)
    assert preview.build().report is not None
    assert not page.exists()


# The key


def test_key_is_created_once_for_one_user(site: Path, tmp_path: Path) -> None:
    place = tmp_path / "state" / "deep"
    env = {STATE_DIR_VARIABLE: str(place)}
    build_with(site, env=env)
    key = (place / "key").read_bytes()
    assert len(key) == KEY_SIZE
    assert os.listdir(place) == ["key"]
    if sys.platform != "win32":
        assert stat.S_IMODE((place / "key").stat().st_mode) == 0o600
        assert stat.S_IMODE(place.stat().st_mode) == 0o700
    assert "0 files written" in build_with(site, env=env).stdout
    assert (place / "key").read_bytes() == key
    assert not any(key in data or key.hex().encode() in data for data in tree(site).values())


def harm_link(key: Path) -> None:
    key.rename(key.with_name("other"))
    key.symlink_to("other")


def harm_folder(key: Path) -> None:
    key.unlink()
    key.mkdir()


HARMS: dict[str, Callable[[Path], object]] = {
    "empty": lambda key: key.write_bytes(b""),
    "short": lambda key: key.write_bytes(b"x" * (KEY_SIZE - 1)),
    "long": lambda key: key.write_bytes(b"x" * (KEY_SIZE + 1)),
    "readable by a group": lambda key: key.chmod(0o640),
    "readable by all": lambda key: key.chmod(0o604),
    "writable by all": lambda key: key.chmod(0o602),
    "a link": harm_link,
    "a folder": harm_folder,
    "a pipe": lambda key: (key.unlink(), os.mkfifo(key)),
}


@POSIX
@pytest.mark.parametrize("harm", HARMS)
def test_untrusted_key_is_not_used(site: Path, tmp_path: Path, harm: str) -> None:
    good, place = output(site), tmp_path / "state"
    env = {STATE_DIR_VARIABLE: str(place)}
    build_with(site, env=env)
    HARMS[harm](place / "key")
    before = sorted(os.listdir(place))
    for _ in range(2):
        result = build_with(site, "-v", env=env)
        assert f"note: {place / 'key'}: " in result.stderr
        assert result.stderr.count("note: ") == 1
        assert "every build is a cold one" in result.stderr
        assert output(site) == good
    assert build_with(site, env=env).stderr == ""
    assert sorted(os.listdir(place)) == before


def test_tracked_key_is_not_used(site: Path, tmp_path: Path) -> None:
    place = tmp_path / "home/state"
    env = {STATE_DIR_VARIABLE: str(place)}
    build_with(site, env=env)
    git(place.parent, "init", "-q")
    assert "note: " not in build_with(site, "-v", env=env).stderr
    git(place.parent, "add", "-A")
    assert "git tracks the folder of the key" in build_with(site, "-v", env=env).stderr


HOMES = {
    "no such folder can be made": {"HOME": "/dev/null", "XDG_STATE_HOME": ""},
    "a file": {STATE_DIR_VARIABLE: __file__},
    "no home": {"HOME": "relative", "XDG_STATE_HOME": "relative"},
    "far too long": {STATE_DIR_VARIABLE: "/" + "x" * 5000},
}


@POSIX
@pytest.mark.parametrize("home", HOMES.values(), ids=HOMES)
def test_builds_work_without_a_key_folder(site: Path, home: dict[str, str]) -> None:
    good = output(site)
    for _ in range(2):
        result = build_with(site, "-v", env=home)
        assert result.stderr.count("note: ") == 1
        assert "every build is a cold one" in result.stderr
        assert output(site) == good
    feed = site.parent / "feed.xml"
    write(feed, FEED.format(ITEM.format(1)))
    for number in (1, 0):
        result = run("ingest", "-C", str(site), str(feed), "--name", "Wire", "-v", env=home)
        assert result.stderr.count("note: ") == 1
        assert f": {number} new article" in result.stdout
    assert run("doctor", "-C", str(site), env=home).exit_code == 0


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({STATE_DIR_VARIABLE: "/run/here", "XDG_STATE_HOME": "/x", "HOME": "/home/ada"}, "/run/here"),
        ({"XDG_STATE_HOME": "/x", "HOME": "/home/ada"}, "/x/feedtool"),
        ({"XDG_STATE_HOME": "x", "HOME": "/home/ada"}, "/home/ada/.local/state/feedtool"),
        ({STATE_DIR_VARIABLE: "", "XDG_STATE_HOME": "", "HOME": "/home/ada"}, "/home/ada/.local/state/feedtool"),
    ],
)
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="other systems use other folders")
def test_key_folder_follows_the_environment(environment: dict[str, str], expected: str) -> None:
    assert state_folder(environment) == expected


def test_concurrent_first_builds_share_one_key(tmp_path: Path) -> None:
    place = tmp_path / "state"
    code = "from feedtool.catalog.signing import user_signer; print(user_signer().checksum(b'x').hex())"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, env={**os.environ, STATE_DIR_VARIABLE: str(place)}
        )
        for _ in range(8)
    ]
    sums = {process.communicate()[0] for process in started}
    assert len(sums) == 1
    assert os.listdir(place) == ["key"]


def test_signature_depends_on_value_boundaries() -> None:
    signer = Signer(b"k" * KEY_SIZE)
    values = [(b"ab", b"c"), (b"a", b"bc"), (b"abc",), (b"abc", b""), (b"", b"abc")]
    sums = {signer.checksum(kind, *some) for some in values for kind in (b"entry", b"fact")}
    assert len(sums) == 2 * len(values)
    assert signer.checksum(b"entry", b"a") != Signer().checksum(b"entry", b"a")


def test_dry_run_and_doctor_create_no_key(site: Path, tmp_path: Path) -> None:
    env = {STATE_DIR_VARIABLE: str(tmp_path / "state")}
    for words in (("build", "-n"), ("doctor",), ("explain", str(site / "articles/a.md"))):
        assert run(*words, "-C", str(site), env=env).exit_code == 0
    assert not (tmp_path / "state").exists()
