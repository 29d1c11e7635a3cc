"""Reports in, words on the terminal, JSON, or GitHub's annotations out; untrusted text can't forge a line."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable
from typing import Any

import click

from feedtool.models import Problem


def plain(text: str) -> str:
    """Return text fit for a terminal: one line, no control characters, no direction overrides, nothing undecodable."""
    return "".join(
        character if character.isprintable() and character not in _TURNING else _visible(character)
        for character in text
    )


_TURNING = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u200e\u200f\u061c")


def _visible(character: str) -> str:
    return " " if character in "\n\r\t\u3000\xa0\u2028\u2029" else "\ufffd"


def error(text: str) -> None:
    """Print why a run could not start."""
    lines = [_inert(plain(line)) for line in text.split("\n")]
    click.echo(f"{click.style('error', fg='red', bold=True)}: " + "\n".join(lines), err=True, color=_colour(sys.stderr))
    if _annotating():
        click.echo(f"::error::{_escaped(text)}", err=True)


def crash(trace: str) -> None:
    """Print the trace of a crash, in which an article's text may stand: as plain as any other."""
    click.echo("\n".join(_inert(plain(line)) for line in trace.rstrip("\n").split("\n")), err=True)


def say(text: str, *, err: bool = False) -> None:
    """Print a line for people."""
    click.echo(_inert(text), err=err, color=_colour(sys.stderr if err else sys.stdout))


def is_terminal(stream: Any) -> bool:
    """Say whether a person may be looking; a stream that is closed from the start (`2>&-`) is None."""
    return stream is not None and stream.isatty()


def _colour(stream: Any) -> bool:
    return is_terminal(stream) and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def in_actions() -> bool:
    """Say whether GitHub Actions runs us."""
    return os.environ.get("GITHUB_ACTIONS") == "true"


def _annotating() -> bool:
    return in_actions() and os.environ.get("FEEDTOOL_ANNOTATIONS", "true") != "false"


def _inert(line: str) -> str:
    """Return a line that the runner of GitHub Actions does not take for a command of its own.

    It obeys `::name::` first in a line, and still the older `##[name]` anywhere in it.
    """
    if not in_actions():
        return line
    line = click.unstyle(line).replace("##[", "## [")
    return line.replace("::", ": :", 1) if line.lstrip().startswith("::") else line


def show(problems: Iterable[Problem], folder: str) -> None:
    """Print problems on stderr, a line each, with files as seen from the current folder; annotate under GitHub Actions.

    A terminal is told how to learn more.
    """
    listed = list(problems)
    for problem in listed:
        say(_line(problem, folder), err=True)
    if _annotating():
        for problem in listed:
            # GitHub reads both streams; stdout may be carrying JSON.
            click.echo(annotation(problem, folder), err=True)
    elif listed and is_terminal(sys.stderr):
        say(f"`feedtool explain {listed[0].code}` says more of a code", err=True)


def _line(problem: Problem, folder: str) -> str:
    place = _place(problem, folder)
    kind = click.style(problem.severity, fg="red" if problem.severity == "error" else "yellow", bold=True)
    text = plain(_words(problem))
    return f"{click.style(plain(place), bold=True)}: {kind}: {text} [{problem.code}]"


def _place(problem: Problem, folder: str) -> str:
    parts = (_seen(problem.file, folder), problem.line, problem.column)
    return ":".join(str(part) for part in parts if part)


def _words(problem: Problem) -> str:
    return f"{problem.message}; {problem.hint}" if problem.hint else problem.message


def _seen(file: str, folder: str, start: str | None = None) -> str:
    try:
        return os.path.relpath(os.path.join(folder, file), start)
    except ValueError:  # another drive
        return file


def annotation(problem: Problem, folder: str) -> str:
    """Return a GitHub workflow command that shows the problem at its line of a pull request."""
    file = _seen(problem.file, folder, os.environ.get("GITHUB_WORKSPACE"))
    properties = [f"file={_property(file)}"]
    properties += [f"line={problem.line}"] if problem.line else []
    properties += [f"col={problem.column}"] if problem.column else []
    properties.append(f"title={_property('feedtool ' + problem.code)}")
    return f"::{problem.severity} {','.join(properties)}::{_escaped(_words(problem))}"


def _escaped(text: str) -> str:
    lines = (plain(line) for line in text.splitlines())
    return "\n".join(lines).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")


def summarize(command: str, rows: list[tuple[str, str]], problems: Iterable[Problem], folder: str) -> None:
    """Add what a command did, and the problems, to the step summary of GitHub Actions, when there is one."""
    path = os.environ.get("GITHUB_STEP_SUMMARY")
    if not path or not in_actions():
        return
    lines = [f"### feedtool {command}", "", "| | |", "| --- | ---: |"]
    lines += [f"| {_cell(name)} | {_cell(value)} |" for name, value in rows]
    listed = list(problems)
    if listed:
        lines += ["", "| where | problem |", "| --- | --- |"]
        lines += [f"| {_cell(_place(one, folder))} | {_cell(_words(one))} |" for one in listed[:100]]
        if len(listed) > 100:
            lines.append(f"| | and {len(listed) - 100} more |")
    with open(path, "a", encoding="utf-8", errors="replace") as file:
        file.write("\n".join(lines) + "\n")


# GitHub shows no summary over 1 MiB; a sign can take up ten bytes, a problem two cells.
_LONGEST_CELL = 400


def _cell(text: str) -> str:
    shown = plain(text)
    shown = shown if len(shown) <= _LONGEST_CELL else shown[: _LONGEST_CELL - 1] + "…"
    # Untrusted titles must stay text: no markup, no mentions, no links.
    escaped = "".join(
        f"&#{ord(character)};" if character in "<>&|*_`[]()!#@\\~:$" else character for character in shown
    )
    # GitHub looks for names once more where references are read already, and for hosts that begin so before.
    return escaped.replace("&#64;", "&#64;&#8288;").replace("www.", "www&#46;")


def print_json(value: Any) -> None:
    """Print one JSON object on stdout, in ASCII, whatever the terminal's encoding."""
    import json

    # What stands in a text may be written in many ways; this one is no command to a runner.
    click.echo(json.dumps(value, ensure_ascii=True).replace("##[", "#\\u0023["))


def problem_facts(problem: Problem) -> dict[str, Any]:
    """Return a problem as the JSON output has it."""
    return {
        "file": plain(problem.file),
        "line": problem.line,
        "column": problem.column,
        "code": problem.code,
        "severity": problem.severity,
        "message": problem.message,
        "hint": problem.hint,
    }


def columns(text: str) -> int:
    """Return how many columns of a terminal a text takes: wide characters count twice."""
    from unicodedata import east_asian_width

    return sum(2 if east_asian_width(character) in "WF" else 1 for character in text)


class Progress:
    """A line on a terminal that says how far a run is; nothing where stderr is no terminal."""

    def __init__(self, *, wanted: bool) -> None:
        self._shown = wanted and is_terminal(sys.stderr)
        self._width = 0

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._shown:
            text = f"{what} {done:,}" + (f" of {total:,}" if total else "")
            width = columns(text)
            sys.stderr.write("\r" + text + " " * (self._width - width))
            sys.stderr.flush()
            self._width = width

    def clear(self) -> None:
        """Wipe the line."""
        if self._shown and self._width:
            sys.stderr.write("\r" + " " * self._width + "\r")
            sys.stderr.flush()
