"""What makes a class a table of settings: fields that know their kind, documentation and name in the file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

from feedtool.settings.kinds import Kind

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


def keys_of(cls: type[Frozen]) -> Mapping[str, Key]:
    """Return what a person may set in a class, by the name in the file."""
    return cls._keys


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(setting, field))
def table(cls: type[C]) -> type[C]:
    """Make a frozen, slotted, keyword-only dataclass of a class of settings, which must derive from `Frozen`."""
    # Generating methods for every class would take most of the import's time: Frozen has them once for all.
    made: Any = dataclass(init=False, eq=False, repr=False, match_args=False, slots=True)(cls)
    made._fields = fields(made)
    made._keys = {}
    for each in made._fields:
        if (key := each.metadata.get("key")) is not None:
            key.field, key.name, key.default = each.name, key.name or each.name, each.default
            made._keys[key.name] = key
    return cast("type[C]", made)


class Frozen:
    """The methods of a frozen dataclass; comparison, hash and repr are by the fields that take part in comparison."""

    __slots__ = ()
    _fields: ClassVar[tuple[Field[Any], ...]] = ()
    _keys: ClassVar[dict[str, Key]] = {}

    def __init__(self, **values: Any) -> None:
        for each in self._fields:
            if each.name in values:
                value = values.pop(each.name)
            elif each.default is not MISSING:
                value = each.default
            elif each.default_factory is not MISSING:
                value = each.default_factory()
            else:
                raise TypeError(f"{type(self).__name__} needs {each.name}")
            object.__setattr__(self, each.name, value)
        if values:
            raise TypeError(f"{type(self).__name__} has no {', '.join(values)}")
        self.__post_init__()

    def __post_init__(self) -> None:
        """Fill in what follows from other fields."""

    def __setattr__(self, name: str, value: object) -> None:
        raise FrozenInstanceError(f"cannot assign to field {name!r}")

    def __delattr__(self, name: str) -> None:
        raise FrozenInstanceError(f"cannot delete field {name!r}")

    def __getstate__(self) -> dict[str, Any]:
        return {each.name: getattr(self, each.name) for each in self._fields}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, value)

    def _values(self) -> tuple[tuple[str, object], ...]:
        return tuple((each.name, getattr(self, each.name)) for each in self._fields if each.compare)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Frozen) or type(other) is not type(self):
            return NotImplemented
        return self._values() == other._values()

    def __hash__(self) -> int:
        return hash(self._values())

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(f'{name}={value!r}' for name, value in self._values())})"
