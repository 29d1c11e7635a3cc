"""Test whole sites in `cases/` against their whole output folders, byte for byte; `--accept` rewrites them."""

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
    # Messages of problems have their own tests; their places and codes are compared here.
    problems = sorted(f"{p['file']}:{p['line']}: {p['severity']}: {p['code']}\n" for p in result.json["problems"])
    actual = tree(tmp_path / "public") | {"problems.txt": "".join(problems).encode()}
    if accept:
        shutil.rmtree(case / "expected", ignore_errors=True)
        for path, data in actual.items():
            write(case / "expected" / path, data)
    assert actual == tree(case / "expected")
