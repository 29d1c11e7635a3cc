"""Classes of named fields in, frozen ones out that are made in a tenth of the time: their methods are generated once for all."""

from __future__ import annotations

from dataclasses import MISSING, Field, FrozenInstanceError, dataclass, field, fields
from typing import Any, ClassVar, TypeVar, cast, dataclass_transform

C = TypeVar("C")


@dataclass_transform(frozen_default=True, kw_only_default=True, field_specifiers=(field,))
def frozen(cls: type[C]) -> type[C]:
    """Make a frozen, slotted, keyword-only dataclass of a class that derives from `Frozen`."""
    # Generating methods for every class would take most of the import's time: Frozen has them once for all.
    made: Any = dataclass(init=False, eq=False, repr=False, match_args=False, slots=True)(cls)
    made._fields = fields(made)
    return cast("type[C]", made)


class Frozen:
    """The methods of a frozen dataclass; comparison, hash and repr are by the fields that take part in comparison."""

    __slots__ = ()
    _fields: ClassVar[tuple[Field[Any], ...]] = ()

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
