"""The text of feedtool.toml, the environment and options in, Settings out; every violation is told, with its line.

It opens no file: `find.py` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING
from typing import Any

from feedtool.config.field_types import Named, Rows, Table, Text, shown
from feedtool.config.positions import Path, key_lines
from feedtool.config.schema import CLASSES, Settings
from feedtool.config.tables import Key, keys_of
from feedtool.config.validate import RefusedError, did_you_mean
from feedtool.errors import SettingsError

# What tomllib says, by its beginning; what it means and how to mend it.
_SYNTAX = {
    "Invalid value": ("Invalid value", "a text needs quotes, a list [ and ]; true and false are in lower case"),
    "Invalid statement": (
        "Invalid statement",
        "write key = value; a key needs quotes if it holds more than A-Z a-z 0-9 _ -",
    ),
    "Cannot overwrite": ("this key is set already", "a key may stand only once in a table"),
    "Cannot declare": ("this table is there already", "a table may stand only once"),
    "Unescaped": ("Unescaped '\\' in a text", "write the text in single quotes, or \\\\ for each \\"),
    "Exceeds": ("a number has too many digits", ""),
}
LONGEST = 1_000_000
LONGEST_LINE = 10_000
DEEPEST = 8
NAME = Text(required=True)
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class InvalidSettingsError(SettingsError):
    """All that is wrong with the settings: `problems`, in the order of the lines; `str()` has a line for each."""

    def __init__(self, problems: tuple[SettingsError, ...]) -> None:
        first = problems[0]
        super().__init__(first.what, where=first.where, line=first.line, column=first.column, hint=first.hint)
        self.args = (problems,)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


def parse_settings(
    text: str = "",
    *,
    file: str = "feedtool.toml",
    environment: Mapping[str, str] | None = None,
    options: Mapping[str, object] | None = None,
) -> Settings:
    """Return the settings: options by dotted key ("feeds.limit") over FEEDTOOL_* over the text over the defaults.

    A value of None or an empty variable counts as not given. `file` names the text in messages. Raises
    InvalidSettingsError, which names all that is wrong, or for what is no TOML at all SettingsError.
    """
    data = _toml(text, file)
    reading = _Reading(file, key_lines(text) if text else {})
    reading.overlay(environment or {}, options or {})
    settings: Settings = reading.table(Settings, data, ())
    if not reading.problems:
        reading.once("name", ((("sources", i), source.name) for i, source in enumerate(settings.sources)))
        reading.once("slug", ((("categories", each.name), each.slug.casefold()) for each in settings.categories))
    if reading.problems:
        raise InvalidSettingsError(tuple(sorted(reading.problems, key=lambda problem: problem.line or 2**31)))
    object.__setattr__(settings, "origins", reading.origins)
    return settings


class _Reading:
    """One pass over what was given: what was found wrong so far, and where each value came from."""

    def __init__(self, file: str, lines: Mapping[Path, int]) -> None:
        self.file = file
        self.lines = lines
        self.options: dict[Path, tuple[object, str]] = {}
        self.problems: list[SettingsError] = []
        self.origins: dict[str, str] = {}

    def overlay(self, environment: Mapping[str, str], options: Mapping[str, object]) -> None:
        """Take what stands above the file: variables first, options over them."""
        known = dict(_single_keys())
        for path, key in known.items():
            name = "FEEDTOOL_" + "_".join(map(str, path)).upper()
            if text := environment.get(name, ""):
                self.options[path] = (key.kind.from_text(text), name)
        for dotted, value in options.items():
            path = tuple(dotted.split("."))
            origin = "--" + str(path[-1]).replace("_", "-")
            if path not in known:
                self.problems.append(SettingsError(f'there is no setting "{dotted}"', where=origin))
            elif value is not None:
                self.options[path] = (value, origin)

    def table(self, cls: type[Any], data: object, path: Path, **named: str) -> Any:
        """Return the class filled from a table; None when a key that must be given is not."""
        keys = keys_of(cls)
        values = self._known(data, keys, path)
        found: dict[str, Any] = dict(named)
        for word, key in keys.items():
            here = (*path, word)
            if here in self.options:
                self._keep(found, key, (*self.options[here], here))
            elif word in values:
                self._keep(found, key, (values[word], "", here))
            elif key.default is MISSING:
                self.complain(path, f"{_place(path)} needs a {shown(word)}")
            elif isinstance(key.kind, Table) and not path:
                found[key.field] = self._tables(key.kind, {}, here)
            elif len(path) < 2:
                self.origins[_dotted(here)] = "default"
        complete = all(key.field in found or key.default is not MISSING for key in keys.values())
        return cls(**found) if complete else None

    def once(self, key: str, values: Iterable[tuple[Path, str]]) -> None:
        """Complain of a value that stands in more than one row or table."""
        first: dict[str, Path] = {}
        for path, value in values:
            before = first.setdefault(value, path) if value else path
            if before != path:
                what = f"{_label((*path, key))} {shown(value)} is already that of {_place(before)}"
                line = self._line((*before, key))
                self.complain((*path, key), f"{what} in line {line}" if line else what, "give each its own")

    def complain(self, path: Path, what: str, hint: str = "", *, origin: str = "") -> None:
        """Note what is wrong with the value at a path."""
        line = None if origin else self._line(path)
        self.problems.append(SettingsError(what, where=origin or self.file, line=line, hint=hint))

    def _known(self, data: object, keys: Mapping[str, Key], path: Path) -> dict[str, Any]:
        """Return the part of a table whose keys exist; complain of the others."""
        if not isinstance(data, dict):
            self.complain(path, f"{_place(path)} must be a table, not {shown(data)}")
            return {}
        words = [word for word, key in keys.items() if key.in_file]
        for word in data:
            if word not in words:
                self.complain((*path, word), f"unknown key {shown(word)}{_inside(path)}", _instead(word, words, path))
        return {word: data[word] for word in words if word in data}

    def _keep(self, found: dict[str, Any], key: Key, given: tuple[object, str, Path]) -> None:
        """Read one value into `found`, or complain of it."""
        value, origin, path = given
        if isinstance(key.kind, Table):
            found[key.field] = self._tables(key.kind, value, path)
            return
        try:
            found[key.field] = key.kind.read(value)
            self.origins[_dotted(path)] = origin or f"{self.file}:{self._line(path)}"
        except RefusedError as refused:
            what = refused.what if origin else f"{_label(path)} {refused.what}"
            self.complain((*path, *refused.path), what, refused.hint, origin=origin)

    def _tables(self, kind: Table, value: object, path: Path) -> Any:
        cls = CLASSES[kind.settings]
        if isinstance(kind, Rows):
            return tuple(row for row in self._rows(cls, value, path) if row is not None)
        if isinstance(kind, Named):
            return tuple(self._named(cls, value, path))
        if len(path) > DEEPEST + 3:
            self.complain(path, f"{_label(path)} is nested too deep", f"at most {DEEPEST} levels make sense")
            return None
        # Only `not` is a table inside a named one; it has no name of its own.
        return self.table(cls, value, path, **({"name": ""} if "name" in cls.__slots__ else {}))

    def _rows(self, cls: type[Any], value: object, path: Path) -> Iterator[Any]:
        if isinstance(value, list):
            for number, row in enumerate(value):
                yield self.table(cls, row, (*path, number))
        elif value:
            self.complain(
                path, f"{path[-1]} must be an array of tables, not {shown(value)}", f"begin each with [[{path[-1]}]]"
            )

    def _named(self, cls: type[Any], value: object, path: Path) -> Iterator[Any]:
        if not isinstance(value, dict):
            self.complain(path, f"{_label(path)} must be a table of tables, not {shown(value)}", _named_hint(path))
            return
        for name, table in value.items():
            try:
                yield self.table(cls, table, (*path, name), name=NAME.read(name))
            except RefusedError as refused:
                self.complain((*path, name), f"the name {shown(name)}{_inside(path)} {refused.what}")

    def _line(self, path: Path) -> int | None:
        """Return the line of a path, or of the nearest table around it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def _single_keys() -> Iterator[tuple[Path, Key]]:
    """Return the keys that hold one value at a fixed place: those a variable or an option can set."""
    for word, key in keys_of(Settings).items():
        if type(key.kind) is Table:
            for inner, inner_key in keys_of(CLASSES[key.kind.settings]).items():
                if not isinstance(inner_key.kind, Table):
                    yield (word, inner), inner_key
        elif not isinstance(key.kind, Table):
            yield (word,), key


def _toml(text: str, file: str) -> dict[str, Any]:
    """Return what the text says; tell tomllib's complaint with its line and column."""
    if not text:
        return {}
    if len(text) > LONGEST:
        raise SettingsError(f"is longer than {LONGEST:,} characters", where=file)
    # tomllib's time grows with the square of a dotted key's parts.
    for number, line in enumerate(text.split("\n") if len(text) > LONGEST_LINE else (), 1):
        if len(line) > LONGEST_LINE:
            raise SettingsError(f"is longer than {LONGEST_LINE:,} characters", where=file, line=number)
    import tomllib  # Imported here: a site without a file pays nothing for it.

    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise SettingsError("is nested too deep", where=file) from None
    except ValueError as error:  # Not TOMLDecodeError alone: int() refuses more than 4,300 digits by itself.
        raise _syntax_error(str(error), text, file) from None


def _syntax_error(message: str, text: str, file: str) -> SettingsError:
    found = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    said = message[: found.start()] if found else message
    line, column = (int(found[1]), int(found[2])) if found and found[1] else (None, None)
    if line is None:
        number = re.search(r"\d{4300}", text)
        line = text.count("\n", 0, number.start() if number and not found else len(text.rstrip())) + 1
    what, hint = next((words for beginning, words in _SYNTAX.items() if said.startswith(beginning)), (said, ""))
    return SettingsError(f"is not TOML: {what}", where=file, line=line, column=column, hint=hint)


def _instead(word: str, words: list[str], path: Path) -> str:
    """Return the hint for a key that does not exist here: a near one, or the table that has one of this name."""
    if (*path, word) == ("base_url",):
        return "set url in [site]; the base URL of one run is --base-url or FEEDTOOL_BASE_URL"
    homes = [_place(where[:-1]) for where, _ in _single_keys() if where[-1] == word and len(where) > 1]
    if homes:
        return f"there is one in {homes[0]}"
    near = did_you_mean(word, words)
    return f'did you mean "{near}"?' if near else f"the keys are {', '.join(words)}"


def _named_hint(path: Path) -> str:
    return f'write [{_dotted(path)}."NAME"]' if len(path) == 1 else f"write [{_dotted(path)}.NAME]"


def _label(path: Path) -> str:
    """Return how messages name a key: its table, then the key."""
    return " ".join(filter(None, [_place(path[:-1]), str(path[-1])]))


def _inside(path: Path) -> str:
    return f" in {_place(path)}" if path else ""


def _place(path: Path) -> str:
    """Return the header of a table as it stands in the file; "" at the top."""
    if not path:
        return ""
    if isinstance(path[-1], int):
        return f"[[{_dotted(path[:-1])}]]"
    return f"[{_dotted(path)}]"


def _dotted(path: Path) -> str:
    """Return a path as TOML writes it, the rows of an array by their number from 1."""
    dotted = ""
    for part in path:
        if isinstance(part, int):
            dotted += f"[{part + 1}]"
        else:
            dotted += ("." if dotted else "") + (part if _BARE.fullmatch(part) else shown(part))
    return dotted
