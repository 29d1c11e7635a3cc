"""Record which tests call which functions, with a copy of the package in which every function logs its calls.

The log is one file for each test, to which every process of the test appends, so tests that run the command or fork are
covered too.
"""

from __future__ import annotations

import ast
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

FOLDER = "TOUCHED_FOLDER"
"""The environment variable with the folder of `touched.json`.

It does not begin with FEEDTOOL because tests remove such variables from the processes that they start.
"""

_NOTE = '''"""Log which functions are called."""

import os

_path = None
_noted = set()


def note(number):
    """Append the number of a function to the file of this test, once a process."""
    global _path
    path = os.environ.get("TOUCHED_BY")
    if path != _path:
        _path = path
        _noted.clear()
    if path is None or number in _noted:
        return
    _noted.add(number)
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        os.write(file, b"%d\\n" % number)
        os.close(file)
    except OSError:
        pass
'''


def functions(source: str) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    """Yield each function of a module with its dotted name, outer ones first."""
    todo: list[tuple[str, ast.AST]] = [("", ast.parse(source))]
    while todo:
        name, node = todo.pop()
        for child in ast.iter_child_nodes(node):
            inner = f"{name}.{child.name}".lstrip(".") if hasattr(child, "name") and child.name else name
            if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
                yield inner, child
            todo.append((inner, child))


def instrument(root: Path) -> list[str]:
    """Rewrite the package below `root`; return `file:function` in the order of their numbers."""
    names: list[str] = []
    for path in sorted((root / "feedtool").rglob("*.py")):
        source = path.read_text("utf-8")
        tree = ast.parse(source)
        by_line = {function.lineno: name for name, function in functions(source)}
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                call = ast.parse(f"_note_call({len(names)})").body[0]
                names.append(f"{path.relative_to(root).as_posix()}:{by_line[node.lineno]}")
                node.body.insert(1 if ast.get_docstring(node) is not None and len(node.body) > 1 else 0, call)
        start = 0
        for place, node in enumerate(tree.body):
            if (place == 0 and ast.get_docstring(tree) is not None) or (
                isinstance(node, ast.ImportFrom) and node.module == "__future__"
            ):
                start = place + 1
        tree.body[start:start] = ast.parse("from feedtool._note import note as _note_call").body
        path.write_text(ast.unparse(ast.fix_missing_locations(tree)), "utf-8")
    (root / "feedtool" / "_note.py").write_text(_NOTE, "utf-8")
    return names


class Touched:
    """The pytest plugin that gives each test its own log file and collects the logs."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tests = 0
        self.calls: dict[str, list[int]] = {}
        self.seconds: dict[str, float] = {}
        self.outcome: dict[str, bool] = {}

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        """Collect the calls of one test."""
        # A new file name for each test: a process logs a function only once for each name.
        self.tests += 1
        path = self.folder / f"calls-{self.tests}"
        os.environ["TOUCHED_BY"] = str(path)
        start = time.monotonic()
        try:
            return (yield)
        finally:
            del os.environ["TOUCHED_BY"]
            name = item.nodeid.partition("[")[0]
            self.seconds[name] = self.seconds.get(name, 0) + time.monotonic() - start
            numbers = set(map(int, path.read_text().split())) if path.exists() else set()
            path.unlink(missing_ok=True)
            self.calls[name] = sorted(numbers.union(self.calls.get(name, ())))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Record which tests passed: only these can detect a mutant."""
        name = report.nodeid.partition("[")[0]
        self.outcome[name] = self.outcome.get(name, True) and report.outcome != "failed"

    def pytest_sessionfinish(self) -> None:
        """Write the collected calls."""
        record = {"calls": self.calls, "seconds": self.seconds, "passed": self.outcome}
        (self.folder / "touched.json").write_text(json.dumps(record))


def pytest_configure(config: pytest.Config) -> None:
    """Register the plugin if the environment names a folder."""
    if FOLDER in os.environ:
        config.pluginmanager.register(Touched(Path(os.environ[FOLDER])), "touched")
