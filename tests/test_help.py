"""Test the texts of `--help`: their examples parse, and the page of all commands is made of them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

import click
import pytest

from feedtool.cli.main import COMMANDS, CONTEXT, feedtool
from tests.support.site import ROOT, run

PAGE = ROOT / ".github/docs/commands.md"
INTRODUCTION = """# Commands

The output of `--help` for every command. The README describes what the commands are for.

"""
WIDTH = 100


def commands(group: click.Group = feedtool, words: tuple[str, ...] = ()) -> Iterator[tuple[str, click.Command]]:
    """Yield every command with its words, groups before their commands."""
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        assert command is not None
        yield " ".join((*words, name)), command
        if isinstance(command, click.Group):
            yield from commands(command, (*words, name))


EVERY = {"": feedtool, **dict(commands())}


def help_of(words: str) -> str:
    """Return the output of `feedtool WORDS --help` in lines of a fixed width."""
    context: click.Context | None = None
    for name, command in _path(words):
        settings = {**CONTEXT, "terminal_width": WIDTH} if context is None else {}
        context = click.Context(command, info_name=name, parent=context, **settings)  # type: ignore[arg-type]
    assert context is not None
    return context.get_help()


def _path(words: str) -> Iterator[tuple[str, click.Command]]:
    yield "feedtool", feedtool
    names = words.split()
    for count, name in enumerate(names, 1):
        yield name, EVERY[" ".join(names[:count])]


def examples(words: str) -> list[str]:
    """Return the examples in a command's help."""
    block = re.search(r"^ *Examples:\n((?: {4,}.*\n)+)", help_of(words) + "\n", re.MULTILINE)
    return [] if block is None else [line.strip() for line in block[1].splitlines()]


@pytest.mark.parametrize("words", EVERY)
def test_every_command_shows_examples_that_parse(words: str) -> None:
    parsed = examples(words)
    assert parsed
    for example in parsed:
        line = re.sub(r'^eval "\$\((.*)\)"$', r"\1", example)
        # The shell handles everything after > and <.
        first, *rest = shlex.split(re.sub(r"\s[<>].*", "", line))
        assert first == "feedtool"
        assert words.split() == [word for word in rest if word in words.split()][: len(words.split())]
        _parse(feedtool, rest)


def _parse(command: click.Command, words: list[str], parent: click.Context | None = None) -> None:
    """Parse words as click would, without running a command; raise click's UsageError if that fails."""
    context = command.make_context("feedtool", list(words), parent=parent, **({} if parent else CONTEXT))  # type: ignore[arg-type]
    if isinstance(command, click.Group):
        rest = [*getattr(context, "_protected_args", ()), *context.args]
        assert rest
        name, below, rest = command.resolve_command(context, rest)
        assert name
        assert below
        if not {"--help", "-h"} & set(rest):
            _parse(below, rest, context)


def test_invalid_examples_are_detected() -> None:
    with pytest.raises(click.UsageError):
        _parse(feedtool, ["build", "--bogus"])
    with pytest.raises(click.UsageError):
        _parse(feedtool, ["opml", "import"])


def test_command_page_is_up_to_date(accept: bool) -> None:
    parts = [INTRODUCTION]
    for words in EVERY:
        name = f"feedtool {words}".strip()
        parts.append(f"{'##' if ' ' not in words else '###'} `{name}`\n\n```text\n{help_of(words)}\n```\n\n")
    page = "".join(parts).rstrip("\n") + "\n"
    if accept:
        PAGE.write_text(page, encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page, "update it with: python -m pytest --accept tests/test_help.py"


@pytest.mark.parametrize("words", EVERY)
def test_process_prints_the_same_help(words: str) -> None:
    printed = run(*words.split(), "--help", env={"COLUMNS": str(WIDTH)}).stdout
    assert " ".join(printed.split()) == " ".join(help_of(words).split())


def test_every_command_is_listed() -> None:
    assert [words for words in EVERY if words and " " not in words] == list(COMMANDS)
