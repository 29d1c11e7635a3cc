"""Test that the locale decides no byte, no id and no address, and that no locale stops a command."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.readers.conftest import missing
from tests.support.site import command, environment, make_site, tree, write

TEXT = "---\ntitle: {}\ndate: 2024-01-03\n---\n{}\n"
# The bytes A6 D9 of the last name are one character in GB18030, which C libraries and Python decode differently.
NAMES = (b"plain.md", "中文.md".encode(), "é/ü.md".encode(), b"\xff.md", "æ¦ق.md".encode(), b"a\xa6\xd9.md")
FEED = (
    '<rss version="2.0"><channel><title>F</title><link>https://example.net/</link><description>d</description>'
    '<item><guid isPermaLink="false">urn:x:1</guid><title>中文 é</title><pubDate>Mon, 01 Jan 2024 00:00:00 GMT</pubDate>'
    "<description>words</description></item></channel></rss>"
)
MAPS = {"en_US.ISO-8859-1": ("en_US", "ISO-8859-1"), "zh_CN.GB18030": ("zh_CN", "GB18030")}

pytestmark = pytest.mark.skipif(
    sys.platform in ("win32", "darwin"), reason="names of files are Unicode there, whatever the locale is"
)


@pytest.fixture(scope="module", params=["ascii", *MAPS])
def variables(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Return the environment of a locale with an encoding other than UTF-8; skip what this system cannot make."""
    if request.param == "ascii":
        own = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    else:
        folder = tmp_path_factory.mktemp("locales")
        language, encoding = MAPS[request.param]
        if shutil.which("localedef") is None:
            missing("localedef")
        make = ["localedef", "-c", "-i", language, "-f", encoding, str(folder / request.param)]
        subprocess.run(make, capture_output=True, check=False)
        own = {"LC_ALL": request.param, "LOCPATH": str(folder)}
    variables = environment(own)
    show = [sys.executable, "-c", "import sys; print(sys.getfilesystemencoding())"]
    if subprocess.run(show, env=variables, capture_output=True, check=True).stdout.strip() == b"utf-8":
        missing(f"the source of the locale {request.param}")
    return variables


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a site whose articles have names in UTF-8 and in no encoding at all."""
    folder = make_site(tmp_path / "site", {}, '[[sources]]\nname = "Größe 中"\nurl = "feed.xml"\n')
    for number, name in enumerate(NAMES):
        path = os.path.join(os.fsencode(folder), b"articles", name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(TEXT.format(f"T{number} é", "Text.").encode())
    write(folder / "feed.xml", FEED)
    return folder


def feedtool(*arguments: str | bytes, env: dict[str, str]) -> bytes:
    """Run the command in a process of its own and return what it printed on both streams."""
    done = subprocess.run([*command(), *arguments], env=env, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    assert b"Traceback" not in done.stderr
    return done.stdout + done.stderr


def copy_of(site: Path) -> Path:
    other = site.parent / "other" / site.name
    shutil.copytree(site, other, ignore=shutil.ignore_patterns(".feedtool", "public"))
    return other


UTF8 = environment({"LC_ALL": "C.UTF-8"})


def test_build_gives_the_same_bytes_in_every_locale(site: Path, variables: dict[str, str]) -> None:
    other = copy_of(site)
    feedtool("build", "-C", str(site), env=UTF8)
    expected = tree(site / "public")
    assert b"2024-01-03:%E4%B8%AD%E6%96%87" in expected["feed.json"]
    assert b"2024-01-03:%FF" in expected["feed.json"]
    # With the index of the other locale, and without one.
    assert b" 0 files written" in feedtool("build", "-C", str(site), env=variables)
    feedtool("build", "-C", str(other), env=variables)
    assert tree(other / "public") == expected
    assert b" 0 files written" in feedtool("build", "-C", str(other), env=UTF8)


@pytest.mark.parametrize("name", NAMES)
def test_explain_finds_a_file_in_every_locale(site: Path, variables: dict[str, str], name: bytes) -> None:
    file = os.path.join(os.fsencode(site), b"articles", name)
    expected = feedtool("-C", str(site), "explain", file, env=UTF8)
    assert feedtool("-C", str(site), "explain", file, env=variables) == expected


def test_check_reports_alike_in_every_locale(site: Path, variables: dict[str, str]) -> None:
    write(site / "articles/é 中.md", "---\ntitle: [\n---\n")
    expected = feedtool("check", "-C", str(site), env=UTF8)
    assert "é 中.md".encode() in expected
    assert feedtool("check", "-C", str(site), env=variables) == expected


def test_ingest_and_new_write_alike_in_every_locale(site: Path, variables: dict[str, str]) -> None:
    pytest.importorskip("feedparser")
    other = copy_of(site)
    for folder, env in ((site, UTF8), (other, variables)):
        feedtool("-C", str(folder), "ingest", env=env)
        feedtool("-C", str(folder), "new", "Größe 中文", "--date", "2024-02-03T04:05:06Z", env=env)
    names = [
        sorted(os.fsencode(path.relative_to(one)) for path in (one / "articles").rglob("*")) for one in (site, other)
    ]
    assert names[0] == names[1]
    assert len(names[0]) > len(NAMES) + 3
    ingested = [[data for data in tree(one / "articles").values() if b"urn:x:1" in data] for one in (site, other)]
    assert ingested[0] == ingested[1]
    assert len(ingested[0]) == 1


@pytest.mark.parametrize(
    "call", ["build(site)", "check(site)", "explain(site + '/articles/plain.md', site)", "load_settings(site)"]
)
def test_function_refuses_another_encoding(site: Path, variables: dict[str, str], call: str) -> None:
    before = tree(site)
    code = f"import feedtool, sys; site = sys.argv[1]; feedtool.{call}"
    done = subprocess.run([sys.executable, "-c", code, str(site)], env=variables, capture_output=True, check=False)
    last = done.stderr.splitlines()[-1].decode()
    assert last.startswith("feedtool.errors.SettingsError: the locale reads names of files as ")
    assert last.endswith("but feedtool needs UTF-8; set PYTHONUTF8=1, or start Python with -X utf8")
    assert tree(site) == before


def test_command_refuses_where_utf8_is_turned_off(site: Path, variables: dict[str, str]) -> None:
    arguments = [sys.executable, "-X", "utf8=0", "-m", "feedtool", "build", "-C", str(site)]
    done = subprocess.run(arguments, env=variables, capture_output=True, check=False, timeout=60)
    assert (done.returncode, (site / "public").exists()) in ((2, False), (0, True))
    assert b"needs UTF-8" in done.stderr or not done.returncode


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "ascii:surrogateescape", "gb18030", "cp1252"])
def test_stream_of_another_encoding_shows_escapes(tmp_path: Path, encoding: str) -> None:
    site = make_site(tmp_path / "site", {"é 中 \U0001f600.md": "---\ntitle: [\n---\n"})
    env = {**UTF8, "PYTHONIOENCODING": encoding}
    shown = feedtool("build", "-C", str(site), env=env) + feedtool("check", "-C", str(site), env=env)
    assert b".md" in shown
