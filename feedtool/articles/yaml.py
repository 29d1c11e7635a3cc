"""Read YAML front matter as a mapping of texts: every scalar stays the text that was written.

Two engines give the same result: a Rust parser for plain front matter (nearly all of it), and PyYAML's event stream for the
rest. The events are read without recursion and within bounds, because PyYAML's loader can crash the process (30,000 levels)
and an alias bomb can fill memory. `yaml_loader` chooses between them and recovers what neither can read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Set
from typing import Any, NamedTuple, TypeAlias

from feedtool.articles.keys import hiding_value
from feedtool.articles.yaml_fast import EMPTY, normal, plain_lines
from feedtool.expressions import expression

Value: TypeAlias = "str | list[Value] | dict[str, Value]"

MAXIMUM_SIZE = 65_536
MAXIMUM_DEPTH = 16
MAXIMUM_EVENTS = 20_000
MAXIMUM_BRACKETS = 1_000


class YamlError(ValueError):
    """Front matter that cannot be read; `line` and `column` count from 1 within it."""

    def __init__(self, what: str, line: int = 1, column: int | None = None, *, final: bool = False) -> None:
        super().__init__(what)
        self.what = what
        self.line = line
        self.column = column
        self.final = final
        """True if a bound is exceeded, so that recovery must not try."""


class Loaded(NamedTuple):
    """The values of front matter; `notes` are (line, text) of what was repaired or is doubtful.

    `recovered` is True if it is not valid YAML; `broken_line` is then the first invalid line, 0 if unknown.
    """

    values: dict[str, Value]
    notes: tuple[tuple[int, str], ...] = ()
    recovered: bool = False
    broken_line: int = 0


# Characters that YAML 1.1 and 1.2 treat differently, or that neither allows.
AMBIGUOUS_CHARACTERS = expression("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff\ud800-\udfff]")
# Anchors, aliases, tags, block scalars, explicit keys and directives are left to the engine that counts events.
_NODES = expression(r"[\s\[{,:-][&*!?|>%]")
_TOP_KEYS = expression(r"^[^\s#-][^\n:]*:(?:\s|$)", re.MULTILINE)


# Bytes that neither engine can misread; text with others is checked further.
_UNAMBIGUOUS = bytes(byte for byte in range(256) if byte == 10 or (byte >= 32 and byte not in b"*!|>#[{\x7f\xc2"))


def plain_values(text: str, known_keys: Set[str]) -> dict[str, Value] | None:
    """Return the values of `known_keys` in YAML that both engines read alike, None if it needs the careful engine."""
    quick: dict[str, Value] | None = plain_lines(text, known_keys)
    return quick if quick is not None else values_by_engine(text, known_keys)


def values_by_engine(text: str, known_keys: Set[str]) -> dict[str, Value] | None:
    """Return the result of `plain_values` from the quick engine alone."""
    raw = text.encode("utf-8", "surrogatepass")
    if b"\r" in raw:
        raw = raw.replace(b"\r\n", b"\n")
        text = text.replace("\r\n", "\n")
    if not _is_plain(text, raw):
        return None
    try:
        from yaml12 import parse_yaml
    except ImportError:  # pragma: no cover - the wheel is missing on rare platforms
        return None
    try:
        parsed = parse_yaml(text)
    except ValueError:
        return None
    if type(parsed) is not dict or not parsed or raw.lstrip()[:1] == b"{":
        return None
    # A doubled key gives fewer keys than lines with a key: leave it to the other engine, which notes it.
    lines = raw.count(b"\n") - raw.count(b"\n ") - raw.count(b"\n-")
    if len(parsed) != lines and len(parsed) != len(_TOP_KEYS.findall(text)):
        return None
    return _texts(parsed, known_keys)


def _is_plain(text: str, raw: bytes) -> bool:
    if len(raw) > 8192 or raw.count(b"[") + raw.count(b"{") > MAXIMUM_DEPTH:
        return False
    if b"                        " in raw or b"- - - - - -" in raw:
        return False
    if b"..." in raw[:3] or b"\n..." in raw or b"---" in raw[:3] or b"\n---" in raw:
        return False
    if b"\xe2\x80\xa8" in raw or b"\xe2\x80\xa9" in raw or b"\xef\xbb\xbf" in raw or b"\xef\xbf" in raw:
        return False
    # `&`, `?` and `%` are common in addresses; they have a meaning only at the start of a value.
    if b" &" in raw or b" ?" in raw or b" %" in raw or b"\n&" in raw or b"\n?" in raw or b"\n%" in raw:
        return False
    if raw.startswith((b"&", b"?", b"%")):
        return False
    # " #" begins a comment; the other engine notes it if it cuts a title short.
    return not raw.translate(None, _UNAMBIGUOUS) or not (
        " #" in text or AMBIGUOUS_CHARACTERS.search(text) or _NODES.search("\n" + text)
    )


def _texts(parsed: dict[Any, Any], known_keys: Set[str]) -> dict[str, Value] | None:
    values: dict[str, Value] = {}
    for key, value in parsed.items():
        if type(key) is not str:
            return None
        name = normal(key)
        if name not in known_keys:
            continue
        if name in values:
            return None  # two spellings of one key
        if type(value) is str:
            if value in EMPTY and value:
                return None
            values[name] = value
        elif value is None:
            values[name] = ""
        elif name != "title" and _is_flat(value):
            values[name] = value
        else:
            # Numbers, booleans and nested maps have lost their spelling.
            return None
    return values


def _is_flat(value: Any) -> bool:
    if type(value) is list:
        return _are_texts(value)
    return type(value) is dict and _are_texts(value) and _are_texts(value.values())


def _are_texts(items: Iterable[Any]) -> bool:
    return all(type(item) is str and item not in EMPTY for item in items)


def from_events(text: str) -> Loaded:
    """Return the mapping in valid YAML within the bounds; raise YamlError for anything else."""
    import yaml

    # libyaml's scanner takes quadratic time in the number of open brackets.
    brackets = text.count("[") + text.count("{")
    if brackets > MAXIMUM_BRACKETS:
        lines = enumerate(text.split("\n"), 1)
        where = next((number for number, line in lines if line.count("[") + line.count("{") > MAXIMUM_DEPTH), 1)
        raise YamlError(f"{brackets:,} opening brackets; at most {MAXIMUM_BRACKETS:,} are read", where, final=True)
    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        return _Composer(text).compose(yaml.parse(text, Loader=loader))
    except YamlError:
        raise
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, None)
        raise YamlError(str(error.problem or error.context or "not YAML"), line, column) from None
    except yaml.YAMLError as error:
        position = getattr(error, "position", 0)
        raise YamlError(
            getattr(error, "reason", "not YAML"), text.count("\n", 0, position if type(position) is int else 0) + 1
        ) from None
    except (ValueError, UnicodeError) as error:
        raise YamlError(str(error)) from None


class _Composer:
    """Builds the mapping from YAML events with an explicit stack, so that depth and size are bounded."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.stack: list[tuple[Value, list[str | None]]] = []
        self.root: Value | None = None
        self.notes: list[tuple[int, str]] = []
        self.anchors: set[str] = set()

    def compose(self, events: Iterable[Any]) -> Loaded:
        documents = 0
        for count, event in enumerate(events):
            if count > MAXIMUM_EVENTS:
                raise _error_at(event, f"more than {MAXIMUM_EVENTS:,} values", final=True)
            kind = type(event).__name__
            if kind == "DocumentStartEvent":
                documents += 1
                if documents > 1:
                    raise _error_at(event, "a second document begins here")
            elif kind == "ScalarEvent":
                self._scalar(event)
            elif kind == "AliasEvent":
                name = event.anchor or ""
                what = f"alias *{name[:40]} is not supported; write its value instead"
                raise _error_at(event, what, final=name in self.anchors)
            elif kind in ("MappingStartEvent", "SequenceStartEvent"):
                self._open(event, kind, events)
            elif kind in ("MappingEndEvent", "SequenceEndEvent"):
                self.stack.pop()
        if self.root is None or self.root == "":
            return Loaded({}, tuple(self.notes))
        if not isinstance(self.root, dict):
            raise YamlError("no `key: value` lines")
        return Loaded(self.root, tuple(self.notes))

    def _scalar(self, event: Any) -> None:
        value = event.value
        line = event.start_mark.line + 1
        if not event.style:
            own_tag = event.tag is not None and not event.tag.startswith("tag:yaml.org,")
            if own_tag or event.anchor:
                # `!important news` and `&c` are meant as text, not as a tag and an anchor.
                value = self._raw(event.start_mark, event.end_mark)
                self.anchors.add(event.anchor or "")
            elif value in EMPTY:
                value = ""
            if self._key() == "title":
                self._warn_of_comment(event, line)
        self._add(value, line)

    def _open(self, event: Any, kind: str, events: Iterable[Any]) -> None:
        if event.anchor:
            self.anchors.add(event.anchor)
        line = event.start_mark.line + 1
        if event.flow_style and self._key() == "title":
            # A title in brackets is a text: `[重磅]`, `{x}`.
            depth, last = 1, event
            for last in events:
                depth += type(last).__name__.endswith("gStartEvent") or type(last).__name__.endswith("eStartEvent")
                depth -= type(last).__name__.endswith("EndEvent")
                if not depth:
                    break
            self._add(self._raw(event.start_mark, last.end_mark), line)
            return
        if len(self.stack) >= MAXIMUM_DEPTH:
            raise _error_at(event, f"nested more than {MAXIMUM_DEPTH} deep", final=True)
        node: Value = {} if kind == "MappingStartEvent" else []
        self._add(node, line)
        self.stack.append((node, [None]))

    def _raw(self, start: Any, end: Any) -> str:
        return self.text[start.index : end.index].strip()

    def _key(self) -> str:
        """Return the top-level key whose value comes next, else ""."""
        key = self.stack[-1][1][0] if len(self.stack) == 1 else None
        return (key or "").lower()

    def _warn_of_comment(self, event: Any, line: int) -> None:
        rest = self.text[event.end_mark.index : event.end_mark.index + 200].split("\n")[0].strip()
        if rest.startswith("#"):
            self.notes.append((line, "title: to YAML, the text after # is a comment; quote the title to keep it"))

    def _add(self, value: Value, line: int) -> None:
        if not self.stack:
            self.root = value
            return
        parent, pending = self.stack[-1]
        if isinstance(parent, list):
            parent.append(value)
            return
        assert isinstance(parent, dict)
        if pending[0] is None:
            pending[0] = value if isinstance(value, str) else "?"
            return
        key, pending[0] = pending[0], None
        if key in parent:
            self.notes.append((line, f'key "{key[:60]}" occurs twice; the last one counts'))
            if len(self.stack) == 1:
                value = hiding_value(normal(key), parent[key], value)  # type: ignore[assignment]
        parent[key] = value


def _error_at(event: Any, what: str, *, final: bool = False) -> YamlError:
    return YamlError(what, event.start_mark.line + 1, event.start_mark.column + 1, final=final)
