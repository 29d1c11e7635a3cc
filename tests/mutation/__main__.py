"""Change the package in small ways, one at a time, and say which changes no test notices.

    python -m tests.mutation                          300 mutants of all groups, an hour or two on one core
    python -m tests.mutation html dates --count 100   of these groups
    python -m tests.mutation --again                  those that no test noticed the last time, and no others

The first run, and `--anew`, runs the tests once to find out which of them call which function; then each mutant is put
before those that call what it changed. Results are kept in `artifacts/mutation`. A mutant that no test can notice has
a line in `equivalent.toml` that says why.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections import defaultdict
from pathlib import Path

from tests.mutation import run
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.touched import FOLDER, instrument

ROOT = Path(__file__).resolve().parent.parent.parent
KEPT = ROOT / "artifacts" / "mutation"
GROUPS = {
    "html": ("html/",),
    "feeds": ("feeds/",),
    "articles": ("articles/",),
    "dates": ("dates/",),
    "slugs": ("slugs.py",),
    "http": ("http/guard.py", "http/urls.py"),
    "publish": ("publish/",),
    "ingesting": ("ingesting/",),
}
LEAST = 3
"""Tests that are run for a mutant however long they take."""
_APART = re.compile(r"test_(old_pythons|rehearsal|on_actions|action|workflows|newcomer|readme|recipes|runner|serve)\b")
"""Tests of other things than the package's parts: of workflows, pages of the documentation and surroundings."""


def main(arguments: list[str] | None = None) -> int:
    """Try mutants; return 1 where one is not noticed that no line of `equivalent.toml` speaks of."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("group", nargs="*", choices=[*GROUPS, []], help="none: each of them")
    parser.add_argument("--count", type=int, default=300, help="of all groups together")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--anew", action="store_true", help="find out anew which tests call which function")
    parser.add_argument("--again", action="store_true", help="only those that were not noticed the last time")
    parser.add_argument("--seconds", type=float, default=25, help="most seconds of the tests of one mutant")
    parser.add_argument("--resume", action="store_true", help="keep what the last run found, and go on")
    parser.add_argument("--source", type=Path, default=ROOT, help="the checkout whose package and tests are tried")
    parser.add_argument("--kept", type=Path, default=KEPT, help="where results are kept")
    given = parser.parse_args(arguments)
    os.nice(19)
    run.warm_up()
    given.kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="mutation-") as place:
        root = Path(place) / "tree"
        copy(given.source, root)
        if given.anew or not (given.kept / "touched.json").exists():
            touch(given.source, Path(place) / "touched", given.kept)
        groups = given.group or list(GROUPS)
        chosen = survivors(root, groups, given.kept) if given.again else choose(root, groups, given.count, given.seed)
        callers = Callers(given.kept, given.seconds)
        callers.leave_out(unsound(root, callers, given.kept))
        results = try_all(root, chosen, callers, given.kept, resume=given.resume)
    return report(results)


def copy(source: Path, place: Path) -> None:
    """Copy a checkout, without what is made in it."""
    ignored = shutil.ignore_patterns(
        ".git", ".venv", "node_modules", "artifacts", "__pycache__", ".mypy_cache", ".hypothesis"
    )
    shutil.copytree(source, place, ignore=ignored)


def touch(source: Path, place: Path, kept: Path) -> None:
    """Run the tests once over a copy that notes what is called, and keep what was found."""
    copy(source, place)
    (kept / "unsound.json").unlink(missing_ok=True)
    names = instrument(place)
    (kept / "names.json").write_text(json.dumps(names))
    files = [path for path in sorted((place / "tests").glob("test_*.py")) if not _APART.match(path.stem)]
    environment = {**os.environ, "PYTHONPATH": str(place), FOLDER: str(kept)}
    options = ["-p", "no:cacheprovider", "-p", "tests.mutation.touched", "--hypothesis-seed=0", "-q"]
    command = [sys.executable, "-m", "pytest", *options, *map(str, files)]
    subprocess.run(command, cwd=place, env=environment, check=False, stdout=subprocess.DEVNULL)


class Callers:
    """Which tests call a function, and how long they take."""

    def __init__(self, kept: Path, most: float) -> None:
        self.most = most
        names: list[str] = json.loads((kept / "names.json").read_text())
        found = json.loads((kept / "touched.json").read_text())
        self.seconds: dict[str, float] = found["seconds"]
        self.calls: dict[str, int] = {}
        self.tests: dict[str, set[str]] = defaultdict(set)
        for test, calls in found["calls"].items():
            self.calls[test] = len(calls)
            if found["passed"].get(test):
                for number in calls:
                    self.tests[names[number]].add(test)

    def leave_out(self, tests: list[str]) -> None:
        """Run these tests for no mutant."""
        for callers in self.tests.values():
            callers.difference_update(tests)

    def of(self, mutant: Mutant, root: Path) -> list[tuple[str, float]]:
        """Return the tests that call what a mutant changes, with their seconds; quick ones that call little else come first."""
        if mutant.scope.startswith("=") or _is_cached(root / mutant.path, mutant.scope):
            # Only the first test of a run calls a cached function, so add the tests that call its callers.
            found = self._using(mutant, root) | self.tests.get(f"{mutant.path}:{mutant.scope}", set())
        else:
            found = self.tests.get(f"{mutant.path}:{mutant.scope}", set())
        chosen, spent = [], 0.0
        for test in sorted(found, key=lambda test: (self.seconds[test] * self.calls[test], test)):
            spent += self.seconds[test]
            if spent > self.most and len(chosen) >= LEAST:
                break
            chosen.append((test, self.seconds[test]))
        return chosen

    def _using(self, mutant: Mutant, root: Path) -> set[str]:
        """Return the tests of the functions that name a value of the module, through others of its values or not."""
        name = mutant.scope.removeprefix("=").partition(".")[0]
        found: set[str] = set()
        for place, bound in _readers(root, mutant.path, name):
            for function, tests in self.tests.items():
                path, _, scope = function.partition(":")
                if (path == place or not bound.startswith("_")) and _names(_function(root / path, scope), bound):
                    found |= tests
        if not found:
            of_module = (tests for function, tests in self.tests.items() if function.startswith(f"{mutant.path}:"))
            found.update(*of_module)
        return found


def _names(text: str, name: str) -> bool:
    return bool(name) and re.search(rf"\b{re.escape(name)}\b", text) is not None


_cache: dict[Path, dict[str, str]] = {}


def _function(path: Path, scope: str) -> str:
    import ast

    from tests.mutation.touched import functions

    if path not in _cache:
        source = path.read_text("utf-8")
        _cache[path] = {name: ast.get_source_segment(source, node) or "" for name, node in functions(source)}
    return _cache[path].get(scope, "")


def _readers(root: Path, path: str, name: str) -> set[tuple[str, str]]:
    """Return a name of a module and, with their modules, those of values and cached functions that are made from it."""
    found = {(path, name)}
    waiting = [(path, name)]
    while waiting:
        path, name = waiting.pop()
        for place in sorted((root / "feedtool").rglob("*.py")) if not name.startswith("_") else [root / path]:
            other = place.relative_to(root).as_posix()
            more = {(other, bound) for bound, text in _bindings(place) if _names(text, name)} - found
            found |= more
            waiting += sorted(more)
    return found


_bound: dict[Path, list[tuple[str, str]]] = {}


def _bindings(path: Path) -> list[tuple[str, str]]:
    """Return the names that statements of a module bind, with the text of each; of functions only those that are cached."""
    import ast

    if path not in _bound:
        source = path.read_text("utf-8")
        _bound[path] = []
        for node in ast.parse(source).body:
            text = ast.get_source_segment(source, node) or ""
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                _bound[path].append((node.targets[0].id, text))
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                _bound[path].append((node.target.id, text))
            elif isinstance(node, ast.ClassDef) or _is_cache(node):
                _bound[path].append((node.name, text))  # type: ignore[attr-defined]
    return _bound[path]


def _is_cached(path: Path, scope: str) -> bool:
    import ast

    return any(
        _is_cache(node) and getattr(node, "name", "") == scope for node in ast.parse(path.read_text("utf-8")).body
    )


def _is_cache(node: object) -> bool:
    import ast

    return isinstance(node, ast.FunctionDef) and any("cache" in ast.unparse(one) for one in node.decorator_list)


def choose(root: Path, groups: list[str], count: int, seed: int) -> list[Mutant]:
    """Return a sample: of each group as the root of its size, and within it of each kind as the root of its number."""
    found = {group: _of_group(root, group) for group in groups}
    weights = {group: len(all_of_it) ** 0.5 for group, all_of_it in found.items()}
    chosen: list[Mutant] = []
    for group in groups:
        rng = random.Random(f"{seed} {group}")
        kinds: dict[str, list[Mutant]] = defaultdict(list)
        for mutant in found[group]:
            kinds[mutant.kind].append(mutant)
        order = sorted(found[group], key=lambda one: rng.random() ** (len(kinds[one.kind]) ** 0.5), reverse=True)
        chosen += order[: round(count * weights[group] / sum(weights.values()))]
    return chosen


def _of_group(root: Path, group: str) -> list[Mutant]:
    found = []
    for start in GROUPS[group]:
        place = root / "feedtool" / start
        for path in sorted(place.rglob("*.py")) if place.is_dir() else [place]:
            found += mutants(path.relative_to(root).as_posix(), path.read_text("utf-8"))
    return found


def unsound(root: Path, callers: Callers, kept: Path) -> list[str]:
    """Return the tests that fail without any mutant when they are run as they are for one."""
    place = kept / "unsound.json"
    if not place.exists():
        tests = sorted(set().union(*callers.tests.values()))
        failed, _ = run.failures(root, tests, 3600, first_only=False)
        place.write_text(json.dumps(failed))
    found: list[str] = json.loads(place.read_text())
    return found


def key_of(mutant: Mutant, source: str) -> str:
    """Return what a mutant is known by, whatever its line."""
    return f"{mutant.path} {mutant.scope}: {mutant.describe(source)}"


def survivors(root: Path, groups: list[str], kept: Path) -> list[Mutant]:
    """Return those that were not noticed the last time, by their keys: the code around them may have moved."""
    lived = {one["key"] for one in json.loads((kept / "results.json").read_text()) if not one["killed"]}
    sources: dict[str, str] = {}
    found = {}
    for mutant in (one for group in groups for one in _of_group(root, group)):
        if mutant.path not in sources:
            sources[mutant.path] = (root / mutant.path).read_text("utf-8")
        key = key_of(mutant, sources[mutant.path])
        if key in lived:
            found[key] = mutant
    return list(found.values())


def try_all(root: Path, chosen: list[Mutant], callers: Callers, kept: Path, *, resume: bool) -> list[dict[str, object]]:
    """Try each mutant, and tell of it as it ends; `resume` leaves out those that the last run tried."""
    results: list[dict[str, object]] = json.loads((kept / "results.json").read_text()) if resume else []
    tried = {(one["path"], one["start"], one["end"], one["text"]) for one in results}
    for number, mutant in enumerate(chosen, 1):
        if (mutant.path, mutant.start, mutant.end, mutant.text) in tried:
            continue
        source = (root / mutant.path).read_text("utf-8")
        tests = callers.of(mutant, root)
        with run.changed(root / mutant.path, mutant.apply):
            ended = run.outcome(root, tests)
        key = key_of(mutant, source)
        results.append(
            {**mutant._asdict(), "key": key, "killed": ended.killed, "tests": ended.tests, "seconds": ended.seconds}
        )
        (kept / "results.json").write_text(json.dumps(results, indent=1, ensure_ascii=False))
        how = f"killed by {ended.killed}" if ended.killed else "LIVES"
        print(
            f"{number}/{len(chosen)} {ended.seconds:.0f} s, {ended.tests} tests: {how}: {mutant.kind}: {key}",
            flush=True,
        )
    return results


def report(results: list[dict[str, object]]) -> int:
    """Print how many were noticed, by group, and which were not; return the exit code."""
    reasons = {
        one["change"]: one["reason"]
        for one in tomllib.loads((Path(__file__).parent / "equivalent.toml").read_text("utf-8"))["mutant"]
    }
    gaps = 0
    for group, starts in GROUPS.items():
        of_it = [one for one in results if str(one["path"]).removeprefix("feedtool/").startswith(starts)]
        lived = [one for one in of_it if not one["killed"]]
        open_ones = [one for one in lived if one["key"] not in reasons]
        gaps += len(open_ones)
        counted = len(of_it) - len(lived) + len(open_ones)
        if of_it:
            share = 100 * (counted - len(open_ones)) / max(counted, 1)
            same = len(lived) - len(open_ones)
            print(f"{group}: {counted - len(open_ones)} of {counted} noticed ({share:.0f} %), {same} change nothing")
        for one in open_ones:
            print(f"    {one['kind']}: {one['key']}")
    return 1 if gaps else 0


if __name__ == "__main__":
    sys.exit(main())
