"""Test in Chromium, wide and narrow, light and dark, that pages are accessible (axe), fit the window and do not shift.

A screenshot of every view is stored in the folder of artifacts.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from itertools import combinations, product
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from tests.readers.conftest import missing
from tests.support import server
from tests.support.chromium import browser, chromium  # noqa: F401 - fixtures
from tests.support.gallery import make_gallery, pictures
from tests.support.site import ROOT, artifacts

if TYPE_CHECKING:
    from tests.readers.conftest import Published

pytestmark = pytest.mark.browser
AXE = ROOT / "node_modules/axe-core/axe.min.js"
VIEWS = {"desktop": (1280, 900, 1), "phone": (390, 844, 2)}
SCHEMES = ("light", "dark")
TALLEST = 4000  # pixels of the screenshot of a page


@pytest.fixture(scope="module")
def gallery(tmp_path_factory: pytest.TempPathFactory, publish: Callable[[Path], Published]) -> Iterator[Published]:
    """Return a published site with pictures, and run a server of its pictures."""
    with server.serve(pictures()) as host:
        yield publish(make_gallery(tmp_path_factory.mktemp("gallery") / "site", host.url("/")))


# The gallery has every kind of text, so its pages are viewed in both schemes at both widths. The other sites have the same
# style sheet and the same templates: with them, each width and each scheme occurs once, and so does each pair of them.
PAGE_VIEWS = [
    *(("gallery", width, scheme) for width in VIEWS for scheme in SCHEMES),
    ("example", "desktop", "dark"),
    ("example", "phone", "light"),
    ("generated", "desktop", "light"),
    ("generated", "phone", "dark"),
]
# Browsers show a feed with the same few rules of style whatever its entries are: each pair of a site, a width, a scheme and
# a format occurs, as `test_views_include_every_pair` checks, but not each combination of all four.
FEED_VIEWS = [
    ("gallery", "desktop", "light", "atom.xml"),
    ("gallery", "phone", "dark", "rss.xml"),
    ("example", "desktop", "dark", "atom.xml"),
    ("example", "phone", "light", "rss.xml"),
    ("generated", "desktop", "light", "rss.xml"),
    ("generated", "phone", "dark", "atom.xml"),
]


@pytest.mark.parametrize("views", [PAGE_VIEWS, FEED_VIEWS], ids=["pages", "feeds"])
def test_views_include_every_pair(views: list[tuple[str, ...]]) -> None:
    for first, second in combinations(zip(*views, strict=True), 2):
        assert set(zip(first, second, strict=True)) == set(product(first, second))


@pytest.fixture
def published(request: pytest.FixtureRequest, site: str) -> Published:
    """Return the published site with the name that the test's parameters give."""
    found: Published = request.getfixturevalue(site)
    return found


@pytest.fixture
def view(chromium: Any, width: str, scheme: str) -> Any:  # noqa: F811
    """Return a Chromium with that width and that preferred colour scheme."""
    _resize(chromium, width)
    media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
    chromium.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    return chromium


def _resize(driver: Any, width: str, height: int = 0) -> None:
    wide, high, scale = VIEWS[width]
    size = {"width": wide, "height": height or high, "deviceScaleFactor": scale, "mobile": width == "phone"}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)


def kinds(published: Published) -> dict[str, str]:
    """Return the path of one page of each kind: the site's index, a category with many articles, a long article."""
    pages = sorted((published.output / "articles").rglob("index.html"), key=lambda path: path.stat().st_size)
    categories = sorted((published.output / "categories").glob("*/index.html"), key=lambda path: path.stat().st_size)
    places = {"index": published.output / "index.html", "category": categories[-1], "article": pages[-1]}
    return {kind: path.relative_to(published.output).as_posix() for kind, path in places.items()}


@pytest.mark.parametrize(("site", "width", "scheme"), PAGE_VIEWS)
def test_axe_finds_no_violation_on_any_kind_of_page(published: Published, view: Any) -> None:
    if not AXE.exists():
        missing("node_modules/axe-core")
    for kind, path in kinds(published).items():
        view.get(published.url + quote(path))
        view.execute_script("for (const one of document.querySelectorAll('details')) one.open = true")
        view.execute_script(AXE.read_text(encoding="utf-8"))
        report = view.execute_async_script("axe.run({resultTypes: ['violations']}).then(arguments[0])")
        assert len(report["passes"]) > 20
        violations = [(one["id"], [node["html"] for node in one["nodes"]]) for one in report["violations"]]
        assert violations == [], (kind, path)


JUMPS = """
const done = arguments[0];
const shifts = [];
new PerformanceObserver(list => {
  for (const one of list.getEntries())
    shifts.push([one.value, ...one.sources.map(source => (source.node?.outerHTML || source.node?.data || '').slice(0, 120))]);
}).observe({type: 'layout-shift', buffered: true});
setTimeout(() => done(shifts), 300);
"""
TOO_WIDE = """
return [...document.querySelectorAll('body *')]
  .filter(one => one.getBoundingClientRect().right > document.documentElement.clientWidth + 1)
  .filter(one => !one.closest('table, pre'))
  .map(one => one.outerHTML.slice(0, 200));
"""


@pytest.mark.parametrize(("site", "width", "scheme"), PAGE_VIEWS)
def test_pages_fit_the_window_without_layout_shifts(
    published: Published, view: Any, site: str, width: str, scheme: str
) -> None:
    for kind, path in kinds(published).items():
        view.get(published.url + quote(path))
        assert view.execute_async_script(JUMPS) == [], path
        assert view.execute_script("return document.scrollingElement.scrollWidth <= innerWidth"), path
        assert view.execute_script(TOO_WIDE) == [], path
        _photograph(view, f"{site}-{kind}-{width}-{scheme}", width)
    if site == "gallery":  # the pictures of the other sites are on hosts that tests must not contact
        assert [one for one in view.get_log("browser") if one["level"] == "SEVERE"] == []


@pytest.mark.parametrize("width", VIEWS)
@pytest.mark.parametrize("site", ["gallery", "example"])
def test_slow_pages_load_without_layout_shifts(
    published: Published,
    chromium: Any,  # noqa: F811
    width: str,
) -> None:
    _resize(chromium, width)
    published.slow = True
    try:
        for path in kinds(published).values():
            chromium.get(published.url + quote(path))
            assert chromium.execute_async_script(JUMPS) == [], path
    finally:
        published.slow = False


@pytest.mark.parametrize(("site", "width", "scheme", "name"), FEED_VIEWS)
def test_feed_fits_the_window_and_shows_all_entries(
    published: Published, view: Any, site: str, width: str, scheme: str, name: str
) -> None:
    view.get(published.url + name)
    assert view.execute_script("return document.documentElement.scrollWidth <= innerWidth")
    entries = "return [...document.querySelectorAll('entry, item')].filter(one => one.clientHeight > 40).length"
    assert view.execute_script(entries) == len(json.loads(published.get("feed.json"))["items"])
    _photograph(view, f"{site}-{name.removesuffix('.xml')}-{width}-{scheme}", width)


def _photograph(driver: Any, name: str, width: str) -> None:
    """Save a screenshot of the upper part of the page, after its pictures have loaded."""
    height = driver.execute_script("return document.documentElement.scrollHeight")
    _resize(driver, width, min(height, TALLEST))
    driver.execute_async_script(
        "const done = arguments[0];"
        # Lazy pictures below the window may never load.
        "const shown = [...document.images].filter(one => one.getBoundingClientRect().top < innerHeight);"
        "Promise.race([Promise.allSettled(shown.map(one => one.decode())),"
        " new Promise(soon => setTimeout(soon, 3000))]).then(() => done());"
    )
    data = driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "png", "optimizeForSpeed": True})["data"]
    (artifacts() / f"{name}.png").write_bytes(base64.b64decode(data))
    _resize(driver, width)
