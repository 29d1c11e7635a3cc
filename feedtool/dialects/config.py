"""Read the settings files of site generators: YAML, TOML, JSON and the literals of Python; nothing in them is executed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from feedtool.article.yamltext import YamlError, load_fully

Config = dict[str, Any]
LARGEST = 65_536
"""Bytes of a settings file that are looked at; nobody writes a longer one."""


class UnreadableError(ValueError):
    """A settings file can't be read; `str()` says why."""


Read = Callable[[str], bytes | None]
"""Returns the first bytes of a file, by its path below the generator's folder; None where there is no such file. Raises OSError."""


def first_of(read: Read, names: Iterable[str]) -> str:
    """Return the first of the files that is there, "" where none is."""
    for name in names:
        try:
            if read(name) is not None:
                return name
        except OSError:
            continue
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
    except YamlError as error:
        raise UnreadableError(f"is no YAML: {error.what}") from None
    except (ValueError, SyntaxError, RecursionError, MemoryError) as error:
        raise UnreadableError(f"cannot be understood: {type(error).__name__}") from None
    return found if isinstance(found, dict) else {}


def config_or_nothing(read: Read, names: Iterable[str]) -> Config:
    """Return the values of the first settings file that is there, {} where none is or it can't be read."""
    name = first_of(read, names)
    try:
        return read_config(read, name) if name else {}
    except UnreadableError:
        return {}


def pick(config: Config, *paths: str) -> str:
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


def texts_of(value: Any) -> tuple[str, ...]:
    """Return a setting that is a text or a list of texts as a tuple; what is no text is left out."""
    items = value if isinstance(value, list | tuple | set) else [value]
    return tuple(item for item in items if isinstance(item, str) and item)


def _yaml(text: str) -> Config:
    return dict(load_fully(text).values)


def _toml(text: str) -> Config:
    import tomllib

    return tomllib.loads(text)


def _json(text: str) -> Any:
    import json

    return json.loads(text)


def _python(text: str) -> Config:
    """The names at the top of a Python file that are set to plain literals; what is computed is passed over."""
    import ast

    found: Config = {}
    for statement in ast.parse(text).body:
        if isinstance(statement, ast.Assign):
            try:
                value = ast.literal_eval(statement.value)
            except (ValueError, TypeError, SyntaxError, RecursionError, MemoryError):
                continue
            found |= {target.id: value for target in statement.targets if isinstance(target, ast.Name)}
    return found
