"""A file's text or bytes and changed keys in, the same with only those keys' lines changed out; all else stays.

It also writes the front matter of a new file, in the seed's order and quoting.
"""

from __future__ import annotations

import codecs
import json
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from feedtool.articles.encoding import decode
from feedtool.articles.fences import split
from feedtool.articles.fields import FIRST_KEYS, PUBLISHED, UPDATED
from feedtool.articles.metadata import edited_metadata, metadata_lines, split_metadata
from feedtool.articles.yaml import MAXIMUM_DEPTH, MAXIMUM_EVENTS, MAXIMUM_SIZE, YamlError, load_fully
from feedtool.articles.yaml_fast import normal
from feedtool.articles.yaml_recovery import pieces
from feedtool.errors import FeedtoolError

Plain = str | Sequence[str] | bool

# Texts that no YAML takes for something else, and that end where a reader would expect it.
_BARE = re.compile(r"[^\W\d_](?:[\w ./()+，。、：；！？（）《》“”’－—-]*[^\W_]|[)）》”])?")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)", re.ASCII)
_WORDS = frozenset(["true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf"])
_LINE = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")
_BY_HAND = "change it by hand"
_TOO_MUCH = "the front matter is too long or too deep"


def front_matter(values: Mapping[str, Plain], *, metadata: bool = False) -> str:
    """Return a whole front matter block with both fences, keys in the order given, quoted as the seed quotes.

    With `metadata` it is Python-Markdown metadata, which has no fences and ends at a blank line.
    """
    if metadata:
        return "".join(metadata_lines(key, value) for key, value in values.items()) + "\n"
    lines = "".join(_yaml_lines(key, value, "\n") for key, value in values.items())
    return f"---\n{lines}---\n"


def edit_front_matter(text: str, changes: Mapping[str, Plain | None], *, metadata: bool = False) -> str:
    """Return `text` with the given top-level keys set (None removes one); every other line stays byte for byte.

    Keys are told apart as reading does, without regard to case or `-` for `_`, and stay as the file spells them; of
    one that stands twice, the last is set. Comments and blank lines stay. New keys go to the end of the front matter; a
    file without front matter gets one. With `metadata` it is Python-Markdown metadata, which knows no quotes. Raises
    FeedtoolError for JSON and for what can't be edited line by line.
    """
    if not changes:
        return text
    found = split_metadata(text) if metadata else split(text, FIRST_KEYS)
    newline = "\r\n" if "\r\n" in text[: max(found.body + 2, text.find("\n") + 1)] else "\n"
    if found.form == "none":
        if found.unclosed:
            raise FeedtoolError("the front matter has no closing fence", hint="close it first")
        fresh = {key: value for key, value in changes.items() if value is not None}
        if metadata:
            return front_matter(fresh, metadata=True).replace("\n", newline) + text
        return front_matter(fresh).replace("\n", newline) + newline + text.lstrip("\ufeff") if fresh else text
    if found.form == "json":
        raise FeedtoolError("JSON front matter is not edited", hint=_BY_HAND)
    if found.end - found.start > MAXIMUM_SIZE:
        raise FeedtoolError(_TOO_MUCH, hint=_BY_HAND)
    if metadata:
        return (
            text[: found.start] + edited_metadata(text[found.start : found.end], changes, newline) + text[found.end :]
        )
    matter = _edited(text[found.start : found.end], changes, found.form == "toml", newline)
    if not matter.strip() and not found.fenced:
        raise FeedtoolError("nothing would be left of front matter without a fence", hint=_BY_HAND)
    return text[: found.start] + matter + text[found.end :]


_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


def edit_file(data: bytes, changes: Mapping[str, Plain | None], *, metadata: bool = False) -> bytes:
    """Return a file's bytes edited as `edit_front_matter` edits text, in its own encoding, mark and line ends.

    Raises FeedtoolError also where writing the file back would change bytes that no edit is about.
    """
    hint = "save it as UTF-8 first"
    decoded = decode(data)
    if not decoded.exact:
        raise FeedtoolError("it holds bytes that fit no encoding, and they would be lost", hint=hint)
    text, mark, codec = decoded.text, b"", decoded.encoding
    if codec.startswith("utf"):
        mark, codec = next((pair for pair in _MARKS if data.startswith(pair[0])), (b"", codec))
    if mark + text.encode(codec, "surrogatepass" if codec.startswith("utf") else "replace") != data:
        raise FeedtoolError(f"what was read as {codec} would be written back as other bytes", hint=hint)
    # Reading takes a lone carriage return for the end of a line where there is no other.
    old = "\r" in text and "\n" not in text
    fresh = edit_front_matter(text.replace("\r", "\n") if old else text, changes, metadata=metadata)
    try:
        return mark + (fresh.replace("\n", "\r") if old else fresh).encode(codec)
    except UnicodeEncodeError:
        raise FeedtoolError(f"{codec} has no letters for what is to be written", hint=hint) from None


class _Entry(NamedTuple):
    """One top-level key: text[start:end] are its whole lines, text[name:sign] the key as spelled, its value follows.

    `opaque` are spans of the value in which a `#` is no comment, in order. `refused` is what only recovery can read.
    """

    key: str
    start: int
    name: int
    sign: int
    end: int
    opaque: tuple[tuple[int, int], ...]
    refused: bool = False

    def moved(self, place: Callable[[int], int]) -> _Entry:
        spans = tuple((place(start), place(stop)) for start, stop in self.opaque)
        return _Entry(
            self.key, place(self.start), place(self.name), place(self.sign), place(self.end), spans, self.refused
        )


def _edited(matter: str, changes: Mapping[str, Plain | None], toml: bool, newline: str) -> str:
    unended = bool(matter) and not matter.endswith(("\n", "\r"))
    text = matter + newline if unended else matter
    entries, at = _toml_entries(text) if toml else (_yaml_entries(text), len(text))
    indent = text[entries[0].start : entries[0].name] if entries and not toml else ""
    splices: list[tuple[int, int, str]] = []
    added = ""
    for key, value in {normal(key): (key, value) for key, value in changes.items()}.values():
        here = [entry for entry in entries if normal(entry.key) == normal(key)]
        if value is None:
            splices.extend((entry.start, entry.end, _left_behind(text, entry, toml)) for entry in here)
        elif here:
            splices.append((here[-1].start, here[-1].end, _replaced(text, here[-1], value, toml)))
        else:
            lines = _toml_line(key, value, bare=False) if toml else _yaml_lines(key, value, "\n")
            added += "".join(indent + line for line in _LINE.findall(lines)).replace("\n", newline)
    for start, end, fresh in sorted([*splices, (at, at, added)], reverse=True):
        text = text[:start] + fresh + text[end:]
    return text.removesuffix(newline) if unended and not added else text


def _replaced(text: str, entry: _Entry, value: Plain, toml: bool) -> str:
    """Return the lines of a key with its new value, and with the comments and blank lines that stood there."""
    indent, name = text[entry.start : entry.name], text[entry.name : entry.sign].rstrip()
    if toml:
        bare = text[entry.sign + 1 : entry.end].lstrip()[:1].isdigit()
        lines = _toml_line(name, value, bare=bare)
    else:
        lines = _yaml_lines(name, value, "\n")
    if entry.refused and text.count("#", entry.start, entry.end) > lines.count("#"):
        # What YAML can't read has no comments that are plain to see.
        raise FeedtoolError("a comment would be lost", hint=_BY_HAND)
    behind, kept = _comments(text, entry, toml)
    head, *tail = lines.removesuffix("\n").split("\n")
    first = _LINE.match(text, entry.start)
    ending = first[0][len(first[0].rstrip("\r\n")) :] if first else "\n"
    return indent + ending.join([head + behind, *(indent + line for line in tail), kept])


def _left_behind(text: str, entry: _Entry, toml: bool) -> str:
    """Return the comments among the lines of a key that goes; not indented, or a block above would take them in."""
    indent = text[entry.start : entry.name]
    kept = _LINE.findall(_comments(text, entry, toml)[1])
    return "".join(indent + line.lstrip() for line in kept if line.strip())


def _comments(text: str, entry: _Entry, toml: bool) -> tuple[str, str]:
    """Return the comment behind a key's first line, and the other comments and blank lines among its lines."""
    starts = [start for start, _ in entry.opaque]
    signs = iter([*_comment_signs(text, entry, toml), len(text)])
    sign = next(signs)
    behind = kept = ""
    for line in _LINE.finditer(text, entry.start, entry.end):
        comment = text[sign : line.end()]  # "" where the next one is further below
        content = text[line.start() : min(sign, line.end())]
        before = bisect_right(starts, line.start() - 1) - 1
        inside = before >= 0 and line.start() < entry.opaque[before][1]
        if line.start() == entry.start:
            behind = (content[len(content.rstrip()) :] + comment).rstrip("\r\n") if comment else ""
        elif not content.strip() and not inside:
            kept += line[0]
        elif comment:
            kept += content[: len(content) - len(content.lstrip())] + comment
        if comment:
            sign = next(signs)
    return behind, kept


def _comment_signs(text: str, entry: _Entry, toml: bool) -> Iterator[int]:
    """Yield where each comment in a key's lines begins."""
    comment = re.compile(r"#[^\r\n]*" if toml else r"(?<!\S)#[^\r\n]*")
    position = entry.sign
    for start, stop in (*entry.opaque, (entry.end, entry.end)):
        for found in comment.finditer(text, position, max(position, start)):
            yield found.start()
        position = max(position, stop)


# What reading leaves out of YAML, and what it takes for a space.
_LEFT_OUT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ufeff\ufffe\uffff\ud800-\udfff]")
_BREAK = re.compile("[\x85\u2028\u2029]")


def _yaml_entries(text: str) -> list[_Entry]:
    """Return the top-level keys of YAML, or of what is plain to see in broken YAML, in order."""
    cleaned = _BREAK.sub(" ", _LEFT_OUT.sub("", text))
    try:
        entries = _parsed_entries(cleaned)
    except YamlError:
        entries = list(_recovered_entries(cleaned))
    if len(cleaned) == len(text):
        return entries
    places = [0, *(at + 1 for at, character in enumerate(text) if not _LEFT_OUT.match(character))]
    return [entry.moved(places.__getitem__) for entry in entries]


def _parsed_entries(text: str) -> list[_Entry]:
    import yaml

    nodes = _nodes(yaml.parse(text, Loader=getattr(yaml, "CBaseLoader", yaml.BaseLoader)))
    entries = []
    try:
        for key, value in zip(nodes, nodes, strict=True):
            entries.append(_parsed_entry(text, key, value))
    except (yaml.YAMLError, UnicodeError) as error:
        if "nesting depth" in str(error):
            raise FeedtoolError(_TOO_MUCH, hint=_BY_HAND) from None  # libyaml counts for itself
        raise YamlError(str(error)) from None
    return entries


def _nodes(events: Iterable[Any]) -> Iterator[list[Any]]:
    """Yield the events of each key and each value of the outermost mapping by turns; bounded as reading is."""
    depth = documents = 0
    node: list[Any] = []
    for count, event in enumerate(events):
        kind = type(event).__name__
        if kind.startswith(("Stream", "Document")):
            documents += kind == "DocumentStartEvent"
            continue
        if count > MAXIMUM_EVENTS or depth > MAXIMUM_DEPTH + 1:
            raise FeedtoolError(_TOO_MUCH, hint=_BY_HAND)
        if documents > 1 or kind == "AliasEvent":
            raise YamlError("a second document or an alias")
        root = depth == 0
        depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
        if root and kind != "MappingStartEvent":
            raise YamlError("no `key: value` lines")
        if root and event.flow_style:
            raise FeedtoolError("front matter in braces is not edited", hint=_BY_HAND)
        if depth and not root:
            node.append(event)
            if depth == 1:
                yield node
                node = []


def _parsed_entry(text: str, key: list[Any], value: list[Any]) -> _Entry:
    mark = key[0].start_mark
    start, name = mark.index - mark.column, mark.index
    if len(key) != 1 or text[start:name].strip():
        raise FeedtoolError("a key that begins with `?` is not edited", hint=_BY_HAND)
    sign = text.index(":", key[0].end_mark.index)
    opaque: list[tuple[int, int]] = []
    last = sign + 1
    for event in value:
        begin, stop = event.start_mark.index, event.end_mark.index
        if type(event).__name__ != "ScalarEvent":
            # Where what is indented ends is found only at the next key.
            stop = begin if begin == stop and type(event).__name__.endswith("EndEvent") else stop
            last = last if begin == stop else max(last, stop)
            continue
        if event.style in ("|", ">"):
            # Behind its sign a comment may stand, and the blank lines below it are kept.
            last = max(last, begin + 1)
            begin = _line_end(text, begin)
            stop = begin + len(text[begin:stop].rstrip())
        if begin < stop:
            opaque.append((begin, stop))
            last = max(last, stop)
    return _Entry(key[0].value, start, name, sign, _line_end(text, last), tuple(opaque))


def _recovered_entries(text: str) -> Iterator[_Entry]:
    starts = [0, *(found.end() for found in re.finditer(r"\r\n?|\n", text)), len(text)]
    for piece in pieces(text):
        if piece is None:
            raise FeedtoolError("front matter with lines that belong to no key is not edited", hint=_BY_HAND)
        start, end = starts[piece.line - 1], starts[piece.line - 1 + len(piece.lines)]
        try:
            (entry,) = _parsed_entries(text[start:end])
            yield entry.moved(start.__add__)
        except ValueError:
            end = _line_end(text, start + len(text[start:end].rstrip()))
            name = start + len(text[start:end]) - len(text[start:end].lstrip())
            sign = text.index(":", name + len(piece.key))
            yield _Entry(piece.key, start, name, sign, end, ((sign + 1, end),), refused=True)


def _line_end(text: str, at: int) -> int:
    found = _LINE.match(text, at)
    return found.end() if found else at


# Each alternative is linear: a long string ends at its first three quotes, plus at most two that belong to it.
_TOML = re.compile(
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


def _toml_entries(text: str) -> tuple[list[_Entry], int]:
    """Return the keys that stand before any table of valid TOML, in order, and where new ones go."""
    entries: list[_Entry] = []
    start = place = depth = 0
    sign, key = -1, ""
    opaque: list[tuple[int, int]] = []
    while token := _TOML.match(text, place):
        kind, place = token.lastgroup, token.end()
        if kind == "line" and not depth:
            if sign >= 0:
                name = start + len(text[start:sign]) - len(text[start:sign].lstrip())
                entries.append(_Entry(key, start, name, sign, place, tuple(opaque)))
            start, sign, key, opaque = place, -1, "", []
        elif kind == "open" and sign < 0:
            # A key behind a table's header would belong to that table.
            return entries, entries[-1].end if entries else start
        elif kind == "bare" and token[0] == "=" and sign < 0:
            sign = token.start()
        elif sign < 0 and kind in ("text", "bare"):
            key += token[0] if kind == "bare" else token[0][1:-1]
        elif kind == "text":
            opaque.append(token.span())
        depth += (kind == "open") - (kind == "close")
    return entries, len(text)


def _yaml_lines(key: str, value: Plain, newline: str) -> str:
    if isinstance(value, bool):
        return f"{key}: {'true' if value else 'false'}{newline}"
    if isinstance(value, str):
        return f"{key}: {value if is_clock_time(key, value) else quoted(value)}{newline}"
    items = "".join(f" - {quoted(item)}{newline}" for item in value)
    # The seed writes a blank behind the colon; a list that is empty must still be a list.
    return f"{key}:{newline}{items}" if items else f"{key}: []{newline}"


_CLOCK = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", re.ASCII)


def is_clock_time(key: str, value: object) -> bool:
    """Return True if a date's value is a time of day without a zone; it stands unquoted, which is how Hexo writes it."""
    return normal(key) in PUBLISHED + UPDATED and isinstance(value, str) and _CLOCK.fullmatch(value) is not None


def quoted(text: str) -> str:
    """Return a YAML scalar, on one line, that reads back as `text` in YAML 1.1 and 1.2: bare where safe, else quoted.

    Only an ISO 8601 moment stays bare though YAML 1.1 knows it for one. Lone surrogates, which no file can hold,
    become question marks.
    """
    if (_BARE.fullmatch(text) and text.lower() not in _WORDS) or (_MOMENT.fullmatch(text) and _is_moment(text)):
        return text
    single = "'" + text.replace("'", "''") + "'"
    if text.isprintable():
        return single
    if not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]", text):
        try:
            if load_fully(f"a: {single}").values == {"a": text}:
                return single
        except YamlError:
            pass
    import yaml

    whole = text.encode("utf-8", "replace").decode()
    # Wider than any text, or it would be folded.
    return str(yaml.dump(whole, default_style='"', allow_unicode=True, width=2**31)).removesuffix("\n")


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _toml_line(key: str, value: Plain, *, bare: bool) -> str:
    """Return a line of TOML; with `bare`, a moment is written as TOML's own kind and not as text."""
    if isinstance(value, bool):
        return f"{key} = {'true' if value else 'false'}\n"
    if isinstance(value, str):
        return f"{key} = {value if bare and _MOMENT.fullmatch(value) else _toml_text(value)}\n"
    return f"{key} = [{', '.join(map(_toml_text, value))}]\n"


def _toml_text(text: str) -> str:
    whole = text.encode("utf-8", "replace").decode()
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")
