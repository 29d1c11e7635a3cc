"""Print messages, problems, JSON, GitHub annotations and progress, such that untrusted text cannot forge a line."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable
from typing import Any

import click

from feedtool.models import Problem


def plain(text: str) -> str:
    """Return the text as one line without control characters, direction overrides or undecodable bytes."""
    return "".join(
        character if character.isprintable() and character not in _DIRECTIONAL else _replacement(character)
        for character in text
    )


_DIRECTIONAL = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def _replacement(character: str) -> str:
    return " " if character in "\n\r\t\u3000\xa0\u2028\u2029" else "\ufffd"


def error(text: str) -> None:
    """Print an error that stopped the command."""
    lines = [_without_commands(plain(line)) for line in text.split("\n")]
    click.echo(f"{click.style('error', fg='red', bold=True)}: " + "\n".join(lines), err=True, color=_colour(sys.stderr))
    if _annotating():
        click.echo(f"::error::{_escaped(text)}", err=True)


def crash(trace: str) -> None:
    """Print a traceback, which may contain text of an article and is made safe like any other text."""
    click.echo("\n".join(_without_commands(plain(line)) for line in trace.rstrip("\n").split("\n")), err=True)


def echo(text: str, *, err: bool = False) -> None:
    """Print a line of text; style it only on a terminal."""
    click.echo(_without_commands(text), err=err, color=_colour(sys.stderr if err else sys.stdout))


def is_terminal(stream: Any) -> bool:
    """Return True if the stream is a terminal; a stream that was closed before the start (`2>&-`) is None."""
    return stream is not None and stream.isatty()


def _colour(stream: Any) -> bool:
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def in_actions() -> bool:
    """Return True if feedtool runs in GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _annotating() -> bool:
    return in_actions() and os.environ.get("FEEDTOOL_ANNOTATIONS", "true") != "false"


def _without_commands(line: str) -> str:
    """Return a line that the runner of GitHub Actions does not execute as a workflow command.

    The runner executes `::name::` at the start of a line, and the older form `##[name]` anywhere in it.
    """
    if not in_actions():
        return line
    line = click.unstyle(line).replace("##[", "## [")
    return line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line


def show_problems(problems: Iterable[Problem], folder: str) -> None:
    """Print problems on stderr, one per line, with paths relative to the current folder; in GitHub Actions annotate them.

    On a terminal, also print the command that explains a code.
    """
    rows = list(problems)
    for problem in rows:
        echo(_line(problem, folder), err=True)
    if _annotating():
        for problem in rows:
            # GitHub reads both streams, and stdout may contain JSON.
            click.echo(annotation(problem, folder), err=True)
    elif rows and is_terminal(sys.stderr):
        echo(f"run `feedtool explain {rows[0].code}` for more about a code", err=True)


def _line(problem: Problem, folder: str) -> str:
    position = _position(problem, folder)
    kind = click.style(problem.severity, fg="red" if problem.severity == "error" else "yellow", bold=True)
    text = plain(_message(problem))
    return f"{click.style(plain(position), bold=True)}: {kind}: {text} [{problem.code}]"


def _position(problem: Problem, folder: str) -> str:
    parts = (_displayed_path(problem.file, folder), problem.line, problem.column)
    return ":".join(str(part) for part in parts if part)


def _message(problem: Problem) -> str:
    return f"{problem.message}; {as_typed(problem.hint)}" if problem.hint else problem.message


def as_typed(text: str) -> str:
    """Return a text in which options are named as they are typed: `--base-url` for "option `base_url`".

    The text is one of feedtool's own, such as a hint: titles and names of others stay as they are.
    """
    return re.sub(r"(?:the )?option `(\w+)`", lambda match: f"`--{match[1].replace('_', '-')}`", text)


def _displayed_path(file: str, folder: str, start: str | None = None) -> str:
    try:
        return os.path.relpath(os.path.join(folder, file), start)
    except ValueError:  # another drive
        return file


def annotation(problem: Problem, folder: str) -> str:
    """Return a GitHub workflow command that shows the problem at its line in a pull request."""
    file = _displayed_path(problem.file, folder, os.environ.get("GITHUB_WORKSPACE"))
    properties = [f"file={_property(file)}"]
    properties += [f"line={problem.line}"] if problem.line else []
    properties += [f"col={problem.column}"] if problem.column else []
    properties.append(f"title={_property('feedtool ' + problem.code)}")
    return f"::{problem.severity} {','.join(properties)}::{_escaped(_message(problem))}"


def _escaped(text: str) -> str:
    lines = (plain(line) for line in text.splitlines())
    return "\n".join(lines).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def summarize(command: str, rows: list[tuple[str, str]], problems: Iterable[Problem], folder: str) -> None:
    """Append the command's figures and the problems to the step summary of GitHub Actions, if there is one."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path or not in_actions():
        return
    lines = [f"### feedtool {command}", "", "| | |", "| --- | ---: |"]
    lines += [f"| {_cell(name)} | {_cell(value)} |" for name, value in rows]
    listed = list(problems)
    if listed:
        lines += ["", "| where | problem |", "| --- | --- |"]
        lines += [f"| {_cell(_position(one, folder))} | {_cell(_message(one))} |" for one in listed[:100]]
        if len(listed) > 100:
            lines.append(f"| | and {len(listed) - 100} more |")
    with open(path, "a", encoding="utf-8", errors="replace") as file:
        file.write("\n".join(lines) + "\n")


# GitHub rejects a summary of more than 1 MiB; a character may take ten bytes, and a problem two cells.
_LONGEST_CELL = 400


def _cell(text: str) -> str:
    shown = plain(text)
    shown = shown if len(shown) <= _LONGEST_CELL else shown[: _LONGEST_CELL - 1] + "…"
    # Untrusted titles must remain text, without markup, mentions or links.
    escaped = "".join(
        f"&#{ord(character)};" if character in "<>&|*_`[]()!#@\\~:$" else character for character in shown
    )
    # GitHub searches for @names after it has resolved character references, and for hosts that begin with www before.
    return escaped.replace("&#64;", "&#64;&#8288;").replace("www.", "www&#46;")


JSON_VERSION = 1
"""The version of the objects that `--json` prints: a higher one has keys removed or with another meaning, not only new ones."""


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object with its version on stdout, in ASCII, whatever the terminal's encoding."""
    import json

    value = {"version": JSON_VERSION, **value}
    # This escape is valid in a JSON string, and keeps the runner from executing `##[` as a command.
    click.echo(json.dumps(value, ensure_ascii=True).replace("##[", "#\\u0023["))


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """Return a problem as an object of the JSON output."""
    return {
        "file": plain(problem.file),
        "line": problem.line,
        "column": problem.column,
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "hint": as_typed(problem.hint),
    }


def columns(text: str) -> int:
    """Return the width of a text in terminal columns; wide characters take two."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


class Progress:
    """A progress line on stderr, shown only on a terminal."""

    def __init__(self, *, enabled: bool) -> None:
        self._shown = enabled and is_terminal(sys.stderr)
        self._width = 0

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._shown:
            text = f"{what} {done:,}" + (f" of {total:,}" if total else "")
            width = columns(text)
            sys.stderr.write("\r" + text + " " * (self._width - width))
            sys.stderr.flush()
            self._width = width

    def clear(self) -> None:
        """Clear the line."""
        if self._shown and self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
