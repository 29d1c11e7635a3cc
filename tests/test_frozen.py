"""Test that frozen classes check their arguments as dataclasses do, and cannot be changed."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, field, replace
from typing import Any

import pytest

from feedtool.frozen import Frozen, frozen


@frozen
class Point(Frozen):
    """A class with a field of each kind."""

    x: int
    y: int = 2
    names: list[str] = field(default_factory=list, compare=False)


def test_fields_are_given_or_have_their_defaults() -> None:
    point = Point(x=1)
    assert (point.x, point.y, point.names) == (1, 2, [])
    assert point.names is not Point(x=1).names
    assert Point(x=1, names=["a"]).names == ["a"]
    assert point == Point(y=2, x=1, names=["a"])
    assert hash(point) == hash(Point(x=1))
    assert replace(point, y=3) == Point(x=1, y=3) != point


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({}, "Point needs x"),
        ({"y": 1, "names": []}, "Point needs x"),
        ({"x": 1, "z": 1}, "Point has no z"),
        ({"x": 1, "y": 1, "names": [], "z": 1, "a": 2}, "Point has no z, a"),
        ({"y": 1, "z": 1, "names": []}, "Point needs x"),
    ],
)
def test_missing_or_unknown_fields_are_refused(arguments: dict[str, Any], why: str) -> None:
    with pytest.raises(TypeError, match=f"^{why}$"):
        Point(**arguments)


def test_fields_cannot_be_changed_or_deleted() -> None:
    point = Point(x=1)
    with pytest.raises(FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(FrozenInstanceError):
        del point.x  # type: ignore[misc]
    assert point.x == 1
