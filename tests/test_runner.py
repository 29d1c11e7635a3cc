"""Test the workflow runner of these tests: it refuses unsupported syntax and parses commands as GitHub does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.runner import RefusedError, Runner, commands_in
from tests.support.site import environment, write

PIN = "0" * 40


def _play(tmp_path: Path, step: str, more: str = "") -> str:
    job = f"on: push\njobs:\n  build:\n    runs-on: x\n{more}    steps:\n      - {step}\n"
    write(tmp_path / "w.yml", job)
    actions = {"a/known": lambda inputs: {"said": inputs.get("word", "")}}
    runner = Runner(tmp_path, tmp_path, {"github.ref": "refs/heads/main"}, environment(), actions)
    steps = runner.job(tmp_path / "w.yml", "build")
    return "".join(step.output for step in steps.values())


@pytest.mark.parametrize(
    ("step", "more"),
    [
        ("{run: 'true', shell: fish}", ""),
        ("{run: 'true'}", ""),
        ("{run: 'echo ${{ github.ref }}', shell: bash}", ""),
        ("{run: 'true', shell: bash, env: {A: '${{ github.actor }}'}}", ""),
        ("{run: 'true', shell: bash, env: {A: '${{ steps.x.outputs.y }}'}}", ""),
        ("{run: 'true', shell: bash, if: always()}", ""),
        ("{run: 'true', shell: bash, continue-on-error: true}", ""),
        ("{run: 'echo A=1 >> $GITHUB_ENV', shell: bash}", ""),
        (f"{{uses: a/unknown@{PIN}}}", ""),
        ("{uses: a/known@v1}", ""),
        ("{run: 'true', shell: bash}", "    container: debian\n"),
    ],
)
def test_unsupported_workflow_syntax_is_refused(step: str, more: str, tmp_path: Path) -> None:
    with pytest.raises(RefusedError):
        _play(tmp_path, step, more)


def test_scripts_get_values_and_stop_at_pipe_errors(tmp_path: Path) -> None:
    step = f"{{id: one, uses: a/known@{PIN}, with: {{word: '${{{{ github.ref }}}}'}}}}\n      - "
    step += "{run: 'echo $A; false | true; echo no', shell: bash, env: {A: '${{ steps.one.outputs.said }}'}}\n      - "
    step += "{run: echo never, shell: bash}"
    assert _play(tmp_path, step) == "refs/heads/main\n"


@pytest.mark.parametrize(
    ("line", "commands"),
    [
        ("::error::x", [("error", "::x")]),
        ("  ::Error file=a.md::x", [("error", " file=a.md::x")]),
        ("x ::error::x", []),
        ("::unknown::x", []),
        ("::error x", []),
        ("x ##[add-mask]e", [("add-mask", "]e")]),
        ("::unknown:: ##[debug]e", [("debug", "]e")]),
        ("## [error]x", []),
        ("::stop-commands::end\n::error::x\n##[error]x\n::end::\n::notice::y", [("notice", "::y")]),
    ],
)
def test_commands_are_parsed_as_by_the_github_runner(line: str, commands: list[tuple[str, str]]) -> None:
    assert commands_in(line) == commands
