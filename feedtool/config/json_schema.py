"""Generate the JSON Schema (draft 2020-12) of feedtool.toml from the classes of settings."""

from __future__ import annotations

from dataclasses import MISSING
from typing import Any

from feedtool.config.field_types import ArrayOfTables, FieldType, Pairs, Table, TablesByName
from feedtool.config.schema import CLASSES
from feedtool.config.tables import Key, keys_of


def settings_schema() -> dict[str, Any]:
    """Return the JSON Schema of feedtool.toml. It cannot check time zones or repeated names; `parse_settings` does."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "feedtool.toml",
        **_table("Settings"),
        "$defs": {name: _table(name) for name in CLASSES if name != "Settings"},
    }


def _table(name: str) -> dict[str, Any]:
    keys = keys_of(CLASSES[name])
    properties = {word: _property(key) for word, key in keys.items() if key.in_file}
    properties |= {key.old: {**_property(key), "deprecated": True} for key in keys.values() if key.old}
    required = [word for word, key in keys.items() if key.default is MISSING]
    table: dict[str, Any] = {"type": "object", "properties": properties, "additionalProperties": False}
    if both := [{"not": {"required": [key.old, word]}} for word, key in keys.items() if key.old]:
        table["allOf"] = both
    return table | {"required": required} if required else table


def _property(key: Key) -> dict[str, Any]:
    field_type = key.type
    about: dict[str, Any] = {"description": key.doc}
    if not isinstance(field_type, Table):
        default = {} if key.default in (None, MISSING) else {"default": plain(field_type, key.default)}
        return about | field_type.schema() | default
    reference = {"$ref": f"#/$defs/{field_type.settings}"}
    if isinstance(field_type, ArrayOfTables):
        return about | {"type": "array", "items": reference}
    if isinstance(field_type, TablesByName):
        return about | {"type": "object", "propertyNames": {"pattern": r"\S"}, "additionalProperties": reference}
    return about | reference


def plain(field_type: FieldType, default: Any) -> Any:
    """Return a default value as JSON and TOML represent it."""
    if isinstance(field_type, Pairs):
        return dict(default)
    return list(default) if isinstance(default, tuple) else default
