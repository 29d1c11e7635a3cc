"""Test that each cell in the table of readers in READERS.md is what happens when a subscription is renewed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.readerprograms import READERS, Row
from tests.support.site import ROOT, article, make_site

if TYPE_CHECKING:
    from tests.readers.conftest import Published

pytestmark = pytest.mark.readers
DATE = "2022-07-02T08:00:00+08:00"
BEFORE = {name: article(f"Article {name}", date=f"2022-07-0{n}T08:00:00+08:00") for n, name in enumerate("abc", 1)}
ID = "guid: tag:example.org,2022-07-02:b\n"
CHANGES: dict[str, str | None] = {
    "its text is edited": article("Article b", date=DATE, body="<p>Corrected.</p>\n"),
    "its text is edited and `updated` set": article(
        "Article b", date=DATE, front="updated: 2022-08-01T00:00:00Z\n", body="<p>Corrected.</p>\n"
    ),
    "its title is edited": article("A better title", date=DATE),
    "its date moves": article("Article b", date="2022-07-05T08:00:00+08:00", front=ID),
    "its id changes": article("Article b", date=DATE, front="guid: urn:example:b\n"),
    "it is deleted": None,
}


def table() -> dict[str, dict[str, str]]:
    """Return the table of READERS.md: the behaviour of each reader by change."""
    page = (ROOT / ".github/READERS.md").read_text(encoding="utf-8")
    lines = page.split("<!-- tried -->\n")[1].split("\n\n")[0].splitlines()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}


def behaviour(before: list[Row], after: list[Row]) -> str:
    """Return in the words of the table what a subscriber sees of a change."""
    old = next(row for row in before if row.title == "Article b")
    fresh = [row for row in after if row.fresh]
    if fresh:
        has_old_entry = len(after) - len(before)
        return f"shown as new{', beside the old one' if has_old_entry else ''}"
    now = [row for row in after if row.title in ("Article b", "A better title")]
    if not now:
        return "goes"
    changed = [name for name in ("text", "title", "moment") if getattr(now[0], name) != getattr(old, name)]
    words = {"text": "text", "title": "title", "moment": "date"}
    return f"the new {words[changed[0]]}, still read" if changed else "stays as it was"


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("change", CHANGES)
def test_reader_behaves_as_documented(
    change: str,
    reader: str,
    program: Callable[..., str],
    publish: Callable[[Path], Published],
    tmp_path: Path,
) -> None:
    kind = READERS[reader]
    program_path = program(kind.program)
    (tmp_path / "site").mkdir()
    (tmp_path / "reader").mkdir()
    published = publish(make_site(tmp_path / "site", {f"{name}.md": text for name, text in BEFORE.items()}))
    subscription = kind(program_path, tmp_path / "reader", published.url + "atom.xml")
    before = subscription.renew()
    assert len(before) == 3
    assert not any(row.fresh for row in subscription.renew())
    text = CHANGES[change]
    if text is None:
        (published.site / "articles/b.md").unlink()
    else:
        (published.site / "articles/b.md").write_text(text, encoding="utf-8")
    published.build()
    assert behaviour(before, subscription.renew()) == table()[change][reader]


def test_reader_table_is_complete() -> None:
    rows = table()
    assert list(rows) == list(CHANGES)
    assert all(list(row) == list(READERS) for row in rows.values())
