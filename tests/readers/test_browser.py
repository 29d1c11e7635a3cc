"""Test that Chromium shows a served feed as a page with a banner and titles instead of a tree of XML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.chromium import browser, chromium  # noqa: F401 - fixtures
from tests.support.site import artifacts

if TYPE_CHECKING:
    from tests.readers.conftest import Published

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("name", ["atom.xml", "rss.xml"])
def test_browser_shows_banner_and_titles_of_a_feed(
    example: Published,
    chromium: Any,  # noqa: F811
    name: str,
) -> None:
    chromium.get(example.url + name)
    shown = chromium.execute_script(SHOWN)
    assert any(example.url + name in text for text in shown["div"]), "the banner must name the address of the feed"
    assert "上海市疫情防控工作领导小组召开专题会议：以快制快处置新发疫情" in shown["title"]
    assert "Feeds 示例" in shown["title"]
    assert "This XML file does not appear to have any style information" not in chromium.page_source
    errors = [entry for entry in chromium.get_log("browser") if entry["level"] == "SEVERE"]
    assert [entry for entry in errors if "favicon.ico" not in entry["message"]] == []
    assert chromium.save_screenshot(str(artifacts() / f"browser-{name}.png"))


# The texts of all visible elements on the page, by element name.
SHOWN = """
const shown = {};
for (const element of document.querySelectorAll('*')) {
  const box = element.getBoundingClientRect();
  if (box.width > 0 && box.height > 0 && getComputedStyle(element).visibility === 'visible') {
    (shown[element.localName] ||= []).push(element.textContent.trim());
  }
}
return shown;
"""
