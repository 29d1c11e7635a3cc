"""Turn the text of feedtool.toml, environment variables and options into `Settings`, or report every error with its line.

This module opens no file; `load.py` does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING
from typing import Any

from feedtool.config.field_types import ArrayOfTables, Table, TablesByName, Text, toml_repr
from feedtool.config.positions import Path, key_lines
from feedtool.config.schema import CLASSES, Settings
from feedtool.config.tables import Key, keys_of
from feedtool.config.validate import InvalidValueError, did_you_mean
from feedtool.errors import SettingsError

# The beginning of tomllib's message: our message and a hint.
_SYNTAX = {
    "Invalid value": (
        "invalid value",
        "put a string in quotes and a list in [ and ]; write true and false in lower case",
    ),
    "Invalid statement": (
        "invalid statement",
        "write key = value; put the key in quotes if it contains anything but A-Z a-z 0-9 _ -",
    ),
    "Cannot overwrite": ("this key is already set", "write each key only once in a table"),
    "Cannot declare": ("this table already exists", "write each table only once"),
    "Unescaped": ("unescaped '\\' in a string", "put the string in single quotes, or write \\\\ for each \\"),
    "Exceeds": ("a number has too many digits", ""),
}
MAX_CHARACTERS = 1_000_000
MAX_LINE = 10_000
MAX_DEPTH = 8
NAME = Text(required=True)
_BARE = re.compile(r"[A-Za-z0-9_-]+")


class InvalidSettingsError(SettingsError):
    """One or more settings are invalid: `problems` has them in the order of their lines, `str()` puts each on a line."""

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
    """Return the settings. Options override FEEDTOOL_* variables, these override the text, and it overrides the defaults.

    Options are given by dotted key ("feeds.limit"). An option of None and an empty variable count as absent. `file` is
    the name of the text in messages. Raise InvalidSettingsError, which lists every error, or SettingsError if the text is
    not TOML.
    """
    data = _load_toml(text, file)
    parser = _Parser(file, key_lines(text) if text else {})
    parser.add_overrides(environment or {}, options or {})
    settings: Settings = parser.table(Settings, data, ())
    if not parser.problems:
        parser.check_unique("name", ((("sources", i), source.name) for i, source in enumerate(settings.sources)))
        parser.check_unique("slug", ((("categories", one.name), one.slug.casefold()) for one in settings.categories))
    if parser.problems:
        raise InvalidSettingsError(tuple(sorted(parser.problems, key=lambda problem: problem.line or 2**31)))
    object.__setattr__(settings, "origins", parser.origins)
    return settings


class _Parser:
    """Collect the values, their origins and the problems of one call of `parse_settings`."""

    def __init__(self, file: str, lines: Mapping[Path, int]) -> None:
        self.file = file
        self.lines = dict(lines)
        self.overrides: dict[Path, tuple[object, str]] = {}
        self.problems: list[SettingsError] = []
        self.origins: dict[str, str] = {}

    def add_overrides(self, environment: Mapping[str, str], options: Mapping[str, object]) -> None:
        """Record the values that override the file: environment variables, and options over these."""
        keys = dict(_scalar_keys())
        renamed = {(*path[:-1], key.old): path for path, key in keys.items() if key.old}
        for path, present in (*renamed.items(), *zip(keys, keys, strict=True)):
            name = "FEEDTOOL_" + "_".join(map(str, path)).upper()
            if text := environment.get(name, ""):
                self.overrides[present] = (keys[present].type.from_text(text), name)
        for dotted, value in options.items():
            given = tuple(dotted.split("."))
            path, origin = renamed.get(given, given), f"option {given[-1]}"
            if path not in keys:
                self.problems.append(SettingsError(f'there is no setting "{dotted}"', where=origin))
            elif value is not None:
                self.overrides[path] = (value, origin)

    def table(self, cls: type[Any], data: object, path: Path, **fields: str) -> Any:
        """Return an instance of the class, with values from a table; None if a required key is absent."""
        keys = keys_of(cls)
        items = self._valid_items(data, keys, path)
        values: dict[str, Any] = dict(fields)
        for name, key in keys.items():
            here = (*path, name)
            if here in self.overrides:
                self._set_value(values, key, here, *self.overrides[here])
            elif name in items:
                self._set_value(values, key, here, items[name])
            elif key.default is MISSING:
                self.add_problem(path, f"{_header(path)} needs a {toml_repr(name)}")
            elif isinstance(key.type, Table) and not path:
                values[key.field] = self._tables(key.type, {}, here)
            elif len(path) < 2:
                self.origins[_dotted(here)] = "default"
        complete = all(key.field in values or key.default is not MISSING for key in keys.values())
        return cls(**values) if complete else None

    def check_unique(self, key: str, values: Iterable[tuple[Path, str]]) -> None:
        """Add a problem for each value that an earlier table has too."""
        first: dict[str, Path] = {}
        for path, value in values:
            before = first.setdefault(value, path) if value else path
            if before != path:
                what = f"{_label((*path, key))} {toml_repr(value)} is already used by {_header(before)}"
                line = self._line((*before, key))
                self.add_problem(
                    (*path, key), f"{what} on line {line}" if line else what, "use a different one for each"
                )

    def add_problem(self, path: Path, what: str, hint: str = "", *, origin: str = "") -> None:
        """Record a problem with the value at a path."""
        line = None if origin else self._line(path)
        self.problems.append(SettingsError(what, where=origin or self.file, line=line, hint=hint))

    def _valid_items(self, data: object, keys: Mapping[str, Key], path: Path) -> dict[str, Any]:
        """Return the items of a table whose keys exist; add a problem for each other key."""
        if not isinstance(data, dict):
            self.add_problem(path, f"{_header(path)} must be a table, not {toml_repr(data)}")
            return {}
        names = [name for name, key in keys.items() if key.in_file]
        data = self._with_new_names(data, keys, path)
        for name in data:
            if name not in names:
                what = f"unknown key {toml_repr(name)}{_inside(path)}"
                self.add_problem((*path, name), what, _suggestion(name, names, path))
        return {name: data[name] for name in names if name in data}

    def _with_new_names(self, data: dict[str, Any], keys: Mapping[str, Key], path: Path) -> dict[str, Any]:
        """Return a table with keys under their present names; add a problem for one that occurs under both names."""
        for name, key in keys.items():
            if not key.old or key.old not in data:
                continue
            data = dict(data)
            value = data.pop(key.old)
            if name in data:
                what = f"{_label((*path, key.old))} is an earlier name of {toml_repr(name)}, which is set too"
                self.add_problem((*path, key.old), what, "remove one of them")
            else:
                data[name] = value
                if (line := self._line((*path, key.old))) is not None:
                    self.lines[*path, name] = line
        return data

    def _set_value(self, values: dict[str, Any], key: Key, path: Path, value: object, origin: str = "") -> None:
        """Read one value into `values`, or add a problem; `origin` names the variable or option that it comes from."""
        if isinstance(key.type, Table):
            values[key.field] = self._tables(key.type, value, path)
            return
        try:
            values[key.field] = key.type.read(value)
            self.origins[_dotted(path)] = origin or f"{self.file}:{self._line(path)}"
        except InvalidValueError as error:
            what = error.what if origin else f"{_label(path)} {error.what}"
            self.add_problem((*path, *error.path), what, error.hint, origin=origin)

    def _tables(self, field_type: Table, value: object, path: Path) -> Any:
        cls = CLASSES[field_type.settings]
        if isinstance(field_type, ArrayOfTables):
            return tuple(row for row in self._array(cls, value, path) if row is not None)
        if isinstance(field_type, TablesByName):
            return tuple(self._tables_by_name(cls, value, path))
        if len(path) > MAX_DEPTH + 3:
            self.add_problem(path, f"{_label(path)} is nested too deep", f"use at most {MAX_DEPTH} levels")
            return None
        # Only `not` is a table inside a named table; it has no name of its own.
        return self.table(cls, value, path, **({"name": ""} if "name" in cls.__slots__ else {}))

    def _array(self, cls: type[Any], value: object, path: Path) -> Iterator[Any]:
        if isinstance(value, list):
            for number, row in enumerate(value):
                yield self.table(cls, row, (*path, number))
        elif value:
            what = f"{path[-1]} must be an array of tables, not {toml_repr(value)}"
            self.add_problem(path, what, f"begin each table with [[{path[-1]}]]")

    def _tables_by_name(self, cls: type[Any], value: object, path: Path) -> Iterator[Any]:
        if not isinstance(value, dict):
            what = f"{_label(path)} must be a table of tables, not {toml_repr(value)}"
            self.add_problem(path, what, _header_hint(path))
            return
        for name, table in value.items():
            try:
                yield self.table(cls, table, (*path, name), name=NAME.read(name))
            except InvalidValueError as error:
                self.add_problem((*path, name), f"the name {toml_repr(name)}{_inside(path)} {error.what}")

    def _line(self, path: Path) -> int | None:
        """Return the line of a path, or of the nearest table that encloses it."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path)


def _scalar_keys() -> Iterator[tuple[Path, Key]]:
    """Yield the keys that a variable or an option can set: those at a fixed path that are no tables."""
    for name, key in keys_of(Settings).items():
        if type(key.type) is Table:
            for inner, inner_key in keys_of(CLASSES[key.type.settings]).items():
                if not isinstance(inner_key.type, Table):
                    yield (name, inner), inner_key
        elif not isinstance(key.type, Table):
            yield (name,), key


def _load_toml(text: str, file: str) -> dict[str, Any]:
    """Return the parsed text; raise SettingsError with the line and column of a syntax error."""
    if not text:
        return {}
    if len(text) > MAX_CHARACTERS:
        raise SettingsError(f"is longer than {MAX_CHARACTERS:,} characters", where=file)
    # tomllib takes quadratic time in the number of parts of a dotted key.
    for number, line in enumerate(text.split("\n") if len(text) > MAX_LINE else (), 1):
        if len(line) > MAX_LINE:
            raise SettingsError(f"is longer than {MAX_LINE:,} characters", where=file, line=number)
    import tomllib  # imported here because a site without a file does not need it

    try:
        return tomllib.loads(text.removeprefix("\ufeff"))
    except RecursionError:
        raise SettingsError("is nested too deep", where=file) from None
    except ValueError as error:  # not only TOMLDecodeError: int() raises ValueError for more than 4,300 digits
        raise _syntax_error(str(error), text, file) from None


def _syntax_error(message: str, text: str, file: str) -> SettingsError:
    position = re.search(r" \(at (?:line (\d+), column (\d+)|end of document)\)$", message)
    cause = message[: position.start()] if position else message
    line, column = (int(position[1]), int(position[2])) if position and position[1] else (None, None)
    if line is None:
        number = re.search(r"\d{4300}", text)
        line = text.count("\n", 0, number.start() if number and not position else len(text.rstrip())) + 1
    what, hint = next((texts for beginning, texts in _SYNTAX.items() if cause.startswith(beginning)), (cause, ""))
    return SettingsError(f"is not TOML: {what}", where=file, line=line, column=column, hint=hint)


def _suggestion(name: str, names: list[str], path: Path) -> str:
    """Return the hint for an unknown key: the table that has a key of this name, or else the most similar key."""
    if (*path, name) == ("base_url",):
        return "set url in [site]; for a single run use the option base_url or FEEDTOOL_BASE_URL"
    tables = [_header(key_path[:-1]) for key_path, _ in _scalar_keys() if key_path[-1] == name and len(key_path) > 1]
    if tables:
        return f"{tables[0]} has a key of this name"
    near = did_you_mean(name, names)
    return f'did you mean "{near}"?' if near else f"the keys are {', '.join(names)}"


def _header_hint(path: Path) -> str:
    return f'write [{_dotted(path)}."NAME"]' if len(path) == 1 else f"write [{_dotted(path)}.NAME]"


def _label(path: Path) -> str:
    """Return the name of a key in messages: its table, then the key."""
    return " ".join(filter(None, [_header(path[:-1]), str(path[-1])]))


def _inside(path: Path) -> str:
    return f" in {_header(path)}" if path else ""


def _header(path: Path) -> str:
    """Return the header of a table as it is written in the file; "" for the top level."""
    if not path:
        return ""
    if isinstance(path[-1], int):
        return f"[[{_dotted(path[:-1])}]]"
    return f"[{_dotted(path)}]"


def _dotted(path: Path) -> str:
    """Return a path in TOML notation, with the index of a table in an array counted from 1."""
    dotted = ""
    for part in path:
        if isinstance(part, int):
            dotted += f"[{part + 1}]"
        else:
            dotted += ("." if dotted else "") + (part if _BARE.fullmatch(part) else toml_repr(part))
    return dotted
