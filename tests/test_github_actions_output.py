"""Test the output of commands under GitHub Actions: text of articles is printed but never run as a command."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.runner import commands_in
from tests.support.site import Result, article, build, environment, make_site, run, write

ACTIONS = {"GITHUB_ACTIONS": "true"}
FORGED = ("::error::forged", "  ::add-mask::e", "x ##[add-mask]e", "###[error]forged", "::unknown::##[debug]x")


def _site(folder: Path) -> Path:
    """Return a site whose articles have these file names and dates."""
    articles = {
        f"{name.replace('/', '')}.md": f"---\ntitle: x\ndate: '{name}'\n---\ntext\n" for name in (*FORGED, "##[group]")
    }
    return make_site(folder, articles)


@pytest.mark.parametrize("command", ["build", "check", "explain"])
@pytest.mark.parametrize("form", ["words", "json"])
def test_only_own_annotations_are_runner_commands(command: str, form: str, tmp_path: Path) -> None:
    site = _site(tmp_path)
    more = ("##[group].md",) if command == "explain" else ()
    done = run(
        command, "-C", str(site), *more, *(["--json"] if form == "json" else []), env=ACTIONS, cwd=site / "articles"
    )
    commands = commands_in(done.stdout) + commands_in(done.stderr)
    assert {name for name, _ in commands} <= {"warning", "error"}
    assert all(data.startswith(" file=") for _, data in commands)
    expected = {"build": len(FORGED) + 1, "check": 0 if form == "json" else len(FORGED) + 1, "explain": 1}
    assert len(commands) == expected[command], commands
    if form == "json" and command == "check":
        assert {problem["file"] for problem in done.json["problems"]} == {
            f"articles/{name}.md" for name in (*FORGED, "##[group]")
        }


def test_annotations_can_be_turned_off(tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    site = _site(tmp_path / "site")
    env = ACTIONS | {"FEEDTOOL_ANNOTATIONS": "false", "GITHUB_STEP_SUMMARY": str(summary)}
    done = run("build", "-C", str(site), env=env)
    assert commands_in(done.stdout + done.stderr) == []
    assert done.stderr.count("[FT011]") == len(FORGED) + 1
    assert summary.read_text("utf-8").startswith("### feedtool build\n")


def test_summary_stays_below_the_github_limit(tmp_path: Path) -> None:
    summary = tmp_path / "summary"
    articles = {f"{n}.md": f"---\ntitle: x\ndate: '{'<' * 3000}'\n---\n" for n in range(120)}
    build(make_site(tmp_path / "site", articles), env=ACTIONS | {"GITHUB_STEP_SUMMARY": str(summary)})
    assert "and 20 more" in summary.read_text("utf-8")
    assert summary.stat().st_size < 1_048_576


def test_crash_has_its_own_exit_code(tmp_path: Path) -> None:
    """Exit code 1 lets the workflow publish the remaining articles, so a crash must not use it."""
    write(tmp_path / "broken/nh3.py", "raise RuntimeError('broken')\n")
    site = make_site(tmp_path / "site", {"a.md": article("A")})
    path = os.pathsep.join([str(tmp_path / "broken"), environment()["PYTHONPATH"]])
    done: Result = run("build", "-C", str(site), env={"PYTHONPATH": path})
    assert "RuntimeError: broken" in done.stderr
    assert done.exit_code == 70
