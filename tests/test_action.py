"""Test the composite GitHub action step by step, as a workflow runs it."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent

import pytest
import yaml

from feedtool import __version__
from tests.support.hub import install_here
from tests.support.runner import Outputs, Runner, Step
from tests.support.server import page, serve, status
from tests.support.site import ROOT, article, environment, make_site, tree, write

ACTION = ROOT / ".github/actions/feedtool/action.yml"
INSTALL = dedent("""\
    "$PYTHON" -m venv "$RUNNER_TEMP/feedtool"
    "$RUNNER_TEMP/feedtool/bin/pip" install --quiet --disable-pip-version-check "$GITHUB_ACTION_PATH/../../..[ingest]"
""").strip()
RSS = """<?xml version="1.0"?><rss version="2.0"><channel><title>Wire</title><link>https://wire.example.org/</link>
<item><title>One</title><guid isPermaLink="false">one</guid><pubDate>Mon, 25 Jul 2022 12:11:30 GMT</pubDate>
<description>Text.</description></item></channel></rss>"""
UNDATED = "---\ntitle: '::error::forged'\n---\ntext\n"


def play(folder: Path, **inputs: str) -> tuple[Outputs, dict[str, Step]]:
    """Run the action in the workspace `folder`; it installs this checkout with all its libraries."""
    machine = folder.parent / "machine"
    for name in ("temp", "home"):
        (machine / name).mkdir(parents=True, exist_ok=True)
    libraries = "\n".join([str(ROOT), *(path for path in sys.path if path.endswith("site-packages"))])
    write(machine / "feedtool.pth", libraries + "\n")
    install_here(machine / "feedtool")
    place = '"$RUNNER_TEMP/feedtool'
    stand_in = f"""
        "$PYTHON" -m venv --clear --without-pip {place}"
        cp {machine}/feedtool.pth {place}"/lib/python3*/site-packages/
        cp {machine}/feedtool {place}/bin/feedtool"
    """
    runner = Runner(
        workspace=folder,
        temp=machine / "temp",
        table={},
        surroundings=environment(
            {
                "HOME": str(machine / "home"),
                "RUNNER_TEMP": str(machine / "temp"),
                "GITHUB_ACTIONS": "true",
                "GITHUB_REPOSITORY": "ada/notes",
                "GITHUB_WORKSPACE": str(folder),
            }
        ),
        actions={"actions/setup-python": _python},
        instead={INSTALL: dedent(stand_in)},
    )
    return runner.action(ACTION, {name.replace("_", "-"): value for name, value in inputs.items()})


def _python(inputs: Mapping[str, str]) -> Outputs:
    assert inputs == {"python-version": "3.13", "update-environment": "false"}
    return {"python-path": sys.executable}


def _failed(steps: Mapping[str, Step]) -> list[str]:
    return [name for name, step in steps.items() if step.exit_code]


def test_action_ingests_builds_and_reports_outputs(tmp_path: Path) -> None:
    with serve({"/wire.xml": page(RSS, etag="auto")}) as server:
        settings = '[ingest]\nallow_private_hosts = ["127.0.0.1"]\n'
        source = f'[[sources]]\nname = "wire"\nurl = "{server.url("/wire.xml")}"\n'
        make_site(tmp_path / "work/my site", {"a.md": article("A")}, settings + source)
        first, steps = play(tmp_path / "work", site="my site", base_url="https://ada.github.io/notes/")
        assert _failed(steps) == []
        assert first | {"files-written": "", "feeds": ""} == {
            "version": __version__,
            "folder": "my site/public",
            "articles": "2",
            "feeds": "",
            "files-written": "",
            "files-removed": "0",
            "new-articles": "1",
            "updated-articles": "0",
            "problems": "0",
        }
        out = tmp_path / "work" / first["folder"]
        assert len(tree(out)) - 1 == int(first["files-written"]) > 5
        assert "https://ada.github.io/notes/atom.xml" in (out / "atom.xml").read_text("utf-8")
        summary = steps["Ingest and build"].summary
        assert summary.index("### feedtool ingest") < summary.index("### feedtool build")
        again, _ = play(tmp_path / "work", site="my site", base_url="https://ada.github.io/notes/")
        assert (again["files-written"], again["new-articles"]) == ("0", "0")


def test_excluded_articles_fail_the_step_on_request(tmp_path: Path) -> None:
    settings = '[feeds]\nundated = "error"\n'
    work = make_site(tmp_path / "work", {"a.md": article("A"), "b.md": UNDATED}, settings)
    outputs, steps = play(work, ingest="false", output="out")
    assert _failed(steps) == []
    assert (outputs["problems"], outputs["articles"], outputs["folder"]) == ("1", "1", "out")
    assert [name for name, _ in steps["Ingest and build"].commands] == ["error"]
    assert "forged" not in steps["Ingest and build"].commands[0][1]
    assert (work / "out/atom.xml").is_file()
    _, steps = play(work, ingest="false", fail="true")
    assert steps["Ingest and build"].exit_code == 1
    assert (work / "public/atom.xml").is_file()


def test_strict_mode_fails_and_annotations_can_be_off(tmp_path: Path) -> None:
    work = make_site(tmp_path / "work", {"a.md": article("A"), "b.md": UNDATED})
    _, steps = play(work, ingest="false", fail="true")
    assert _failed(steps) == []
    assert [name for name, _ in steps["Ingest and build"].commands] == ["warning"]
    _, steps = play(work, ingest="false", fail="true", strict="true", annotations="false")
    assert steps["Ingest and build"].exit_code == 1
    assert steps["Ingest and build"].commands == []
    assert "FT" in steps["Ingest and build"].output


def test_failing_source_does_not_stop_the_build(tmp_path: Path) -> None:
    with serve({"/wire.xml": status(500)}) as server:
        settings = '[ingest]\nallow_private_hosts = ["127.0.0.1"]\n'
        source = f'[[sources]]\nname = "wire"\nurl = "{server.url("/wire.xml")}"\n'
        work = make_site(tmp_path / "work", {"a.md": article("A")}, settings + source)
        outputs, steps = play(work)
        assert _failed(steps) == []
        assert (outputs["problems"], outputs["articles"]) == ("1", "1")


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ({"ingest": "yes"}, 'the input ingest has to be "true" or "false"'),
        ({"site": "nowhere"}, "there is no folder"),
        ({"base_url": "--help"}, "must be an http or https URL"),
        ({"site": "$(touch owned)"}, "there is no folder"),
    ],
)
def test_invalid_inputs_end_the_step_with_a_reason(inputs: dict[str, str], reason: str, tmp_path: Path) -> None:
    work = make_site(tmp_path / "work", {"a.md": article("A")})
    _, steps = play(work, **inputs)
    assert steps["Ingest and build"].exit_code == 2
    assert reason in steps["Ingest and build"].output
    assert not (work / "owned").exists()
    assert not (work / "public").exists()


def test_guide_lists_inputs_and_outputs() -> None:
    data = yaml.safe_load(ACTION.read_text("utf-8"))
    guide = (ROOT / ".github/docs/publish.md").read_text("utf-8")
    listed = re.search(r"site: feeds +# (.*): see", guide)
    assert listed is not None
    assert set(listed[1].split(", ")) | {"site", "python-version"} == set(data["inputs"])
    assert set(re.findall(r"steps\.feeds\.outputs\.([\w-]+)", guide)) <= set(data["outputs"])
