"""Test `doctor` and shell completion as processes: findings, hints for fixes, and that they change nothing."""

from __future__ import annotations

import os
import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from feedtool import __version__
from feedtool.catalog import index
from tests.support.site import Result, article, build, make_site, run, stamps, write


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a small built site to copy."""
    site = make_site(tmp_path_factory.mktemp("built"), {"a.md": article("One")})
    assert build(site).exit_code == 0
    return site


@pytest.fixture
def site(built: Path, tmp_path: Path) -> Path:
    """Return a copy of the small built site."""
    shutil.copytree(built, tmp_path / "site")
    return tmp_path / "site"


def findings(result: Result) -> dict[str, tuple[str, Any]]:
    """Return the findings by name: the value, and True if it is in order."""
    return {one["name"]: (one["value"], one["ok"]) for one in result.json["findings"]}


def test_healthy_site_passes_unchanged(site: Path) -> None:
    before = stamps(site)
    result = run("doctor", "-C", str(site), "--json")
    assert result.exit_code == 0
    assert result.json["ok"] is True
    rows = findings(result)
    assert rows["feedtool"] == (__version__, None)
    assert rows["nh3"][1] is True
    assert [rows[name] for name in ("site", "articles", "output", ".feedtool")] == [("writable", True)] * 4
    assert rows["lock"] == ("free", True)
    assert rows["index"] == ("1 folders, 1 entries; intact", True)
    assert rows["article files"] == ("1", None)
    assert int(rows["output files"][0]) > 5
    assert stamps(site) == before


def test_every_setting_is_listed_with_its_origin(site: Path) -> None:
    output = run("doctor", "-C", str(site), env={"FEEDTOOL_FEEDS_LIMIT": "7"}, cwd=site.parent).stdout
    assert "feeds.limit (FEEDTOOL_FEEDS_LIMIT): 7\n" in output
    assert "site.title (site/feedtool.toml:2): Test\n" in output
    assert "(default)" not in output
    everything = run("doctor", "-C", str(site), "-v").stdout
    assert "feeds.archive (default): True\n" in everything
    assert output.splitlines()[-1] == "all checks passed"


def test_secret_headers_are_not_shown(site: Path) -> None:
    write(
        site / "feedtool.toml",
        '[[sources]]\nname = "a"\nurl = "https://e.org/?token=hush"\nheaders = { Authorization = "hush" }\n',
    )
    assert "hush" not in run("doctor", "-C", str(site), "-v").stdout


def test_held_lock_is_reported_without_error(site: Path) -> None:
    with index.lock(str(site / ".feedtool")):
        result = run("doctor", "-C", str(site), "--json")
    assert findings(result)["lock"] == ("held: another run is working on this site", None)
    assert result.exit_code == 0


def _flip_a_bit(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("UPDATE entries SET value = value || x'00'")
    connection.commit()
    connection.close()


@pytest.mark.parametrize(
    "harm", [lambda path: path.write_bytes(b"no database " * 400), _flip_a_bit], ids=["garbage", "a flipped bit"]
)
def test_damaged_index_is_reported(site: Path, harm: Any) -> None:
    harm(site / ".feedtool/index")
    result = run("doctor", "-C", str(site))
    assert result.exit_code == 1
    assert "!! index: damaged: " in result.stdout
    assert "; delete .feedtool/index; the next build makes a new one\n" in result.stdout
    assert result.stdout.splitlines()[-1] == "some checks failed: fix the lines marked !!"
    (site / ".feedtool/index").unlink()
    assert build(site).exit_code == 0
    assert run("doctor", "-C", str(site)).exit_code == 0


def test_missing_articles_folder_is_reported(site: Path) -> None:
    write(site / "feedtool.toml", '[articles]\npath = "elsewhere"\n')
    result = run("doctor", "-C", str(site), "--json")
    assert result.exit_code == 1
    assert findings(result)["articles"] == (f"there is no {site}/elsewhere", False)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write anywhere")
def test_unwritable_folder_is_reported(site: Path) -> None:
    (site / "public").chmod(0o500)
    result = run("doctor", "-C", str(site), "--json")
    assert findings(result)["output"] == ("not writable", False)


def test_invalid_settings_are_reported_with_versions(site: Path) -> None:
    write(site / "feedtool.toml", "[site]\ntitel = 1\ntimezone = 'Mars'\n")
    result = run("doctor", "-C", str(site), "--json")
    assert result.exit_code == 1
    bad = [one["value"] for one in result.json["findings"] if one["ok"] is False]
    assert len(bad) == 2
    assert 'did you mean "title"?' in bad[0]
    assert findings(result)["feedtool"][0] == __version__


def test_missing_site_suggests_init(tmp_path: Path) -> None:
    result = run("doctor", cwd=tmp_path)
    assert result.exit_code == 1
    assert "feedtool init" in result.stdout


# -- completion


def complete(words: str, cwd: Path) -> list[str]:
    """Return the completions that bash would get for the last word."""
    env = {"_FEEDTOOL_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(len(words.split(" ")) - 1)}
    result = run(env=env, cwd=cwd)
    assert result.exit_code == 0, result.stderr
    return result.stdout.split()


def test_shell_completes_commands_options_and_folders(tmp_path: Path) -> None:
    offered = {
        "feedtool se": ["plain,serve"],
        "feedtool build --b": ["plain,--base-url"],
        "feedtool -C x serve --p": ["plain,--port", "plain,--prefix"],
        "feedtool completion ": ["plain,bash", "plain,zsh", "plain,fish"],
        # The shell itself completes file names.
        "feedtool init no": ["dir,no"],
    }
    assert {words: complete(words, tmp_path) for words in offered} == offered


@pytest.mark.parametrize(
    ("shell", "registers"),
    [
        ("bash", "complete -o nosort -F"),
        ("zsh", "#compdef feedtool"),
        ("fish", "complete --no-files --command feedtool"),
    ],
)
def test_completion_script_is_printed_for_each_shell(shell: str, registers: str) -> None:
    assert registers in run("completion", shell).stdout
    assert run("completion", env={"SHELL": f"/usr/bin/{shell}"}).stdout == run("completion", shell).stdout


def test_unknown_shell_is_refused(tmp_path: Path) -> None:
    result = run("completion", env={"SHELL": "/bin/csh"})
    assert result.exit_code == 2
    assert "name one: bash, zsh, fish" in result.stderr
