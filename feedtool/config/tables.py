"""Turn a class into a table of settings, whose fields carry their type, documentation and name in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, field
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

from feedtool.config.field_types import FieldType
from feedtool.frozen import Frozen, frozen

C = TypeVar("C")


class Key:
    """A key of feedtool.toml: its type, a sentence of documentation, its name in the file and an example.

    `old` is an earlier name, which is still read, or "". `field` is the name in the class. `default` is the value if the
    key is absent, or MISSING if the key is required. `rereads` is True if a source must be read anew after a change of
    this key, and None for keys that no source has.
    """

    __slots__ = ("default", "doc", "example", "field", "in_file", "name", "old", "rereads", "type")

    def __init__(
        self, field_type: FieldType, doc: str, name: str, example: str, *, in_file: bool, old: str = ""
    ) -> None:
        self.type = field_type
        self.doc = doc
        self.name = name
        self.example = example
        self.old = old
        self.in_file = in_file
        self.field = name
        self.default: Any = MISSING
        self.rereads: bool | None = None


def setting(
    field_type: FieldType,
    doc: str,
    *,
    default: Any = MISSING,
    name: str = "",
    old: str = "",
    example: str = "",
    in_file: bool = True,
) -> Any:
    """Return a dataclass field for a key of feedtool.toml.

    `name` is the key if it differs from the field's name; `old` is an earlier name of it, which is still read.
    """
    return field(default=default, metadata={"key": Key(field_type, doc, name, example, in_file=in_file, old=old)})


def entry_option(field_type: FieldType, doc: str, *, default: Any = MISSING, example: str = "") -> Any:
    """Return a dataclass field for an option of a source on which the article files depend that its entries make.

    After a change the next visit reads the feed anew, although it has not changed.
    """
    return _marked(setting(field_type, doc, default=default, example=example), rereads=True)


def visit_option(field_type: FieldType, doc: str, *, default: Any = MISSING, example: str = "") -> Any:
    """Return a dataclass field for an option of a source that does not change how its entries are read."""
    return _marked(setting(field_type, doc, default=default, example=example), rereads=False)


def _marked(made: Any, *, rereads: bool) -> Any:
    made.metadata["key"].rereads = rereads
    return made


class SettingsTable(Frozen):
    """Base class of all tables of settings."""

    __slots__ = ()
    _keys: ClassVar[dict[str, Key]] = {}


def keys_of(cls: type[SettingsTable]) -> Mapping[str, Key]:
    """Return the keys of a table by their names in the file."""
    return cls._keys


@dataclass_transform(
    frozen_default=True, kw_only_default=True, field_specifiers=(setting, entry_option, visit_option, field)
)
def table(cls: type[C]) -> type[C]:
    """Turn a class that derives from `SettingsTable` into a frozen, slotted, keyword-only dataclass."""
    frozen_class: Any = frozen(cls)
    frozen_class._keys = {}
    for each in frozen_class._fields:
        if (key := each.metadata.get("key")) is not None:
            key.field, key.name, key.default = each.name, key.name or each.name, each.default
            frozen_class._keys[key.name] = key
    return cast("type[C]", frozen_class)
