"""What makes a class a table of settings: fields that know their kind, documentation and name in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, field
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

from feedtool.config.field_types import Kind
from feedtool.frozen import Frozen, frozen

C = TypeVar("C")


class Key:
    """What a person may set: the kind of value, one sentence on what it does, its name in the file, an example.

    `field` is the name in the class and `default` the value when nothing is given, MISSING when something must be.
    """

    __slots__ = ("default", "doc", "example", "field", "in_file", "kind", "name")

    def __init__(self, kind: Kind, doc: str, name: str, example: str, *, in_file: bool) -> None:
        self.kind = kind
        self.doc = doc
        self.name = name
        self.example = example
        self.in_file = in_file
        self.field = name
        self.default: Any = MISSING


def setting(
    kind: Kind, doc: str, *, default: Any = MISSING, name: str = "", example: str = "", in_file: bool = True
) -> Any:
    """Return a field that a person may set; `name` where the file calls it otherwise."""
    return field(default=default, metadata={"key": Key(kind, doc, name, example, in_file=in_file)})


class Keyed(Frozen):
    """What every class of settings derives from."""

    __slots__ = ()
    _keys: ClassVar[dict[str, Key]] = {}


def keys_of(cls: type[Keyed]) -> Mapping[str, Key]:
    """Return what a person may set in a class, by the name in the file."""
    return cls._keys


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(setting, field))
def table(cls: type[C]) -> type[C]:
    """Make a frozen, slotted, keyword-only dataclass of a class of settings, which must derive from `Keyed`."""
    made: Any = frozen(cls)
    made._keys = {}
    for each in made._fields:
        if (key := each.metadata.get("key")) is not None:
            key.field, key.name, key.default = each.name, key.name or each.name, each.default
            made._keys[key.name] = key
    return cast("type[C]", made)
