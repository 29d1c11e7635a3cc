"""Test that generators' settings files are followed or reported, read within bounds, and never executed."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from feedtool.articles import Rules, read_article
from feedtool.dialects.config import is_safe_pattern
from feedtool.dialects.globs import matches, matches_above
from feedtool.dialects.literals import COMPUTED, literals
from feedtool.dialects.pelican import load
from tests.support.site import build, make_site, write

JEKYLL = '[articles]\nflavour = "jekyll"\npath = "_posts"\n'
POST = "---\ntitle: A\n---\nsecret\n"


def jekyll(folder: Path, config: str | None) -> Path:
    site = make_site(folder, {}, JEKYLL)
    write(site / "_posts/2024-03-05-a.md", POST)
    if config is not None:
        write(site / "_config.yml", config)
    return site


@pytest.mark.parametrize(
    "config",
    [
        "x: &d {published: false}\ndefaults: [{scope: {path: ''}, values: *d}]\n",
        "x: &d\n  published: false\ndefaults:\n- scope: {path: ''}\n  values:\n    <<: *d\n    author: R\n",
        "# " + "x" * 70_000 + "\ndefaults: [{values: {published: false}}]\n",
        "defaults: [{scope: {path: ''}, values: {published: null}}]\n",
        "exclude: ['*.md']\n",
        "collections_dir: col\ndefaults: [{scope: {path: col/_posts}, values: {published: false}}]\n",
    ],
)
def test_settings_in_every_form_hide_articles(config: str, tmp_path: Path) -> None:
    site = jekyll(tmp_path, config)
    assert build(site).json["articles"] == 0


@pytest.mark.parametrize(
    "config", ["defaults: [\n", "a: b: c\n", "a: &a [*a]\nb: *c\n", "\tx: y\n", "a: b\n---\nc: d\n"]
)
def test_unreadable_settings_stop_the_build(config: str, tmp_path: Path) -> None:
    site = jekyll(tmp_path, config)
    done = build(site)
    assert done.exit_code == 2
    assert "_config.yml" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (site / "public").exists()


def test_alias_bomb_in_settings_is_refused_quickly(tmp_path: Path) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    started = time.process_time()
    done = build(jekyll(tmp_path, "\n".join(lines) + "\n"))
    assert done.exit_code == 2
    assert time.process_time() - started < 5


def test_symlinked_or_special_settings_stop_the_build(tmp_path: Path) -> None:
    site = jekyll(tmp_path / "site", None)
    elsewhere = tmp_path / "elsewhere.yml"
    write(elsewhere, "defaults: [{values: {author: STOLEN}}]\n")
    (site / "_config.yml").symlink_to(elsewhere)
    assert build(site).exit_code == 2
    (site / "_config.yml").unlink()
    os.mkfifo(site / "_config.yml")
    assert build(site).exit_code == 2


PYTHON = {
    "D = dict(status='draft')": {"D": {"status": "draft"}},
    "D: dict = {'status': 'draft'}": {"D": {"status": "draft"}},
    "D = {}\nD['status'] = 'draft'": {"D": {"status": "draft"}},
    "D = {}\nD.update({'status': 'draft'})": {"D": {"status": "draft"}},
    "D = {}\nD.update(status='draft')": {"D": {"status": "draft"}},
    "S = 'draft'\nD = {'status': S}": {"S": "draft", "D": {"status": "draft"}},
    "P = ['pages']\nP += ['blog']": {"P": ["pages", "blog"]},
    "P = ['a']\nP.append('b')": {"P": ["a", "b"]},
    "if True:\n    D = 1\nelse:\n    D = 2": {"D": 1},
    "import os\nif os.name:\n    D = {'status': 'draft'}": {"D": COMPUTED, "os": COMPUTED},
    "D = f()": {"D": COMPUTED},
    "D = {'a': f()}\nE = D": {"D": COMPUTED, "E": COMPUTED},
    "for x in (1,):\n    D = x": {"D": COMPUTED, "x": COMPUTED},
    "D = {}\nD.update(f())": {"D": COMPUTED},
    "A, B = 1, 2": {"A": COMPUTED, "B": COMPUTED},
    "D = 'x' * 3": {"D": COMPUTED},
}


@pytest.mark.parametrize(("text", "values"), PYTHON.items())
def test_python_settings_are_read_without_execution(text: str, values: dict[str, object]) -> None:
    assert literals(text) == values


@pytest.mark.parametrize(
    "text", ["DEFAULT_METADATA = f()", "PATH_METADATA = f()", "PATH_METADATA = r'(a+)+(?P<slug>c)'"]
)
def test_article_with_unsure_status_is_withheld(text: str) -> None:
    rules = load(lambda name: text.encode() if name == "pelicanconf.py" else None, "content")
    assert rules.unsure
    for status, is_kept in (("", True), ("Status: published\n", False), ("Status: draft\n", True)):
        article, _ = read_article("a.md", f"Title: A\nDate: 2024-03-05\n{status}\nx\n".encode(), Rules(dialect=rules))
        assert article is not None
        assert bool(article.withheld) is is_kept


@pytest.mark.parametrize(
    ("glob", "path", "fits"),
    [
        ("a*c", "abbc", True), ("a*c", "ab/c", False), ("a**c", "ab/c", True), ("**/c", "c", True), ("**/c", "a/b/c", True),
        ("a/**/c", "a/c", True), ("a?c", "abc", True), ("a?c", "a/c", False), ("[ab]c", "bc", True), ("[!ab]c", "bc", False),
        ("[a-c]x", "bx", True), ("{a,b/c}d", "b/cd", True), ("{a,b}{c,d}", "bd", True), ("a.b", "axb", False), ("", "", True),
        ("*", "", True), ("a*", "b", False), ("**", "a/b", True), ("[", "[", True), ("{a", "{a", True),
    ],
)  # fmt: skip
def test_globs_match_paths(glob: str, path: str, fits: bool) -> None:
    assert matches(path, glob) is fits


def test_ruby_star_matches_slashes() -> None:
    assert matches("a/b.md", "*.md", crosses=True)
    assert matches_above("a/b/c", "a/b")
    assert not matches_above("ab/c", "a")


def test_globs_are_matched_quickly() -> None:
    started = time.process_time()
    assert not matches("a" * 250, "*a" * 200 + "b")
    assert not matches("a" * 250, "{a,b}" * 80)
    assert not matches("a/" * 120, "**/" * 100 + "b")
    assert time.process_time() - started < 2


@pytest.mark.parametrize(
    ("pattern", "quick"),
    [
        (r"\.tmp$", True), (r"(?P<category>[^/]*)/(?P<date>\d{4}-\d{2}-\d{2})/.*", True), ("(a+)+c", False), ("(a*)*", False),
        ("(a|b*)+", False), (".*.*.*.*x", False), ("a{1,10}b", True), ("(", False), ("x" * 501, False),
        ("(?:a{30,60}){30,60}", False),
    ],
)  # fmt: skip
def test_only_fast_expressions_are_searched(pattern: str, quick: bool) -> None:
    assert is_safe_pattern(pattern) is quick


@pytest.mark.parametrize(
    ("front", "is_hidden"),
    [
        ("draft: true\ndraft: false", True), ("draft: false\ndraft: true", True), ("Draft: true\ndraft: false", True),
        ("published: false\npublished: true", True), ("published: true\npublished: false", True),
        ("password: x\npassword:", True), ("draft: false\ndraft: false", False), ("hidden: true\nhidden: no", True),
        ("title: a: b\ndraft: true\ndraft: false", True),
    ],
)  # fmt: skip
def test_hiding_key_wins_over_publishing_key(front: str, is_hidden: bool) -> None:
    data = f"---\n{front}\ndate: 2024-03-05\n---\nx\n".encode()
    article, _ = read_article("a.md", data, Rules())
    assert article is not None
    assert bool(article.withheld) is is_hidden
