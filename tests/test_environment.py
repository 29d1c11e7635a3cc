"""Test that the index holds only as long as everything that decides a byte is the same: libraries, zones, the clock.

The tests change what a dependency does, never only its name or version.
"""

from __future__ import annotations

import ast
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.util import find_spec
from pathlib import Path

import pytest

from feedtool.catalog import environment
from feedtool.catalog.environment import LIBRARIES, libraries_fingerprint
from feedtool.catalog.index import Index
from feedtool.catalog.signing import user_signer
from feedtool.dates import zones
from tests.support.builds import built
from tests.support.site import ROOT, article, command, make_site, tree, write
from tests.support.site import environment as variables

WHOLE_ZONES = Path("/usr/share/zoneinfo")
OLD_FILE = "---\ntitle: 上海财政部召开专题会议\ndate: 2022-07-25T20:11:30Z\n---\n会议指出，要把各项工作抓细抓实。\n"
BODY = "Some *Markdown* with <b>HTML</b>.\n"


def run_build(site: Path, **more: str) -> int:
    """Build a site in a process of its own and return how many files it wrote."""
    place = {"env": variables(more), "cwd": site.parent, "capture_output": True, "check": True}
    done = subprocess.run(command("build", "-C", str(site), "--json"), **place)  # type: ignore[call-overload]
    return int(json.loads(done.stdout)["written"])


def assert_as_new(site: Path, **more: str) -> None:
    """Assert that the output of a site is what a build without an index writes."""
    fresh = site.parent / "fresh"
    shutil.rmtree(fresh, ignore_errors=True)
    shutil.copytree(site, fresh, ignore=shutil.ignore_patterns(".feedtool", "public"))
    run_build(fresh, **more)
    assert tree(site / "public") == tree(fresh / "public")


# Libraries.

CLEANER = """
class Cleaner:
    def __init__(self, **_): pass
    def clean(self, html): return "<p>other</p>"
"""
ADDED = {
    "charset_normalizer": """
class Best:
    encoding = "big5"
    def best(self): return self
def from_bytes(*_, **__): return Best()
""",
    "nh3": CLEANER,
}
"""Lines that make a copy of a library do something else."""


@pytest.mark.parametrize("name", ADDED)
def test_patched_copy_of_a_library_renders_anew(tmp_path: Path, name: str) -> None:
    site = make_site(tmp_path / "site", {"a.md": article("A", body=BODY), "old.md": OLD_FILE.encode("gb18030")})
    run_build(site)
    assert run_build(site) == 0
    spec = find_spec(name)
    assert spec is not None
    assert spec.submodule_search_locations
    other = tmp_path / "copies"
    shutil.copytree(spec.submodule_search_locations[0], other / name, ignore=shutil.ignore_patterns("__pycache__"))
    paths = {"PYTHONPATH": os.pathsep.join((str(other), str(ROOT)))}
    # The same code in another place renders nothing anew.
    assert run_build(site, **paths) == 0
    with open(other / name / "__init__.py", "a", encoding="utf-8") as code:
        code.write(ADDED[name])
    assert run_build(site, **paths) > 0
    assert_as_new(site, **paths)
    assert run_build(site) > 0
    assert_as_new(site)


def test_module_loaded_at_the_start_may_change_others(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", {"a.md": article("A", body=BODY)})
    run_build(site)
    write(tmp_path / "start/sitecustomize.py", f"{CLEANER}\nimport nh3\nnh3.Cleaner = Cleaner\n")
    paths = {"PYTHONPATH": os.pathsep.join((str(tmp_path / "start"), str(ROOT)))}
    assert run_build(site, **paths) > 0
    assert_as_new(site, **paths)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a package on the path that counts as the only library; its files are old."""
    folder = tmp_path / "place/one_library"
    write(folder / "__init__.py", "1")
    write(folder / "below/code.so", "2")
    monkeypatch.syspath_prepend(str(folder.parent))
    monkeypatch.setattr(environment, "LIBRARIES", ("one_library", "a_library_that_is_not_installed"))
    time.sleep(0.05)
    return folder


def test_libraries_are_read_only_after_a_change(package: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = libraries_fingerprint(None)
    with monkeypatch.context() as blind:
        blind.setattr(environment.storage, "read", lambda path: pytest.fail(f"{path} was read"))
        blind.setattr(environment, "find_spec", lambda name: pytest.fail(f"{name} was searched"))
        assert libraries_fingerprint(first) is first
    os.utime(package / "__init__.py", ns=(0, 0))
    time.sleep(0.05)
    assert libraries_fingerprint(first)[3] == first[3]


@pytest.mark.parametrize("name", ["__init__.py", "below/code.so", "new.py", "below/new.pyd"])
def test_each_file_of_a_library_counts(package: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    first = libraries_fingerprint(None)
    write(package / name, "3")
    with monkeypatch.context() as patch:
        # However slow the machine is.
        patch.setattr(time, "time_ns", lambda: (package / name).stat().st_ctime_ns)
        second = libraries_fingerprint(first)
    assert (second[2], second[3] != first[3]) == (b"", True), "a file that changed just now may change again"
    (package / name).unlink()
    assert libraries_fingerprint(second)[3] not in (second[3], "")


def test_library_in_another_place_is_found(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = libraries_fingerprint(None)
    shutil.copytree(package, tmp_path / "other/one_library")
    monkeypatch.syspath_prepend(str(tmp_path / "other"))
    same = libraries_fingerprint(first)
    assert (same[0] != first[0], same[3]) == (True, first[3])
    write(tmp_path / "other/one_library/__init__.py", "9")
    assert libraries_fingerprint(same)[3] != first[3]


NOT_IN_THE_OUTPUT = {"click"}
"""Packages that the command line uses, and that decide no byte of the output."""


def test_own_files_in_the_current_folder_do_not_count(
    package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    first = libraries_fingerprint(None)
    (tmp_path / "public").mkdir()
    write(tmp_path / "public/atom.xml", b"<feed/>")
    assert libraries_fingerprint(first) is first
    write(tmp_path / "one_library.py", "4")
    assert libraries_fingerprint(first)[3] != first[3]


def test_every_library_of_a_build_is_fingerprinted() -> None:
    seen: set[str] = set()
    found: set[str] = set()
    pending = ["feedtool.publish.pipeline", "feedtool.checking.lint", "feedtool.explaining"]
    while pending:
        name = pending.pop()
        if name in seen:
            continue
        seen.add(name)
        for imported in _imports(name):
            top = imported.partition(".")[0]
            if top == "feedtool":
                pending.append(imported)
            elif top not in sys.stdlib_module_names:
                found.add(top)
    assert len(seen) > 80
    assert found - NOT_IN_THE_OUTPUT <= set(LIBRARIES)
    # `_yaml` is the compiled part of `yaml`; nothing imports it by name.
    assert set(LIBRARIES) - found == {"_yaml"}


def _imports(name: str) -> Iterator[str]:
    """Yield the names of all modules that a module of feedtool imports, wherever the import stands."""
    path = ROOT.joinpath(*name.split("."))
    file = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    if not file.is_file():  # a name from a module, not a module
        return
    yield name.rpartition(".")[0] or name
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            if node.module.startswith("feedtool"):
                yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_python_itself_is_part_of_the_fingerprint() -> None:
    assert sys.version in environment.current_environment(None).text()


# Time zones.

needs_zones = pytest.mark.skipif(not (WHOLE_ZONES / "Asia/Shanghai").is_file(), reason="needs the system's zone files")
IN_A_ZONE = "---\ntitle: Z\ndate: {}\nguid: urn:x:1\n---\nText.\n"


@needs_zones
@pytest.mark.parametrize(
    ("zone", "date"),
    [
        ("Asia/Shanghai", "2024-01-03 12:00:00"),
        ("UTC", "2024-01-03 12:00:00 Asia/Shanghai"),
        ("UTC", "Wed, 03 Jan 2024 12:00:00 ET"),
    ],
)
def test_new_rules_of_a_zone_reach_the_feeds(tmp_path: Path, zone: str, date: str) -> None:
    site = make_site(
        tmp_path / "site",
        {"a.md": IN_A_ZONE.format(date)},
        f'[site]\ntitle = "T"\nurl = "https://example.org/"\ntimezone = "{zone}"\n',
    )
    used = "Asia/Shanghai" if "Asia" in zone + date else "America/New_York"
    rules = tmp_path / "zones" / used
    rules.parent.mkdir(parents=True)
    shutil.copy(WHOLE_ZONES / used, rules)
    place = {"PYTHONTZPATH": str(tmp_path / "zones")}
    run_build(site, **place)
    assert run_build(site, **place) == 0
    before = tree(site / "public")
    # The data of the zone change, and its name does not.
    shutil.copy(WHOLE_ZONES / "Asia/Tokyo", rules)
    assert run_build(site, **place) > 0
    assert tree(site / "public") != before
    assert_as_new(site, **place)
    assert run_build(site, **place) == 0
    # The same for other data in another place.
    assert run_build(site, PYTHONTZPATH=str(WHOLE_ZONES)) > 0
    assert tree(site / "public") == before


@needs_zones
def test_zone_that_appears_later_dates_its_articles(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", {"a.md": IN_A_ZONE.format("2024-01-03 12:00:00 Asia/Newtown")})
    place = {"PYTHONTZPATH": str(tmp_path / "zones")}
    (tmp_path / "zones/Asia").mkdir(parents=True)
    shutil.copy(WHOLE_ZONES / "Asia/Shanghai", tmp_path / "zones/Asia")
    run_build(site, **place)
    assert b"urn:x:1" not in (site / "public/atom.xml").read_bytes()
    shutil.copy(WHOLE_ZONES / "Asia/Tokyo", tmp_path / "zones/Asia/Newtown")
    assert run_build(site, **place) > 0
    assert b"urn:x:1" in (site / "public/atom.xml").read_bytes()


@needs_zones
def test_process_loads_changed_zones_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zoneinfo

    rules = tmp_path / "Asia/Newtown"
    rules.parent.mkdir()
    shutil.copy(WHOLE_ZONES / "Asia/Shanghai", rules)
    before = zoneinfo.TZPATH
    zoneinfo.reset_tzpath([str(tmp_path)])
    try:
        first = zones.iana_zone("Asia/Newtown")
        shutil.copy(WHOLE_ZONES / "Asia/Tokyo", rules)
        zones.forget_changed()
        second = zones.iana_zone("Asia/Newtown")
    finally:
        zoneinfo.reset_tzpath(before)
        zoneinfo.ZoneInfo.clear_cache()
        zones.loaded.clear()
    moment = NOW.replace(tzinfo=None)
    assert first is not None
    assert second is not None
    assert [zone.utcoffset(moment) for zone in (first, second)] == [timedelta(hours=8), timedelta(hours=9)]


def test_unknown_zone_names_take_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zones, "loaded", {})
    for number in range(zones._MAXIMUM_UNKNOWN + 50):
        assert zones.iana_zone(f"Nowhere/X{number}") is None
    assert len(zones.loaded) == zones._MAXIMUM_UNKNOWN


# The clock.

NOW = datetime(2024, 6, 1, tzinfo=UTC)
DAY = timedelta(days=1)


def titles(site: Path) -> list[str]:
    return sorted(item["title"] for item in json.loads((site / "public/feed.json").read_bytes())["items"])


@pytest.mark.parametrize("days", [(3, 0), (0, 3, 1, 0), (5, 3, 0, 5), (3, 3, 0, 0), (1, 4, 6, 2, 0)])
def test_clock_that_goes_back_selects_anew(tmp_path: Path, days: tuple[int, ...]) -> None:
    site = make_site(
        tmp_path / "site",
        {
            "past.md": article("past", date="2024-01-01T00:00:00Z"),
            "tomorrow.md": article("tomorrow", date="2024-06-02T00:00:00Z"),
            "expires.md": article("expires", date="2024-01-02T00:00:00Z", front="expiryDate: 2024-06-04T12:00:00Z\n"),
        },
    )
    for day in days:
        now = NOW + day * DAY
        built(site, now)
        there = {"past"} | ({"tomorrow"} if day >= 1 else set()) | ({"expires"} if day <= 3 else set())
        assert titles(site) == sorted(there), day
        assert built(site, now).written == 0


def test_restored_selection_keeps_its_moment(tmp_path: Path) -> None:
    site = make_site(tmp_path / "site", {"a.md": article("A"), "b.md": article("B", date="2024-06-02T00:00:00Z")})
    built(site, NOW + 2 * DAY)
    # The heads stay the same, so the selection is restored, three days later.
    time.sleep(0.03)
    write(site / "articles/a.md", article("A", body="<p>Other.</p>\n"))
    built(site, NOW + 5 * DAY)
    index = Index(str(site / ".feedtool/index"), user_signer())
    assert index.fact("last")["selected_at"] == int((NOW + 2 * DAY).timestamp())  # type: ignore[index]
    index.close()
    built(site, NOW)
    assert titles(site) == ["A"]
