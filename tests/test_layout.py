"""Test the layout of the package: each public name has one meaning."""

import ast
import re
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "feedtool"
FOLDERS = sorted(path.parent for path in PACKAGE.rglob("__init__.py"))


def exported(file: Path) -> set[str]:
    """Return the names that a module lists in `__all__`."""
    for node in ast.parse(file.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return set(ast.literal_eval(node.value))
    return set()


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.relative_to(PACKAGE.parent).as_posix())
def test_no_module_overwrites_a_public_name(folder: Path) -> None:
    # Importing a submodule sets the attribute of its package: `feedtool.check` would stop being callable.
    modules = {path.stem for path in folder.glob("*.py")} | {path.name for path in folder.iterdir() if path.is_dir()}
    assert not exported(folder / "__init__.py") & modules


def test_no_folder_has_a_name_that_tools_skip() -> None:
    # `build` and `dist` are in every template of .gitignore, and black skips them.
    # A folder that has lost its modules may still hold __pycache__; git does not know it.
    names = {part for path in PACKAGE.rglob("*.py") for part in path.relative_to(PACKAGE).parts[:-1]}
    assert not names & {"build", "dist", "env", "venv", "node_modules"}


def test_no_module_has_a_vague_name() -> None:
    vague = {"nouns", "utils", "helpers", "common", "misc", "base", "core", "walk"}
    assert not {path.name for path in PACKAGE.rglob("*.py") if path.stem in vague}


def test_tests_do_not_import_from_test_files() -> None:
    imported = {
        f"{path.name}: {node.module}"
        for path in (PACKAGE.parent / "tests").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.ImportFrom) and re.search(r"^tests\..*\btest_", node.module or "")
    }
    assert not imported
