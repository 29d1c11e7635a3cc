"""Find the line number of every key in a TOML text; tomllib, which validates the text, does not report lines."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

Path = tuple[str | int, ...]

# Every alternative takes linear time. A multi-line string ends at the first three quotes, plus up to two that belong to it.
_TOKENS = re.compile(
    r"""
      (?P<break>\n)
    | (?P<skip>[ \t\r]+|\#[^\n]*)
    | (?P<text>
        \"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\"\"{0,2}
      | '''(?:[^']|'(?!''))*''''{0,2}
      | "(?:[^"\\\n]|\\.)*" | '[^'\n]*')
    | (?P<mark>[\[\]{}=,.])
    | (?P<bare>[^\s\#"'\[\]{}=,.]+)
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPES = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


def key_lines(text: str) -> dict[Path, int]:
    """Return the line, counted from 1, on which each key and table of a TOML text begins.

    A table in an array of tables is identified by its index, counted from 0. If the text is not valid TOML, return the
    lines of the parts that were understood.
    """
    scanner = _Scanner()
    for kind, lexeme, line in _tokens(text):
        scanner.step(kind, lexeme, line)
    return scanner.lines


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    line, position = 1, 0
    while match := _TOKENS.match(text, position):
        position = match.end()
        kind = match.lastgroup or ""
        if kind != "skip":
            yield kind, match[0], line
        line += match[0].count("\n") if kind in ("text", "break") else 0


class _Scanner:
    """The state of the scanner: in a header, before the `=` of a key, or inside a value and its brackets."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.table: Path = ()
        self.keys: list[str] = []
        self.header = 0  # number of "[" that opened the current header
        self.start = True  # at the start of a line
        self.value = False  # after the "=" of a statement
        self.path: Path = ()  # path of the current value
        self.open: list[tuple[str, Path, int]] = []  # open brackets of the value: bracket, path, index of the item
        self.rows: Counter[Path] = Counter()  # number of tables so far in each array of tables

    def step(self, kind: str, lexeme: str, line: int) -> None:
        if self.open or self.value:
            self._in_value(kind, lexeme, line)
        elif self.header:
            self._in_header(kind, lexeme, line)
        elif kind == "break":
            self.keys.clear()
            self.start = True
        elif lexeme == "[" and self.start:
            self.header, self.start = 1, False
        elif lexeme == "=":
            self.path = self._key(self.table, line)
            self.value = True
        else:
            self.start = False
            self._part(kind, lexeme)

    def _in_header(self, kind: str, lexeme: str, line: int) -> None:
        if lexeme == "[" and not self.keys:
            self.header = 2
        elif lexeme == "]" and self.keys:
            self._close_header(line)
        elif kind == "break":
            self.header, self.start = 0, True
        else:
            self._part(kind, lexeme)

    def _close_header(self, line: int) -> None:
        path: Path = ()
        for key in self.keys[:-1]:
            path = self._last_row((*path, key))
            self.lines.setdefault(path, line)
        path = (*path, self.keys[-1])
        if self.header == 2:
            self.lines.setdefault(path, line)
            self.rows[path] += 1
            path = (*path, self.rows[path] - 1)
        self.lines[path] = line
        self.table, self.header = path, 0
        self.keys.clear()

    def _last_row(self, path: Path) -> Path:
        return (*path, self.rows[path] - 1) if self.rows[path] else path

    def _in_value(self, kind: str, lexeme: str, line: int) -> None:
        bracket, path, number = self.open[-1] if self.open else ("", (), 0)
        if lexeme in ("[", "{"):
            here = (*path, number) if bracket == "[" else self.path
            self.lines.setdefault(here, line)
            self.open.append((lexeme, here, 0))
        elif lexeme in ("]", "}") and self.open:
            self.open.pop()
        elif kind == "break" and not self.open:
            self.value, self.start = False, True
        elif lexeme == "," and self.open:
            self.open[-1] = (bracket, path, number + 1)
        elif bracket == "[" and kind in ("text", "bare"):
            self.lines.setdefault((*path, number), line)
        elif bracket == "{" and lexeme == "=":
            self.path = self._key(path, line)
            return
        elif bracket == "{":
            self._part(kind, lexeme)
            return
        self.keys.clear()

    def _part(self, kind: str, lexeme: str) -> None:
        if kind in ("text", "bare"):
            self.keys.append(_unquoted(lexeme) if kind == "text" else lexeme)

    def _key(self, table: Path, line: int) -> Path:
        for key in self.keys:
            table = (*table, key)
            self.lines.setdefault(table, line)
        self.keys.clear()
        return table


def _unquoted(lexeme: str) -> str:
    """Return the text of a quoted key, without its quotes and escapes."""
    if lexeme[0] == "'" or "\\" not in lexeme:
        return lexeme[1:-1]
    return re.sub(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|.)", _unescape, lexeme[1:-1], flags=re.DOTALL)


def _unescape(match: re.Match[str]) -> str:
    escape = match[1]
    if len(escape) == 1:
        return _ESCAPES.get(escape, escape)
    code = int(escape[1:], 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"
