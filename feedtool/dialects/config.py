"""Read the settings files of site generators: YAML, TOML, JSON and literals in Python files. Nothing in them is executed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

Config = dict[str, Any]
MAXIMUM_SIZE = 1 << 20
"""Largest settings file that is read, in bytes."""
_MAXIMUM_VALUES = 200_000
"""Most values in a settings file, including those repeated by aliases."""
_MAXIMUM_DEPTH = 30


class UnreadableError(ValueError):
    """A settings file cannot be read; `str()` is the reason, `file` its path."""

    def __init__(self, what: str, file: str = "") -> None:
        super().__init__(what)
        self.file = file


Read = Callable[[str], bytes | None]
"""Returns the first bytes of the file at a path below the generator's folder, None if there is no such file. Raises OSError."""


def first_existing(read: Read, names: Iterable[str]) -> str:
    """Return the first of the files that exists, "" if none does."""
    for name in names:
        try:
            if read(name) is not None:
                return name
        except OSError:
            return name  # it exists, and reading it will report the error
    return ""


def read_config(read: Read, name: str) -> Config:
    """Return the values of a YAML, TOML, JSON or Python settings file; raise UnreadableError."""
    try:
        data = read(name)
        if data is None:
            raise UnreadableError("does not exist")
        if len(data) > MAXIMUM_SIZE:
            raise UnreadableError(f"is longer than {MAXIMUM_SIZE:,} bytes")
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnreadableError("is not UTF-8") from None
    reader = {"toml": _toml, "json": _json, "py": _python}.get(name.rpartition(".")[2], _yaml)
    try:
        values = reader(text)
    except UnreadableError:
        raise
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"cannot be parsed: {type(error).__name__}") from None
    return values if isinstance(values, dict) else {}


def config_of(read: Read, names: Iterable[str]) -> Config:
    """Return the values of the first settings file that exists, {} if none does; raise UnreadableError."""
    name = first_existing(read, names)
    try:
        return read_config(read, name) if name else {}
    except UnreadableError as error:
        raise UnreadableError(str(error), name) from None


def first_text(config: Config, *paths: str) -> str:
    """Return the first non-empty text at one of the dotted paths, "" if there is none; the case of keys does not matter."""
    for path in paths:
        value: Any = config
        for word in path.split("."):
            value = item(value, word)
        if isinstance(value, str) and value.strip():
            return "".join(character for character in " ".join(value.split()) if character.isprintable())
    return ""


def table(config: Config, path: str) -> Config:
    """Return the table at a dotted path, {} if there is none."""
    value: Any = config
    for word in path.split("."):
        value = item(value, word)
    return value if isinstance(value, dict) else {}


def item(value: Any, word: str) -> Any:
    """Return the value of a key of a table, or the first item of a list for "0"; None if there is none."""
    if isinstance(value, list | tuple):
        return value[0] if word == "0" and value else None
    if not isinstance(value, dict):
        return None
    if word in value:
        return value[word]
    return next((each for key, each in value.items() if isinstance(key, str) and key.lower() == word.lower()), None)


def is_on(value: Any) -> bool:
    """Return True if a setting is on, as a YAML text or as a typed value."""
    return value is True or (isinstance(value, str) and value.strip().lower() in ("true", "yes", "on"))


def is_safe_pattern(pattern: str) -> bool:
    """Return True if a regular expression from a settings file cannot take exponential time: it has no repeat within a repeat
    and at most three unbounded repeats."""
    try:
        parsed = re.compile(pattern[: MAXIMUM_PATTERN + 1])
        open_ended = _repeats(re._parser.parse(pattern), 0)  # type: ignore[attr-defined]
    except (re.error, RecursionError, OverflowError):
        return False
    return len(pattern) <= MAXIMUM_PATTERN and parsed is not None and open_ended <= 3


MAXIMUM_PATTERN = 500


def _repeats(parsed: Any, within: int) -> int:
    """Return the number of repeats of more than 20 in an expression; a thousand if one is within another."""
    count = 0
    for kind, arguments in parsed:
        inner = [one for one in _parts(arguments) if hasattr(one, "data")]
        is_open = "REPEAT" in str(kind) and arguments[1] > 20
        if is_open and within:
            return 1_000
        count += is_open + sum(_repeats(one, within or is_open) for one in inner)
    return count


def _parts(arguments: Any) -> Iterable[Any]:
    if hasattr(arguments, "data"):
        yield arguments
    elif isinstance(arguments, tuple | list):
        for one in arguments:
            yield from _parts(one)


def texts_of(value: Any) -> tuple[str, ...]:
    """Return a setting that is a text or a list of texts as a tuple, without other values."""
    items = value if isinstance(value, list | tuple | set) else [value]
    return tuple(item for item in items if isinstance(item, str) and item)


def _yaml(text: str) -> Config:
    """Return YAML with every scalar as text and with aliases and merge keys expanded, within bounds."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        depth = 0
        for count, event in enumerate(yaml.parse(text, Loader=loader)):
            kind = type(event).__name__
            depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
            # The loader is recursive, so check the depth first.
            if count > _MAXIMUM_VALUES or depth > _MAXIMUM_DEPTH:
                raise UnreadableError("has too many values, or is nested too deep")
        loaded = yaml.load(text, Loader=loader)  # noqa: S506 - the base loader makes texts, lists and maps only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise UnreadableError(
            f"is not valid YAML{where}: {getattr(error, 'problem', None) or 'not readable'}"
        ) from None
    budget = [_MAXIMUM_VALUES]
    copied = _without_aliases(loaded, budget)
    return copied if isinstance(copied, dict) else {}


def _without_aliases(value: Any, budget: list[int]) -> Any:
    """Return a copy in which no value is shared, so that an alias bomb exceeds the budget; null is "" as in front matter."""
    budget[0] -= 1
    if budget[0] < 0:
        raise UnreadableError("has too many values")
    if isinstance(value, list):
        return [_without_aliases(one, budget) for one in value]
    if not isinstance(value, dict):
        return "" if value in ("~", "null", "Null", "NULL") else value
    result: Config = {}
    merged = value.get("<<", ())
    for other in merged if isinstance(merged, list) else [merged]:
        result = {**(_without_aliases(other, budget) if isinstance(other, dict) else {}), **result}
    result.update({str(key): _without_aliases(one, budget) for key, one in value.items() if key != "<<"})
    return result


def _toml(text: str) -> Config:
    import tomllib

    from feedtool.articles.frontmatter import LONG_KEY

    if LONG_KEY.search(text):
        raise UnreadableError("has a key of too many parts")
    return tomllib.loads(text)


def _json(text: str) -> Any:
    import json

    return json.loads(text)


def _python(text: str) -> Config:
    from feedtool.dialects.literals import literals

    return literals(text)
