"""Test invariants of builds, each on one generated site: what may change the output's bytes, and what never does."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest

from tests.bench.corpus import generate
from tests.reliability.results import trials
from tests.support.site import Result, article, build, command, environment, make_site, stamps, tree, write

COUNT = 150
MANIFEST = ".feedtool-manifest"


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a built site that tests only copy."""
    site = tmp_path_factory.mktemp("origin")
    generate(site, COUNT, categories=12, body=(300, 1_500))
    write(site / "feedtool.toml", (site / "feedtool.toml").read_text("utf-8") + "[feeds]\nlimit = 10\n")
    result = build(site)
    assert result.finished, result.stderr
    assert result.json["articles"] > COUNT * 0.9
    return site


@pytest.fixture
def site(origin: Path, tmp_path: Path) -> Path:
    """Return a copy of the built site that a test may change, with the same mtimes."""
    return shutil.copytree(origin, tmp_path / "site", symlinks=True)


@pytest.fixture
def unbuilt(site: Path) -> Path:
    """Return a copy of the site without output and index."""
    return _forget(site)


@pytest.mark.parametrize(
    "env",
    [
        {"TZ": "Asia/Tokyo"},
        {"TZ": "America/St_Johns", "LC_ALL": "C"},
        {"LC_ALL": "POSIX", "PYTHONIOENCODING": "ascii"},
        {"LC_ALL": "zh_CN.GB18030", "LANG": "de_DE.UTF-8"},
        {"PYTHONHASHSEED": "1"},
        {"PYTHONHASHSEED": "4294967295", "PYTHONDONTWRITEBYTECODE": "1"},
    ],
    ids=lambda env: " ".join(f"{name}={value}" for name, value in env.items()),
)
def test_environment_changes_no_byte(env: dict[str, str], origin: Path, unbuilt: Path) -> None:
    build(unbuilt, env=env)
    assert tree(unbuilt / "public") == tree(origin / "public")


@pytest.mark.parametrize("jobs", ["1", "2", "5"])
def test_number_of_jobs_changes_no_byte(jobs: str, origin: Path, unbuilt: Path) -> None:
    result = build(unbuilt, "--jobs", jobs)
    assert tree(unbuilt / "public") == tree(origin / "public")
    assert _problems(result) == _problems(build(_forget(unbuilt)))


def test_working_directory_changes_no_byte(origin: Path, unbuilt: Path, tmp_path: Path) -> None:
    build(Path(), cwd=unbuilt)
    assert tree(unbuilt / "public") == tree(origin / "public")
    link = tmp_path / "link to the site"
    link.symlink_to(_forget(unbuilt), target_is_directory=True)
    build(link, cwd=tmp_path)
    assert tree(unbuilt / "public") == tree(origin / "public")


def test_mtimes_change_no_byte(origin: Path, unbuilt: Path) -> None:
    for number, path in enumerate(sorted((unbuilt / "articles").rglob("*.md"))):
        os.utime(path, (number * 1_000_000, 4_000_000_000 - number * 9_999_999))
    build(unbuilt)
    assert tree(unbuilt / "public") == tree(origin / "public")


def test_file_creation_order_changes_no_byte(origin: Path, tmp_path: Path) -> None:
    paths = [path for path in sorted(origin.rglob("*")) if path.is_file() and "public" not in path.parts]
    random.Random(7).shuffle(paths)
    for path in paths:
        write(tmp_path / path.relative_to(origin), path.read_bytes())
    _forget(tmp_path)
    build(tmp_path)
    assert tree(tmp_path / "public") == tree(origin / "public")


def test_second_build_writes_nothing(site: Path) -> None:
    before = stamps(site / "public")
    result = build(site)
    assert stamps(site / "public") == before
    assert (result.json["written"], result.json["removed"]) == (0, 0)
    assert result.json["unchanged"] == len(before.keys() - {MANIFEST})


def test_new_mtimes_write_nothing(site: Path) -> None:
    before, problems = stamps(site / "public"), _problems(build(site))
    for path in (site / "articles").rglob("*.md"):
        os.utime(path)
    result = build(site)
    assert stamps(site / "public") == before
    assert _problems(result) == problems


def test_cached_build_reports_the_same_problems(site: Path) -> None:
    again = build(site)
    afresh = build(_forget(site))
    assert _problems(again) == _problems(afresh)
    assert len(afresh.json["problems"]) > 0
    assert again.exit_code == afresh.exit_code


def test_edit_rewrites_only_feeds_of_the_article(site: Path) -> None:
    newest = json.loads((site / "public" / "feed.json").read_text("utf-8"))["items"][0]
    path = _file_of(site, newest["title"])
    path.write_text(path.read_text("utf-8").replace("<div>   \n", "<div>   \n<p>Edited.</p>\n"), "utf-8")
    before, files = stamps(site / "public"), tree(site / "public")
    result = build(site)
    after = stamps(site / "public")
    changed = {name for name in after if after[name] != before.get(name)}
    holders = {name for name, data in tree(site / "public").items() if b"Edited." in data}
    assert changed == holders == {name for name, data in tree(site / "public").items() if data != files.get(name)}
    assert {Path(name).name for name in holders} >= {"atom.xml", "rss.xml", "feed.json"}
    assert result.json["written"] == len(changed)
    assert tree(site / "public") == _fresh(site)


def test_deleted_cache_rewrites_nothing(site: Path) -> None:
    before = stamps(site / "public")
    shutil.rmtree(site / ".feedtool")
    build(site)
    assert stamps(site / "public") == before


@pytest.mark.parametrize("damage", [b"", b"{}", b"\0" * 100, b"SQLite format 3\0" + b"\xff" * 4096], ids=range(4))
def test_damaged_cache_changes_no_byte(damage: bytes, site: Path) -> None:
    before = tree(site / "public")
    for path in sorted((site / ".feedtool").rglob("*")):
        if path.is_file() and path.name != "lock":
            path.write_bytes(damage)
    result = build(site)
    assert result.finished, result.stderr
    assert tree(site / "public") == before


def test_foreign_output_files_are_never_touched(site: Path) -> None:
    foreign = {
        "CNAME": b"example.org\n",
        ".nojekyll": b"",
        "robots.txt": b"User-agent: *\n",
        "categories/mine.html": b"<p>mine</p>",
        "articles/photo.jpg": b"\xff\xd8",
        ".git/HEAD": b"ref",
    }
    for name, data in foreign.items():
        write(site / "public" / name, data)
    before = stamps(site / "public")
    shutil.rmtree(site / ".feedtool")
    shutil.rmtree(_a_category(site))
    build(site)
    after = stamps(site / "public")
    assert {name: after.get(name) for name in foreign} == {name: before[name] for name in foreign}


def test_vanished_category_loses_only_its_own_files(site: Path) -> None:
    category = _a_category(site)
    slug = site / "public" / "categories" / category.name.lower().replace(" ", "-")
    assert slug.is_dir()
    write(slug / "mine.txt", b"mine")
    shutil.rmtree(category)
    result = build(site)
    assert tree(slug) == {"mine.txt": b"mine"}
    assert result.json["removed"] >= 3
    write(slug / "mine.txt", b"mine")
    (slug / "mine.txt").unlink()
    slug.rmdir()
    assert tree(site / "public") == _fresh(site)


@pytest.mark.parametrize("names", ["A a", "Café Cafe\u0301", "Ａ A", "a-b a－b", "C C++ C#", "ﬁ fi", "Straße STRASSE"])
def test_similar_categories_lose_no_article(names: str, tmp_path: Path) -> None:
    articles = {
        f"{n}.md": article(f"In {n}", front=f"categories: ['{name}']\n") for n, name in enumerate(names.split(" "))
    }
    site = make_site(tmp_path, articles)
    assert build(site).finished
    feeds = [json.loads(path.read_bytes()) for path in (site / "public" / "categories").rglob("feed.json")]
    assert {item["title"] for feed in feeds for item in feed["items"]} == {f"In {n}" for n in range(len(articles))}


def test_emptied_category_leaves_no_empty_folder(site: Path) -> None:
    shutil.rmtree(_a_category(site))
    build(site)
    assert [path for path in (site / "public").rglob("*") if path.is_dir() and not any(path.iterdir())] == []


def test_symlink_in_the_output_is_not_followed(unbuilt: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (unbuilt / "public").mkdir()
    (unbuilt / "public" / "categories").symlink_to(outside, target_is_directory=True)
    result = build(unbuilt)
    assert result.exit_code in (1, 2)
    assert "Traceback" not in result.stderr
    assert tree(outside) == {}


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_killed_build_leaves_files_old_or_new(site: Path) -> None:
    settings = site / "feedtool.toml"
    old = tree(site / "public")
    texts = {False: settings.read_text("utf-8"), True: settings.read_text("utf-8").replace("Generated", "Renamed")}
    settings.write_text(texts[True], "utf-8")
    start = time.monotonic()
    build(site)
    lasts = time.monotonic() - start
    new = tree(site / "public")
    assert old.keys() == new.keys()
    rng = random.Random(9)
    for number in range(trials(10, 20)):
        settings.write_text(texts[number % 2 == 1], "utf-8")
        _start_and_kill(site, rng.uniform(0.3, 1.0) * lasts)
        output = tree(site / "public")
        assert [name for name in old if output.get(name) not in (old[name], new[name])] == []
    settings.write_text(texts[False], "utf-8")
    assert build(site).finished
    assert tree(site / "public") == old
    assert tree(site / "public") == _fresh(site)


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="needs kill -9")
def test_killed_first_build_does_not_stop_the_next(unbuilt: Path, origin: Path) -> None:
    for number in range(4):
        _start_and_kill(_forget(unbuilt), 0.2 + number * 0.1)
        result = build(unbuilt)
        assert result.finished, result.stderr
        assert tree(unbuilt / "public") == tree(origin / "public")


def test_concurrent_build_is_refused_with_a_message(tmp_path: Path) -> None:
    generate(tmp_path, 2_000, categories=12, body=(3_000, 9_000))
    with _started(tmp_path) as first:
        while first.poll() is None and not (tmp_path / ".feedtool" / "lock").exists():
            time.sleep(0.01)
        refused = None
        while refused is None and first.poll() is None:
            second = build(tmp_path)
            refused = second if second.exit_code == 2 else None
        first.wait(timeout=60)
    assert refused is not None, "the second build was never refused"
    assert first.returncode in (0, 1)
    assert "another" in refused.stderr.lower()
    assert "Traceback" not in refused.stderr


def test_stale_lock_file_stops_no_build(site: Path) -> None:
    for path in (site / ".feedtool").rglob("*lock*"):
        path.touch()
    assert build(site).finished


def _forget(site: Path) -> Path:
    for name in ("public", ".feedtool"):
        shutil.rmtree(site / name, ignore_errors=True)
    return site


def _fresh(site: Path) -> dict[str, bytes]:
    """Return the output of a first build of the same articles and settings."""
    copy = site.parent / "fresh copy"
    shutil.rmtree(copy, ignore_errors=True)
    _forget(Path(shutil.copytree(site, copy)))
    if (site / "feedtool.state").exists():
        shutil.copy(site / "feedtool.state", copy / "feedtool.state")
    build(copy)
    return tree(copy / "public")


def _problems(result: Result) -> list[tuple[object, ...]]:
    return [tuple(problem[key] for key in ("file", "line", "code", "message")) for problem in result.json["problems"]]


def _file_of(site: Path, title: str) -> Path:
    number = title[title.rindex("(" if "(" in title else "（") + 1 : -1]
    return next(path for path in (site / "articles").rglob("*.md") if path.stem.strip('"')[:-1].endswith(number))


def _a_category(site: Path) -> Path:
    """Return the folder of one of the narrowest categories, whose name no other article has."""
    return next(path for path in sorted((site / "articles").rglob("Wire*")) if path.is_dir())


def _started(site: Path) -> subprocess.Popen[bytes]:
    words = command("build", "-C", str(site), "--jobs", "1", "--quiet")
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment())


def _start_and_kill(site: Path, after: float) -> None:
    process = _started(site)
    time.sleep(after)
    process.kill()
    process.wait()
