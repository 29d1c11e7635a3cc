"""Test that each mutant is one change and still valid Python, and that the list of equivalent mutants is up to date."""

from __future__ import annotations

import ast
import tomllib
from pathlib import Path

import pytest

from tests.mutation.mutants import mutants
from tests.support.site import ROOT

EQUIVALENT = tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text("utf-8"))["mutant"]
SOURCE = '''"""Doc."""
from x import y
__all__ = ("a", "b")
NAMES = frozenset(("one", "two"))
TEXT = "alpha beta gamma delta"

def f(a: int = 1, *, b: bool = False) -> str | None:
    """Doc."""
    if not a and b < 3:
        a += 1
    return NAMES.x(a)[1:] if a else None
'''


def test_each_kind_of_mutation_changes_only_one_place() -> None:
    changes = {(one.kind, one.apply(SOURCE)) for one in mutants("a.py", SOURCE)}
    for kind, before, after in (
        ("row removed", '("one", "two")', '("two")'),
        ("word removed", "alpha beta gamma delta", "alpha  gamma delta"),
        ("number", "a: int = 1", "a: int = 2"),
        ("boolean", "= False", "= True"),
        ("not removed", "not a and", "(a) and"),
        ("and/or", "a and b", "a or b"),
        ("comparison", "b < 3", "b <= 3"),
        ("condition negated", "if not a and b < 3:", "if not (not a and b < 3):"),
        ("statement removed", "a += 1", "pass"),
        ("slice dropped", "(a)[1:]", "(a)"),
        ("returns None", "NAMES.x(a)[1:] if a else None", "None"),
    ):
        assert (kind, SOURCE.replace(before, after)) in changes, kind
    texts = [text for _, text in changes]
    assert all('__all__ = ("a", "b")' in text and text.count('"""Doc."""') == 2 for text in texts)


@pytest.mark.parametrize(
    "module", ["feeds/selection.py", "dates/zones.py", "html/policy.py", "articles/fences.py", "ingesting/values.py"]
)
def test_every_mutant_is_valid_python(module: str) -> None:
    source = (ROOT / "feedtool" / module).read_text("utf-8")
    all_mutants = mutants(module, source)
    assert len({one.apply(source) for one in all_mutants} | {source}) > len(all_mutants) // 2
    for one in all_mutants[::7]:
        ast.parse(one.apply(source))


@pytest.mark.parametrize("row", EQUIVALENT, ids=lambda row: row["change"][:60])
def test_equivalent_mutants_name_code_and_reason(row: dict[str, str]) -> None:
    place, _, change = row["change"].partition(": ")
    source = " ".join((ROOT / place.partition(" ")[0]).read_text("utf-8").split())
    assert change.partition("  ->  ")[0] in source
    assert len(row["reason"]) > 20
