"""Test that `-v` logs what a run does and `-vv` why, without secrets, and that nothing else imports `logging`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.server import page, serve
from tests.support.site import article, build, environment, make_site, run, write

FEED = """<rss version="2.0"><channel><title>Wire</title><link>https://news.example/</link>
<item><title>Story</title><link>https://news.example/1</link><guid>1</guid><description>Text.</description></item>
</channel></rss>"""


def logged(stderr: str) -> list[str]:
    """Return the messages of a log."""
    return [line for line in stderr.splitlines() if line.startswith(("info: ", "debug: "))]


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return a site with articles in two folders."""
    return make_site(tmp_path / "site", {"a.md": article("A"), "news/b.md": article("B", date="2022-07-26")})


def test_build_says_what_it_does(site: Path) -> None:
    assert logged(build(site, "-v").stderr)[:3] == [
        "info: read all folders of articles, because there is no index yet",
        "info: 2 articles selected for 1 feeds",
        "info: 2 articles to render; the index has the others",
    ]
    assert logged(build(site, "-v").stderr) == ["info: folders of articles: 2 (0 to read, 0 gone)"]
    assert logged(build(site).stderr) == []


def test_build_says_why_it_reads_and_writes(site: Path) -> None:
    assert "info: read all folders of articles, because there is no index yet" in logged(build(site, "-vv").stderr)
    write(site / "articles/news/b.md", article("Changed", date="2022-07-26"))
    write(site / "articles/more/c.md", article("C"))
    (site / "public/feed.css").unlink()
    lines = logged(build(site, "-vv").stderr)
    assert "debug: read articles/news/, because a file in it has changed" in lines
    assert "debug: read articles/more/, because it is new" in lines
    assert "debug: make atom.xml, because its content has changed" in lines
    assert len([line for line in lines if line.startswith("debug: make articles/") and line.endswith("it is new")]) == 1
    assert "debug: make feed.css, because the file is missing or was changed" in lines
    assert not [line for line in lines if line.startswith("debug: read articles/,")]
    settings = site / "feedtool.toml"
    write(settings, settings.read_text("utf-8").replace("[site]", '[site]\nauthority = "other.example"'))
    lines = logged(build(site, "-vv").stderr)
    assert "info: read all folders of articles, because the settings or the rules of reading have changed" in lines


def test_log_leaves_the_json_output_alone(site: Path) -> None:
    result = build(site, "-vv", "--json")
    assert json.loads(result.stdout)["ok"] is True
    assert logged(result.stderr)


def test_ingest_says_what_it_requests_and_why(tmp_path: Path) -> None:
    with serve({"/feed": page(FEED, etag="auto")}) as server:
        address = server.url("/feed?key=${WIRE_KEY}").replace("http://", "http://ada:password1@")
        allow = '[ingest]\nallow_private_hosts = ["127.0.0.1"]\n'
        site = make_site(tmp_path / "site", {}, f'{allow}[[sources]]\nname = "wire"\nurl = "{address}"\n')
        shown = server.url("/feed?…")
        runs = [
            run("ingest", "-C", str(site), *options, env={"WIRE_KEY": "secret123"})
            for options in (["-vv"], ["-v"], ["-vv", "--force"])
        ]
    first, second, forced = (logged(done.stderr) for done in runs)
    assert first[0] == "info: visit 1 of 1 sources; the others are not due"
    assert first[1] == f"debug: wire: request {shown}, the whole feed, because no earlier answer named its version"
    assert first[2].startswith("debug: wire: status 200, ")
    assert first[3] == "info: wire: 1 new, 0 updated, of 1 entries"
    assert second == ["info: visit 0 of 1 sources; the others are not due"]
    assert forced[1] == f"debug: wire: request {shown}, the whole feed, because of the command line"
    everything = "".join(done.stdout + done.stderr for done in runs)
    assert "password1" not in everything
    assert "secret123" not in everything


def test_control_characters_and_commands_are_defused(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", {"x\x1b[31m\n::error::y/a.md": article("A")})
    stderr = build(site, "-vv", env={"GITHUB_ACTIONS": "true"}).stderr
    assert "\x1b" not in stderr
    assert not [line for line in stderr.splitlines() if line.startswith("::error::y")]


PROGRAM = """
import sys
sys.argv = ["feedtool", "build", *sys.argv[1:]]
from feedtool.cli.main import run
run()
print("logging" in sys.modules)
"""
LIBRARY = """
import io, logging
import feedtool
stream = io.StringIO()
logging.basicConfig(stream=stream, level=logging.INFO, format="%(name)s %(message)s")
feedtool.build()
print("feedtool.build 2 articles selected for 1 feeds" in stream.getvalue())
"""


def output_of(code: str, *words: str, site: Path) -> str:
    """Return the last line that a Python program prints in the folder of a site."""
    done = subprocess.run(
        [sys.executable, "-c", code, *words], cwd=site, env=environment(), capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()[-1]


def test_logging_is_imported_for_verbose_runs_only(site: Path) -> None:
    assert output_of(PROGRAM, "-j", "1", site=site) == "False"
    assert output_of(PROGRAM, "-q", site=site) == "False"
    assert output_of(PROGRAM, "-v", site=site) == "True"


def test_python_programs_get_the_messages(site: Path) -> None:
    assert output_of(LIBRARY, site=site) == "True"
