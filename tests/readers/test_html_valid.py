"""Test with the Nu HTML Checker of the W3C that the HTML, CSS and SVG of every page have no errors."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.readers.conftest import missing
from tests.support.gallery import make_gallery
from tests.support.site import ROOT, build

if TYPE_CHECKING:
    from tests.readers.conftest import Published

pytestmark = [pytest.mark.browser, pytest.mark.slow]
CHECKER = ROOT / "node_modules/vnu-jar/build/dist/vnu.jar"


@pytest.fixture
def check(program: Callable[..., str]) -> Callable[[Path], list[str]]:
    """Return a function that checks the pages and style sheets below a folder and returns the errors."""
    java = program("java")
    if not CHECKER.exists():
        missing("node_modules/vnu-jar")

    def errors(folder: Path) -> list[str]:
        words = [
            java,
            "-Xss8m",
            "-jar",
            str(CHECKER),
            "--format",
            "json",
            "--also-check-css",
            "--skip-non-html",
            str(folder),
        ]
        done = subprocess.run(words, capture_output=True, timeout=240, check=False)
        messages = json.loads(done.stderr)["messages"]
        return [
            f"{one.get('url')}:{one.get('lastLine')}: {one['message']}" for one in messages if one["type"] != "info"
        ]

    return errors


@pytest.mark.parametrize("site", ["example", "generated"])
def test_every_page_of_a_published_site_is_valid(
    request: pytest.FixtureRequest, check: Callable[[Path], list[str]], site: str
) -> None:
    published: Published = request.getfixturevalue(site)
    assert len(list(published.output.rglob("*.html"))) > 5
    assert check(published.output) == []


def test_pages_of_every_kind_of_text_are_valid(tmp_path: Path, check: Callable[[Path], list[str]]) -> None:
    site = make_gallery(tmp_path / "site", "https://pictures.example.org/")
    assert build(site).finished
    assert check(site / "public") == []


def test_html_checker_finds_errors(tmp_path: Path, check: Callable[[Path], list[str]]) -> None:
    (tmp_path / "index.html").write_text("<!DOCTYPE html><title>x</title><p><img src=x></b>", encoding="utf-8")
    (tmp_path / "site.css").write_text("p { colour: red }", encoding="utf-8")
    errors = check(tmp_path)
    assert any("alt" in one for one in errors)
    assert any("colour" in one for one in errors)
