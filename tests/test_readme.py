"""README and ARCHITECTURE against the program: commands run and print what is shown, options and floors are those there are."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from feedtool.cli.main import COMMANDS, feedtool
from feedtool.config import parse_settings
from tests.site import ROOT, environment

README = (ROOT / "README.md").read_text(encoding="utf-8")
OPTION = re.compile(r"(?<![\w-])(--?[a-z][a-z-]*|-[A-Z])(?![\w-])")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SET_UP = README.index("<!-- set-up -->")


def _options(command: click.Command) -> list[str]:
    return [option for parameter in command.params for option in parameter.opts if option.startswith("-")]


def _all_commands() -> dict[str, click.Command]:
    """Return every command by its words, those below another one too."""
    found: dict[str, click.Command] = {}
    for name in COMMANDS:
        command = feedtool.get_command(click.Context(feedtool), name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            found |= {f"{name} {below}": one for below, one in command.commands.items()}
    return found


ALL_COMMANDS = _all_commands()


def _blocks(language: str) -> Iterator[str]:
    """Yield the code blocks in a language, but for the set-up, which `.ci/run` runs itself."""
    for block in BLOCK.finditer(README):
        if block[1] == language and block.start() != SET_UP + len("<!-- set-up -->\n"):
            yield block[2]


@pytest.fixture
def shell(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Return a shell in a folder with a copy of the example site, where `feedtool` is this one."""
    ignored = shutil.ignore_patterns("public", ".feedtool")
    shutil.copytree(ROOT / "feeds", tmp_path / "feeds", ignore=ignored)
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "feedtool").write_text(f'#!/bin/sh\nexec "{sys.executable}" -m feedtool "$@"\n')
    (programs / "feedtool").chmod(0o755)
    surroundings = environment({"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"})
    process = subprocess.Popen(
        ["bash", "-euo", "pipefail"],
        cwd=tmp_path,
        env=surroundings,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )
    yield process
    process.kill()


@pytest.mark.parametrize("commands", list(_blocks("sh")))
def test_every_command_runs(commands: str, shell: subprocess.Popen[str]) -> None:
    output, _ = shell.communicate(commands, timeout=60)
    assert shell.returncode == 0, output


@pytest.mark.parametrize("session", list(_blocks("console")))
def test_every_session_prints_what_is_shown(session: str, shell: subprocess.Popen[str]) -> None:
    commands = "".join(f"{line[2:]}\n" for line in session.splitlines() if line.startswith("$ "))
    shown = "".join(f"{line}\n" for line in session.splitlines() if not line.startswith("$ "))
    output, _ = shell.communicate(commands, timeout=60)
    assert shell.returncode == 0
    assert _without_counts(output) == _without_counts(shown)


def _without_counts(text: str) -> str:
    """Return the text with how long and how many left open, but for what is shown as 0."""
    return re.sub(r"\b[1-9]\d*\b", "N", re.sub(r"\d+\.\d+ s", "N s", text))


@pytest.mark.parametrize("example", list(_blocks("toml")))
def test_every_example_of_settings_is_understood(example: str) -> None:
    assert parse_settings(example, environment={}).origins


@pytest.mark.parametrize("example", list(_blocks("python")))
def test_every_example_in_python_runs(example: str, shell: subprocess.Popen[str]) -> None:
    output, _ = shell.communicate(f'"{sys.executable}" - <<"END"\n{example}END\n', timeout=60)
    assert shell.returncode == 0, output


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_the_table_of_a_command_has_every_option_it_has_and_no_other(name: str) -> None:
    section = re.split(rf"\n#+ `feedtool {name}`\n", README)[1].split("\n#")[0]
    rows = [line.split(" | ")[0] for line in section.splitlines() if line.startswith("| `")]
    documented = [option for row in rows for option in OPTION.findall(row)]
    assert sorted(documented) == sorted(_options(ALL_COMMANDS[name]))


def test_every_command_there_is_has_a_section_and_no_other() -> None:
    headings = re.findall(r"^(#+) `feedtool (\w+(?: \w+)?)`$", README, re.MULTILINE)
    assert [name for marks, name in headings if marks == "###"] == list(COMMANDS)
    assert {name for _, name in headings} == set(ALL_COMMANDS)
    assert all(len(marks) == 3 + name.count(" ") for marks, name in headings)


@pytest.mark.parametrize("name", ALL_COMMANDS)
def test_every_command_has_an_example(name: str) -> None:
    examples = "".join(block[2] for block in BLOCK.finditer(README) if block[1] in ("sh", "text"))
    words = r"(?:-C \w+ )?".join(f"{word} " for word in f"feedtool {name}".split())
    assert re.search(words.rstrip(" ") + r"\b", examples), name


def test_every_option_mentioned_anywhere_exists() -> None:
    prose = re.sub("<!--.*?-->", "", BLOCK.sub("", README))
    mentioned = {option for span in re.findall(r"`([^`\n]+)`", prose) for option in OPTION.findall(span)}
    there = {option for command in (feedtool, *ALL_COMMANDS.values()) for option in _options(command)}
    assert mentioned <= there | {"-h", "--help"}


def test_the_table_of_settings_names_every_table_there_is() -> None:
    section = README.split("\n## Settings\n")[1].split("\n## ")[0]
    documented = set(re.findall(r"`(\[[^`]+\])`", section))
    defaults = (ROOT / "feedtool/data/defaults.toml").read_text(encoding="utf-8")
    assert documented == set(re.findall(r"^#?(\[.+\])$", defaults, re.MULTILINE))


def test_every_setting_named_in_brackets_exists() -> None:
    defaults = tomllib.loads((ROOT / "feedtool/data/defaults.toml").read_text(encoding="utf-8"))
    text = (ROOT / "feedtool/data/defaults.toml").read_text(encoding="utf-8")
    for table, key in re.findall(r"`\[(\w+)\] (\w+)`", README):
        assert key in defaults[table] or f"\n#{key} = " in text, f"[{table}] {key}"


def test_every_file_linked_to_exists() -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert target.startswith("https://") or (ROOT / target).is_file(), target


@pytest.mark.parametrize("page", sorted(path.name for path in (ROOT / ".github").glob("*.md")))
def test_every_file_that_a_page_links_to_exists(page: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)\)", (ROOT / ".github" / page).read_text(encoding="utf-8")):
        assert target.startswith("https://") or (ROOT / ".github" / target).is_file(), target


def test_the_architecture_page_has_the_floors_of_the_import_contract() -> None:
    """Modules in brackets there may come later, and need not be on the page before they do."""
    contract = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    floors = [set(layer.split(" | ")) for layer in contract[0]["layers"]]
    page = (ROOT / ".github/ARCHITECTURE.md").read_text(encoding="utf-8")
    block = page.split("<!-- floors -->\n```text\n")[1].split("```")[0]
    shown = [set(re.split(r"\s{2,}", line.strip())[1].split(" | ")) for line in block.splitlines()]
    assert len(shown) == len(floors)
    for names, floor in zip(shown, floors, strict=True):
        known = {name.strip("()") for name in floor}
        assert {name for name in floor if not name.startswith("(")} <= names <= known
        assert all((ROOT / "feedtool" / name).is_dir() or (ROOT / f"feedtool/{name}.py").is_file() for name in names)
