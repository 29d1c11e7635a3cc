"""The text of a TOML file in, the line of every key in it out; it judges nothing, that is tomllib's work."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

Path = tuple[str | int, ...]

# Every alternative is linear: a long string ends at its first three quotes, plus at most two that belong to it.
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
    """Return the line, from 1, on which each key and table of a valid TOML text begins.

    A row of an array of tables is known by its number from 0. Of a text that isn't TOML, what was understood.
    """
    scan = _Scan()
    for kind, sign, line in _tokens(text):
        scan.step(kind, sign, line)
    return scan.lines


def _tokens(text: str) -> Iterator[tuple[str, str, int]]:
    line, place = 1, 0
    while found := _TOKENS.match(text, place):
        place = found.end()
        kind = found.lastgroup or ""
        if kind != "skip":
            yield kind, found[0], line
        line += found[0].count("\n") if kind in ("text", "break") else 0


class _Scan:
    """Where the scan stands: in a header, before a key's `=`, or inside a value and how deep."""

    def __init__(self) -> None:
        self.lines: dict[Path, int] = {}
        self.table: Path = ()
        self.keys: list[str] = []
        self.header = 0  # How many "[" opened the header.
        self.start = True  # Nothing of this line was read yet.
        self.value = False  # Behind the "=" of a statement.
        self.path: Path = ()  # Of the value at hand.
        self.open: list[tuple[str, Path, int]] = []  # Brackets of the value: kind, path, number of the item.
        self.rows: Counter[Path] = Counter()

    def step(self, kind: str, sign: str, line: int) -> None:
        if self.open or self.value:
            self._in_value(kind, sign, line)
        elif self.header:
            self._in_header(kind, sign, line)
        elif kind == "break":
            self.keys.clear()
            self.start = True
        elif sign == "[" and self.start:
            self.header, self.start = 1, False
        elif sign == "=":
            self.path = self._key(self.table, line)
            self.value = True
        else:
            self.start = False
            self._part(kind, sign)

    def _in_header(self, kind: str, sign: str, line: int) -> None:
        if sign == "[" and not self.keys:
            self.header = 2
        elif sign == "]" and self.keys:
            self._close_header(line)
        elif kind == "break":
            self.header, self.start = 0, True
        else:
            self._part(kind, sign)

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

    def _in_value(self, kind: str, sign: str, line: int) -> None:
        bracket, path, number = self.open[-1] if self.open else ("", (), 0)
        if sign in ("[", "{"):
            here = (*path, number) if bracket == "[" else self.path
            self.lines.setdefault(here, line)
            self.open.append((sign, here, 0))
        elif sign in ("]", "}") and self.open:
            self.open.pop()
        elif kind == "break" and not self.open:
            self.value, self.start = False, True
        elif sign == "," and self.open:
            self.open[-1] = (bracket, path, number + 1)
        elif bracket == "[" and kind in ("text", "bare"):
            self.lines.setdefault((*path, number), line)
        elif bracket == "{" and sign == "=":
            self.path = self._key(path, line)
            return
        elif bracket == "{":
            self._part(kind, sign)
            return
        self.keys.clear()

    def _part(self, kind: str, sign: str) -> None:
        if kind in ("text", "bare"):
            self.keys.append(_plain(sign) if kind == "text" else sign)

    def _key(self, table: Path, line: int) -> Path:
        for key in self.keys:
            table = (*table, key)
            self.lines.setdefault(table, line)
        self.keys.clear()
        return table


def _plain(sign: str) -> str:
    """Return what a quoted key says."""
    if sign[0] == "'" or "\\" not in sign:
        return sign[1:-1]
    return re.sub(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|x[0-9A-Fa-f]{2}|.)", _unescape, sign[1:-1], flags=re.DOTALL)


def _unescape(found: re.Match[str]) -> str:
    escape = found[1]
    if len(escape) == 1:
        return _ESCAPES.get(escape, escape)
    code = int(escape[1:], 16)
    return chr(code) if code <= 0x10FFFF else "\ufffd"
