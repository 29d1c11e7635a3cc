"""Test the supply chain: documented dependencies and their importers, lock files, pinned actions, reproducible builds."""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.supply.audit import judged
from tests.support.site import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
LOCKS = {path.name: path.read_text("utf-8") for path in sorted((ROOT / ".ci").glob("*.lock"))}
LOCKED = re.compile(
    r"^([a-z0-9][a-z0-9._-]*)==([^\s;\\]+)(?: ; (.*?))? \\\n((?:    --hash=sha256:[0-9a-f]{64}(?: \\)?\n)+)", re.M
)
MODULES = {
    "py-yaml12": "yaml12", "pyyaml": "yaml", "charset-normalizer": "charset_normalizer", "backports-zstd": "backports",
    "lxml-html-clean": "lxml_html_clean",
}  # fmt: skip
USES = re.compile(r"^\s*(?:- )?uses:\s*(.+)$", re.M)
PINNED = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def _named(requirements: list[str]) -> set[str]:
    return {canonicalize_name(Requirement(one).name) for one in requirements} - {"feedtool"}


def _runtime() -> set[str]:
    return _named(PROJECT["dependencies"]) | _named(EXTRAS["ingest"]) | _named(EXTRAS["fulltext"])


def _table() -> dict[str, set[str]]:
    """Return the packages that may import each library, from the dependency table of ARCHITECTURE.md."""
    page = (ROOT / ".github/ARCHITECTURE.md").read_text("utf-8")
    text = page.partition("\n## Dependencies\n")[2]
    importers: dict[str, set[str]] = {}
    for names, packages in re.findall(r"^\| ([^|]+) \| ([^|]+) \| [^|]+ \|$", text, re.M)[2:]:
        for name in re.split(r", (?:and )?(?:its )?| and ", re.sub(r" for its \w+", "", names)):
            importers[canonicalize_name(name)] = set(re.findall(r"`([\w/]+)`", packages))
    for package, names in re.findall(r"^`([\w/]+)` imports ([^,]+?) too", text, re.M):
        for name in names.split(" and "):
            importers[canonicalize_name(name)].add(package)
    return importers


def _imports() -> Iterator[tuple[str, str]]:
    """Yield each package of feedtool with the top-level name of each third-party module that it imports."""
    for path in sorted((ROOT / "feedtool").rglob("*.py")):
        package = path.relative_to(ROOT / "feedtool").with_suffix("").as_posix().removesuffix("/__init__")
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
            for name in names:
                top = name.partition(".")[0]
                if top not in sys.stdlib_module_names and top not in ("feedtool", "compression"):
                    yield package, top


def _versions(text: str) -> dict[str, set[str]]:
    """Return the versions of each package in a lock file; each version is for some versions of Python."""
    versions: dict[str, set[str]] = {}
    for name, version, _, _ in LOCKED.findall(text):
        versions.setdefault(canonicalize_name(name), set()).add(version)
    return versions


@pytest.mark.fault_class("supply.dependencies")
def test_dependency_table_names_importing_packages(tally: Callable[[int], None]) -> None:
    table = _table()
    assert set(table) - {"markupsafe", "multidict", "yarl"} == _runtime()
    modules = {MODULES.get(name, name.replace("-", "_")): packages for name, packages in table.items()}
    for package, module in _imports():
        assert module in modules, f"{package} imports {module}, which is not a dependency"
        assert any(package == one or package.startswith(f"{one}/") for one in modules[module]), (
            f"{package} imports {module}"
        )
    tally(len(table))


@pytest.mark.fault_class("supply.lock")
def test_lock_files_pin_every_dependency_by_hash(tally: Callable[[int], None]) -> None:
    everything = [Requirement(one) for one in PROJECT["dependencies"]]
    everything += [Requirement(one) for extra in EXTRAS.values() for one in extra if not one.startswith("feedtool[")]
    locked = _versions(LOCKS["requirements.lock"])
    for one in everything:
        name = canonicalize_name(one.name)
        assert name in locked, f"{name} is not locked: bash .ci/lock"
        assert any(map(one.specifier.contains, locked[name])), f"{name} is locked at {locked[name]}: bash .ci/lock"
    count = 0
    for text in LOCKS.values():
        assert len(LOCKED.findall(text)) == len(re.findall("^[^ #\n]", text, re.M)), "a requirement has no hash"
        assert not re.search(r"://|--(?:index|extra|find|trusted)|@ ", text)
        count += text.count("--hash=")
    for text in LOCKS.values():
        assert all(versions <= locked[name] for name, versions in _versions(text).items())
    tally(count)


@pytest.mark.fault_class("supply.lock")
def test_ci_installs_the_locked_versions() -> None:
    hashed = "install -q --require-hashes -r .ci/requirements.lock"
    assert hashed in (ROOT / ".ci/run").read_text("utf-8")
    assert f"python -m pip {hashed}" in (ROOT / ".github/workflows/ci.yml").read_text("utf-8")
    distributions = (ROOT / ".ci/distributions").read_text("utf-8")
    assert "install -q --require-hashes -r .ci/build.lock" in distributions
    assert "--no-isolation" in distributions


@pytest.mark.fault_class("supply.actions")
def test_every_action_is_pinned_to_a_commit(tally: Callable[[int], None]) -> None:
    files = [*(ROOT / ".github").rglob("*.yml"), *(ROOT / "feedtool/data").rglob("*.yml")]
    uses = [one.strip() for file in files for one in USES.findall(file.read_text("utf-8"))]
    assert len(uses) > 20
    for one in uses:
        assert PINNED.fullmatch(one) or one.startswith(("./", "$/")), one
    tally(len(uses))


@pytest.mark.slow
@pytest.mark.fault_class("supply.builds")
def test_builds_are_reproducible_across_environments(tmp_path: Path, tally: Callable[[int], None]) -> None:
    if importlib.util.find_spec("hatchling") is None:
        assert not os.environ.get("FEEDTOOL_CI"), "hatchling is missing, and FEEDTOOL_CI forbids skips"
        pytest.skip("hatchling is missing")
    environments = (
        {"TZ": "Asia/Shanghai", "PYTHONHASHSEED": "1"},
        {"TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONHASHSEED": "2"},
    )
    hashes = [
        _built(tmp_path / f"{number}" / ("x" * number), variables) for number, variables in enumerate(environments, 1)
    ]
    assert len(hashes[0]) == 2
    assert hashes[0] == hashes[1]
    tally(len(hashes[0]) * 2)


def _built(place: Path, variables: dict[str, str]) -> dict[str, str]:
    """Build in a copy of the tree with new modification times; return the hash of each built file."""
    names = (
        "feedtool",
        "feeds",
        "tests/supply",
        ".github",
        ".ci",
        "README.md",
        "LICENSE",
        "pyproject.toml",
        ".gitignore",
    )
    for name in names:
        source, target = ROOT / name, place / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "public", ".feedtool")
            shutil.copytree(source, target, ignore=ignored, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(source, target)
    env = {**os.environ, **variables, "SOURCE_DATE_EPOCH": "1764000000"}
    subprocess.run([sys.executable, "-m", "hatchling", "build"], cwd=place, env=env, check=True, capture_output=True)
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((place / "dist").iterdir())}


CLEAN = {"name": "a", "version": "1", "vulns": []}
SKIPPED = {"name": "b", "skip_reason": "not found"}
HIT = {"name": "c", "version": "2", "vulns": [{"id": "X-1", "fix_versions": ["3"]}]}


@pytest.mark.fault_class("supply.audit")
@pytest.mark.parametrize(
    ("packages", "message", "code"),
    [
        ([CLEAN, CLEAN], "no advisory against 2 packages", 0),
        ([CLEAN, SKIPPED], "no advisory against 1 packages; 1 could not be checked", 0),
        ([SKIPPED, SKIPPED], "not asked: none of the 2 packages could be checked", 0),
        ([CLEAN, HIT, SKIPPED], "1 advisories\nc 2: X-1; fixed in 3", 1),
    ],
)
def test_audit_without_an_answer_reports_no_success(packages: list, message: str, code: int) -> None:
    assert judged({"dependencies": packages}) == (message, code)
