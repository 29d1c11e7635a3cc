"""Read the settings files of site generators: YAML, TOML, JSON and the literals of Python; nothing in them is executed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

Config = dict[str, Any]
LARGEST = 1 << 20
"""Bytes of a settings file that are read; nobody writes a longer one."""
_MOST_VALUES = 200_000
"""Values in a settings file, those that aliases repeat among them."""
_DEEPEST = 30


class UnreadableError(ValueError):
    """A settings file can't be read; `str()` says why, `file` which one."""

    def __init__(self, what: str, file: str = "") -> None:
        super().__init__(what)
        self.file = file


Read = Callable[[str], bytes | None]
"""Returns the first bytes of a file, by its path below the generator's folder; None where there is no such file. Raises OSError."""


def first_of(read: Read, names: Iterable[str]) -> str:
    """Return the first of the files that is there, "" where none is."""
    for name in names:
        try:
            if read(name) is not None:
                return name
        except OSError:
            return name  # it is there, and reading it will say what is wrong
    return ""


def read_config(read: Read, name: str) -> Config:
    """Return the values of a YAML, TOML, JSON or Python settings file; raises UnreadableError."""
    try:
        data = read(name)
        if data is None:
            raise UnreadableError("is not there")
        if len(data) > LARGEST:
            raise UnreadableError(f"is longer than {LARGEST:,} bytes")
        text = data.decode("utf-8-sig")
    except OSError as error:
        raise UnreadableError(f"cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UnreadableError("is not UTF-8") from None
    reader = {"toml": _toml, "json": _json, "py": _python}.get(name.rpartition(".")[2], _yaml)
    try:
        found = reader(text)
    except UnreadableError:
        raise
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"cannot be understood: {type(error).__name__}") from None
    return found if isinstance(found, dict) else {}


def config_of(read: Read, names: Iterable[str]) -> Config:
    """Return the values of the first settings file that is there, {} where none is; raises UnreadableError."""
    name = first_of(read, names)
    try:
        return read_config(read, name) if name else {}
    except UnreadableError as error:
        raise UnreadableError(str(error), name) from None


def first_text(config: Config, *paths: str) -> str:
    """Return the first value that is a text, by dotted path; the case of keys says nothing. "" where none is."""
    for path in paths:
        value: Any = config
        for word in path.split("."):
            value = item(value, word)
        if isinstance(value, str) and value.strip():
            return "".join(character for character in " ".join(value.split()) if character.isprintable())
    return ""


def table(config: Config, path: str) -> Config:
    """Return the table at a dotted path, {} where there is none."""
    value: Any = config
    for word in path.split("."):
        value = item(value, word)
    return value if isinstance(value, dict) else {}


def item(value: Any, word: str) -> Any:
    """Return what is one step down, under a table's key or "0" in a list; None where nothing is."""
    if isinstance(value, list | tuple):
        return value[0] if word == "0" and value else None
    if not isinstance(value, dict):
        return None
    if word in value:
        return value[word]
    return next((each for key, each in value.items() if isinstance(key, str) and key.lower() == word.lower()), None)


def is_on(value: Any) -> bool:
    """Return True if a setting is switched on, as YAML's text or as a typed value."""
    return value is True or (isinstance(value, str) and value.strip().lower() in ("true", "yes", "on"))


def is_quick(pattern: str) -> bool:
    """Return True if an expression of a settings file can be searched for without trying ever longer: no repeat within a
    repeat, and few that have no bound."""
    try:
        parsed = re.compile(pattern[: MOST_OF_A_PATTERN + 1])
        open_ended = _repeats(re._parser.parse(pattern), 0)  # type: ignore[attr-defined]
    except (re.error, RecursionError, OverflowError):
        return False
    return len(pattern) <= MOST_OF_A_PATTERN and parsed is not None and open_ended <= 3


MOST_OF_A_PATTERN = 500


def _repeats(parsed: Any, within: int) -> int:
    """Return how many repeats without a small bound an expression has; a thousand where one is within another."""
    count = 0
    for kind, given in parsed:
        inner = [one for one in _parts(given) if hasattr(one, "data")]
        is_open = "REPEAT" in str(kind) and given[1] > 20
        if is_open and within:
            return 1_000
        count += is_open + sum(_repeats(one, within or is_open) for one in inner)
    return count


def _parts(given: Any) -> Iterable[Any]:
    if hasattr(given, "data"):
        yield given
    elif isinstance(given, tuple | list):
        for one in given:
            yield from _parts(one)


def texts_of(value: Any) -> tuple[str, ...]:
    """Return a setting that is a text or a list of texts as a tuple; what is no text is left out."""
    items = value if isinstance(value, list | tuple | set) else [value]
    return tuple(item for item in items if isinstance(item, str) and item)


def _yaml(text: str) -> Config:
    """Return YAML with every scalar as text, aliases and merge keys written out, within bounds."""
    import yaml

    loader = getattr(yaml, "CBaseLoader", yaml.BaseLoader)
    try:
        depth = 0
        for count, event in enumerate(yaml.parse(text, Loader=loader)):
            kind = type(event).__name__
            depth += kind.endswith("StartEvent") - kind.endswith("EndEvent")
            # The loader is recursive, so it gets only what is flat enough.
            if count > _MOST_VALUES or depth > _DEEPEST:
                raise UnreadableError("has too many values, or is nested too deep")
        found = yaml.load(text, Loader=loader)  # noqa: S506 - the base loader makes texts, lists and maps only
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" (line {mark.line + 1})" if mark is not None else ""
        raise UnreadableError(f"is no YAML{where}: {getattr(error, 'problem', None) or 'not readable'}") from None
    budget = [_MOST_VALUES]
    copied = _written_out(found, budget)
    return copied if isinstance(copied, dict) else {}


def _written_out(value: Any, budget: list[int]) -> Any:
    """Return a copy in which nothing is shared, so that an alias bomb is noticed; a null is "" as in front matter."""
    budget[0] -= 1
    if budget[0] < 0:
        raise UnreadableError("has too many values")
    if isinstance(value, list):
        return [_written_out(one, budget) for one in value]
    if not isinstance(value, dict):
        return "" if value in ("~", "null", "Null", "NULL") else value
    made: Config = {}
    merged = value.get("<<", ())
    for other in merged if isinstance(merged, list) else [merged]:
        made = {**(_written_out(other, budget) if isinstance(other, dict) else {}), **made}
    made.update({str(key): _written_out(one, budget) for key, one in value.items() if key != "<<"})
    return made


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
