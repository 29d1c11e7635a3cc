"""Find the lines of each top-level key in YAML or TOML front matter."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple

from feedtool.articles.yaml import MAXIMUM_DEPTH, MAXIMUM_EVENTS, YamlError
from feedtool.articles.yaml_recovery import key_blocks
from feedtool.errors import FeedtoolError

LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
BY_HAND = "change it by hand"
TOO_LARGE = "the front matter is too long or nested too deep"


class Entry(NamedTuple):
    """The place of one top-level key in a text, in offsets.

    text[start:end] are its whole lines and text[name:separator] is the key as spelled; the value follows the separator.
    `opaque` lists, in order, the spans of the value in which a `#` begins no comment. `refused` is True if YAML refuses these
    lines, so that only recovery can read them.
    """

    key: str
    start: int
    name: int
    separator: int
    end: int
    opaque: tuple[tuple[int, int], ...]
    refused: bool = False

    def moved(self, place: Callable[[int], int]) -> Entry:
        """Return the entry with each offset replaced by what `place` returns for it."""
        spans = tuple((place(start), place(stop)) for start, stop in self.opaque)
        return Entry(
            self.key, place(self.start), place(self.name), place(self.separator), place(self.end), spans, self.refused
        )


# Characters that the reader removes from YAML, and those that it replaces by a space.
_REMOVED = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_BREAK = re.compile("[\x85\u2028\u2029]")


def yaml_entries(text: str) -> list[Entry]:
    """Return the top-level keys of YAML in order; in invalid YAML, those that can be recovered."""
    cleaned = _BREAK.sub(" ", _REMOVED.sub("", text))
    try:
        entries = _parsed_entries(cleaned)
    except YamlError:
        entries = list(_recovered_entries(cleaned))
    if len(cleaned) == len(text):
        return entries
    places = [0, *(at + 1 for at, character in enumerate(text) if not _REMOVED.match(character))]
    return [entry.moved(places.__getitem__) for entry in entries]


def _parsed_entries(text: str) -> list[Entry]:
    import yaml

    nodes = _nodes(yaml.parse(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)))
    entries = []
    try:
        for key, value in zip(nodes, nodes, strict=True):
            entries.append(_parsed_entry(text, key, value))
    except (yaml.YAMLError, UnicodeError) as error:
        if "nesting depth" in str(error):
            raise FeedtoolError(TOO_LARGE, hint=BY_HAND) from None  # libyaml has its own bound
        raise YamlError(str(error)) from None
    return entries


def _nodes(events: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the events of each key, then those of its value, for the outermost mapping; the bounds are those of the reader."""
    depth = documents = 0
    node: list[Any] = []
    for count, event in enumerate(events):
        kind = type(event).__name__
        if kind.startswith(("Stream", "Document")):
            documents += kind == "DocumentStartEvent"
            continue
        if count > MAXIMUM_EVENTS or depth > MAXIMUM_DEPTH + 1:
            raise FeedtoolError(TOO_LARGE, hint=BY_HAND)
        if documents > 1 or kind == "AliasEvent":
            raise YamlError("a second document or an alias")
        root = depth == 0
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        if root and kind != "MappingStartEvent":
            raise YamlError("no `key: value` lines")
        if root and event.flow_style:
            raise FeedtoolError("feedtool does not edit front matter in braces", hint=BY_HAND)
        if depth and not root:
            node.append(event)
            if depth == 1:
                yield node
                node = []


def _parsed_entry(text: str, key: list[Any], value: list[Any]) -> Entry:
    mark = key[0].start_mark
    start, name = mark.index - mark.column, mark.index
    if len(key) != 1 or text[start:name].strip():
        raise FeedtoolError("feedtool does not edit a key that begins with `?`", hint=BY_HAND)
    separator = text.index(":", key[0].end_mark.index)
    opaque: list[tuple[int, int]] = []
    last = separator + 1
    for event in value:
        begin, stop = event.start_mark.index, event.end_mark.index
        if type(event).__name__ != "ScalarEvent":
            # The end event of a block mapping or list is at the next key, not at its last line.
            stop = begin if begin == stop and type(event).__name__.endswith("EndEvent") else stop
            last = last if begin == stop else max(last, stop)
            continue
        if event.style in ("|", ">"):
            # A comment may follow `|` or `>`, and the blank lines below the block belong to no value.
            last = max(last, begin + 1)
            begin = _line_end(text, begin)
            stop = begin + len(text[begin:stop].rstrip())
        if begin < stop:
            opaque.append((begin, stop))
            last = max(last, stop)
    return Entry(key[0].value, start, name, separator, _line_end(text, last), tuple(opaque))


def _recovered_entries(text: str) -> Iterator[Entry]:
    starts = [0, *(match.end() for match in re.finditer(r"\r\n?|\n", text)), len(text)]
    for block in key_blocks(text):
        if block is None:
            raise FeedtoolError("feedtool does not edit front matter with lines that belong to no key", hint=BY_HAND)
        start, end = starts[block.line - 1], starts[block.line - 1 + len(block.lines)]
        try:
            (entry,) = _parsed_entries(text[start:end])
            yield entry.moved(start.__add__)
        except ValueError:
            end = _line_end(text, start + len(text[start:end].rstrip()))
            name = start + len(text[start:end]) - len(text[start:end].lstrip())
            separator = text.index(":", name + len(block.key))
            yield Entry(block.key, start, name, separator, end, ((separator + 1, end),), refused=True)


def _line_end(text: str, at: int) -> int:
    """Return the offset after the line at `at`, or `at` at the end of the text."""
    match = LINE.match(text, at)
    return match.end() if match else at


# Each alternative takes linear time: a multi-line string ends at its first three quotes, plus at most two of its own.
_TOML_TOKEN = re.compile(
    r"""
      (?P<line>\r?\n)
    | (?P<skip>[ \t\r]+|\#[^\r\n]*)
    | (?P<text>
        \"\"\"(?:[^"\\]|\\.|"(?!""))*\"\"\"\"{0,2}
      | '''(?:[^']|'(?!''))*''''{0,2}
      | "(?:[^"\\\n]|\\.)*" | '[^'\n]*')
    | (?P<open>[\[{]) | (?P<close>[\]}])
    | (?P<bare>=|[^\s\#"'\[\]{}=]+)
    """,
    re.VERBOSE | re.DOTALL,
)


def toml_entries(text: str) -> tuple[list[Entry], int]:
    """Return the keys before the first table of valid TOML, in order, and the offset at which new keys go."""
    entries: list[Entry] = []
    start = place = depth = 0
    separator, key = -1, ""
    opaque: list[tuple[int, int]] = []
    while token := _TOML_TOKEN.match(text, place):
        kind, place = token.lastgroup, token.end()
        if kind == "line" and not depth:
            if separator >= 0:
                name = start + len(text[start:separator]) - len(text[start:separator].lstrip())
                entries.append(Entry(key, start, name, separator, place, tuple(opaque)))
            start, separator, key, opaque = place, -1, "", []
        elif kind == "open" and separator < 0:
            # A key after the header of a table would belong to that table.
            return entries, entries[-1].end if entries else start
        elif kind == "bare" and token[0] == "=" and separator < 0:
            separator = token.start()
        elif separator < 0 and kind in ("text", "bare"):
            key += token[0] if kind == "bare" else token[0][1:-1]
        elif kind == "text":
            opaque.append(token.span())
        depth += (kind == "open") - (kind == "close")
    return entries, len(text)
