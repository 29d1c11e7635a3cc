"""Test the columns that sfeed prints for served feeds."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.readers.conftest import Published

pytestmark = pytest.mark.readers
COLUMNS = ("timestamp", "title", "link", "content", "content-type", "id", "author", "enclosure", "category")


def _rows(text: str) -> list[dict[str, str]]:
    rows = [line.split("\t") for line in text.splitlines()]
    assert all(len(row) == len(COLUMNS) for row in rows)
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows]


@pytest.mark.parametrize("name", ["atom.xml", "rss.xml"])
@pytest.mark.parametrize("site", ["example", "generated"])
def test_sfeed_prints_a_complete_row_per_entry(
    request: pytest.FixtureRequest, program: Callable[..., str], site: str, name: str
) -> None:
    published: Published = request.getfixturevalue(site)
    sfeed = subprocess.run([program("sfeed")], input=published.get(name), capture_output=True, timeout=60, check=True)
    rows = _rows(sfeed.stdout.decode())
    items = json.loads(published.get("feed.json"))["items"]
    assert [row["title"] for row in rows] == [item["title"] for item in items]
    assert [row["id"] for row in rows] == [item["id"] for item in items]
    moments = [int(datetime.fromisoformat(item["date_published"]).timestamp()) for item in items]
    assert [int(row["timestamp"]) for row in rows] == moments == sorted(moments, reverse=True)
    assert [row["author"] for row in rows] == [item["authors"][0]["name"] for item in items]
    assert [row["category"].split("|") if row["category"] else [] for row in rows] == [
        item.get("tags", []) for item in items
    ]
    assert {row["content-type"] for row in rows} == {"html"}


def test_sfeed_update_adds_nothing_for_unchanged_feed(
    example: Published, program: Callable[..., str], tmp_path: Path
) -> None:
    program("curl")
    settings = tmp_path / "sfeedrc"
    settings.write_text(
        f'sfeedpath="{tmp_path}/feeds"\nfeeds() {{\n\tfeed "example" "{example.url}atom.xml"\n}}\n', encoding="utf-8"
    )
    texts = []
    for _ in range(2):
        subprocess.run([program("sfeed_update"), str(settings)], timeout=60, check=True, capture_output=True)
        texts.append((tmp_path / "feeds" / "example").read_text(encoding="utf-8"))
        example.build()
    titles = [row["title"] for row in _rows(texts[0])]
    assert "上海市疫情防控工作领导小组召开专题会议：以快制快处置新发疫情" in titles
    assert texts[1] == texts[0]
