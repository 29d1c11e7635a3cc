"""Test that one row adds a key of front matter from outside the package, and that no key slows heads by an oversight."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from feedtool.articles import Rules, field_table
from feedtool.articles import reader as read
from feedtool.articles.field_table import FIELDS, Field, register_field, unregister_field
from feedtool.articles.provenance import TRACKED
from feedtool.articles.rules import Head
from feedtool.articles.similar_heads import HEADS_TO_COMPILE, SimilarHeadReader
from tests.support.builds import built
from tests.support.site import article, make_site, tree, write

SUBTITLE = Field("subtitle", ("subtitle", "sub_title"), kind="text", published=("json", "pages"))


@pytest.fixture
def subtitle() -> Iterator[Field]:
    """Register the field for one test."""
    register_field(SUBTITLE)
    yield SUBTITLE
    unregister_field("subtitle")


def item(site: Path, number: int = 0) -> dict[str, Any]:
    """Return an item of the site's JSON Feed."""
    one: dict[str, Any] = json.loads((site / "public/feed.json").read_text("utf-8"))["items"][number]
    return one


def test_one_row_publishes_a_new_key(tmp_path: Path, subtitle: Field) -> None:
    site = make_site(tmp_path, {"a.md": article("A", front="Sub-Title: A <b>&  longer\tname\n")})
    write(site / "templates/article.html", "<p>{{ more.subtitle }}</p>")
    assert built(site).problems == ()
    assert item(site)["_feedtool"] == {"subtitle": "A <b>& longer name"}
    (page,) = (site / "public/articles").rglob("*.html")
    assert page.read_text("utf-8") == "<p>A &lt;b&gt;&amp; longer name</p>"


def test_first_key_with_a_value_counts(tmp_path: Path, subtitle: Field) -> None:
    site = make_site(tmp_path, {"a.md": article("A", front="sub_title: second\nsubtitle: ''\n")})
    built(site)
    assert item(site)["_feedtool"] == {"subtitle": "second"}


def test_new_key_may_begin_front_matter_without_a_fence(tmp_path: Path, subtitle: Field) -> None:
    site = make_site(tmp_path, {"a.md": "subtitle: first line\ntitle: A\ndate: 2024-01-01\n---\nText.\n"})
    built(site)
    assert item(site)["_feedtool"] == {"subtitle": "first line"}


def test_names_are_published_as_a_list(tmp_path: Path) -> None:
    register_field(Field("series", ("series",), kind="names", published=("json",)))
    try:
        site = make_site(tmp_path, {"a.md": article("A", front="series: [x, y, x]\n"), "b.md": article("B")})
        write(site / "templates/article.html", "{{ more }}")
        built(site)
        assert [item(site, number).get("_feedtool") for number in (0, 1)] == [None, {"series": ["x", "y"]}]
        assert {page.read_text("utf-8") for page in (site / "public/articles").rglob("*.html")} == {"{}"}
    finally:
        unregister_field("series")


def test_field_without_a_place_is_not_published(tmp_path: Path) -> None:
    register_field(SUBTITLE._replace(published=()))
    try:
        site = make_site(tmp_path, {"a.md": article("A", front="subtitle: kept\n")})
        built(site)
        assert "_feedtool" not in item(site)
    finally:
        unregister_field("subtitle")


def test_registered_field_reads_articles_anew(tmp_path: Path) -> None:
    site = make_site(tmp_path, {"a.md": article("A", front="subtitle: new\n")})
    built(site)
    before = tree(site / "public")
    register_field(SUBTITLE)
    try:
        built(site)
        assert item(site)["_feedtool"] == {"subtitle": "new"}
    finally:
        unregister_field("subtitle")
    built(site)
    assert tree(site / "public") == before


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (SUBTITLE._replace(name="title"), "already"),
        (SUBTITLE._replace(keys=("cover",)), "no key with a meaning"),
        (SUBTITLE._replace(keys=("draft",)), "no key with a meaning"),
        (SUBTITLE._replace(keys=("password",)), "no key with a meaning"),
        (SUBTITLE._replace(keys=("Sub-Title",)), "cannot be a name or key"),
        (SUBTITLE._replace(name="a b"), "cannot be a name or key"),
        (SUBTITLE._replace(keys=()), "code of its own"),
        (SUBTITLE._replace(kind="own"), "code of its own"),
        (SUBTITLE._replace(head="text"), "code of its own"),
        (SUBTITLE._replace(stamp=13), "code of its own"),
    ],
)
def test_row_that_would_clash_is_refused(row: Field, message: str) -> None:
    count = len(FIELDS)
    with pytest.raises(ValueError, match=message):
        register_field(row)
    assert len(FIELDS) == count


def test_unregistering_an_own_field_is_an_error() -> None:
    with pytest.raises(KeyError):
        unregister_field("title")


def slow_heads(line: str) -> int:
    """Return how many of some similar heads with this line are not read by a form, after one was learned."""
    rules = Rules(authority="example.org")
    reader = SimilarHeadReader(rules)
    data = f"---\ntitle: A\ndate: 2024-01-01 10:00:00\n{line}---\n".encode()
    slow = []

    def other(name: str, prefix: bytes | OSError) -> tuple[Any, ...]:
        assert isinstance(prefix, bytes)
        slow.append(name)
        return read.read_head(name, prefix, lambda: prefix, rules)[1:]

    names = [f"{number}.md" for number in range(HEADS_TO_COMPILE + 20)]
    rows = reader.rows("", names, [data] * len(names), other)
    assert [Head(name, *row) for name, row in zip(names, rows, strict=True)] == [
        read.read_head(name, data, lambda: data, rules) for name in names
    ]
    return len(slow) - HEADS_TO_COMPILE


def plain_line(field: Field, key: str) -> str:
    return f"{key}: https://example.org/x\n" if field.name in ("link", "id") else f"{key}: 2024-01-02 10:00:00\n"


QUICK = [
    (field, key)
    for field in FIELDS
    for key in (field.keys if field.head == "unused" else field.head_keys)
    if key not in ("title", "date")
]


@pytest.mark.parametrize(("field", "key"), QUICK, ids=[key for _, key in QUICK])
def test_every_key_but_the_ordinary_ones_keeps_heads_fast(field: Field, key: str) -> None:
    assert slow_heads(plain_line(field, key)) == 0


def test_registered_key_keeps_heads_fast(subtitle: Field) -> None:
    assert slow_heads("subtitle: x\n") == 0
    assert slow_heads("subtitle:\n- x\n- y\n") == 0
    with patch.dict(field_table.FIELD_OF_KEY, subtitle=subtitle._replace(head="ordinary")):
        assert slow_heads("subtitle: x\n") == 20


def test_heads_read_keys_of_a_text_or_list_only_if_the_table_says_so() -> None:
    for field in FIELDS:
        assert set(field.head_keys) <= set(field.keys)
        assert bool(field.head_keys) == (field.head in ("text", "list")), field.name
        assert (field.kind, field.published) == ("own", ()), field.name


def test_order_of_stamp_hashes_stays() -> None:
    # Stamps in article files have one hash for each, so the order may only grow at its end.
    assert TRACKED[:13] == (
        "title", "categories", "author", "date", "thumbnail", "link", "updated", "language", "summary", "enclosures",
        "tags", "rights", "body",
    )  # fmt: skip
