"""The classes of settings in, the JSON Schema (draft 2020-12) of feedtool.toml out; it checks nothing."""

from __future__ import annotations

from dataclasses import MISSING
from typing import Any

from feedtool.config.field_types import Kind, Named, Pairs, Rows, Table
from feedtool.config.schema import CLASSES
from feedtool.config.tables import Key, keys_of


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of feedtool.toml. It knows no time zones and no repeated names: reading is stricter."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "feedtool.toml",
        **_table("Settings"),
        "$defs": {name: _table(name) for name in CLASSES if name != "Settings"},
    }


def _table(name: str) -> dict[str, Any]:
    keys = keys_of(CLASSES[name])
    properties = {word: _property(key) for word, key in keys.items() if key.in_file}
    required = [word for word, key in keys.items() if key.default is MISSING]
    table = {"type": "object", "properties": properties, "additionalProperties": False}
    return table | {"required": required} if required else table


def _property(key: Key) -> dict[str, Any]:
    kind = key.kind
    about: dict[str, Any] = {"description": key.doc}
    if not isinstance(kind, Table):
        given = {} if key.default in (None, MISSING) else {"default": plain(kind, key.default)}
        return about | kind.schema() | given
    reference = {"$ref": f"#/$defs/{kind.settings}"}
    if isinstance(kind, Rows):
        return about | {"type": "array", "items": reference}
    if isinstance(kind, Named):
        return about | {"type": "object", "propertyNames": {"pattern": r"\S"}, "additionalProperties": reference}
    return about | reference


def plain(kind: Kind, default: Any) -> Any:
    """Return a default as a file would write it."""
    if isinstance(kind, Pairs):
        return dict(default)
    return list(default) if isinstance(default, tuple) else default
