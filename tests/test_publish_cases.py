"""Whole sites in, whole output folders compared byte for byte: a folder each in `cases/`; `--accept` rewrites them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.site import build, tree, write

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.parent.name for path in CASES.glob("*/feedtool.toml"))


def test_there_are_cases() -> None:
    assert len(NAMES) >= 12


@pytest.mark.parametrize("name", NAMES)
def test_case_output_matches_expected_files(name: str, tmp_path: Path, accept: bool) -> None:
    case = CASES / name
    shutil.copytree(case, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("expected"))
    result = build(tmp_path)
    assert result.finished, result.stderr
    # The words of problems belong to their own tests; where they point and their codes are part of the outcome.
    problems = sorted(f"{p['file']}:{p['line']}: {p['severity']}: {p['code']}\n" for p in result.json["problems"])
    found = tree(tmp_path / "public") | {"problems.txt": "".join(problems).encode()}
    if accept:
        shutil.rmtree(case / "expected", ignore_errors=True)
        for path, data in found.items():
            write(case / "expected" / path, data)
    assert found == tree(case / "expected")
