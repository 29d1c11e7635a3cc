"""An article's head is the same by the short way and by the long one, and the one that the whole article has."""

from __future__ import annotations

from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedtool.article import Rules, read
from feedtool.article.fields import KNOWN
from feedtool.article.nouns import Head

NAMES = st.sampled_from(
    ("a", "a, b", "'it''s'", "'a, b'", "é", "e\u0301", "上海", " x", "", "12", "no", "a <b@c.de>", "<b@c.de>")
)
DATES = st.sampled_from(
    (
        "2022-12-25T20:11:30+08:00", "2022-12-25 20:11:30", "2022-12-25", "Mon, 25 Jul 2022 12:11:30 GMT", "1658751090", "",
        "Invalid Date", "0999-01-01T00:00:00Z", "2022-12-25T20:11:30.5Z", "2022-12-25T20:11:30+15:30", "1900-01-01 00:00:00",
    )
)  # fmt: skip
LINES = st.one_of(
    st.builds("date: {}".format, DATES),
    st.builds("{}: {}".format, st.sampled_from(sorted(KNOWN)), st.one_of(NAMES, DATES)),
    st.builds(
        "{}:{}".format,
        st.sampled_from(sorted(KNOWN)),
        st.lists(NAMES, max_size=3).map(lambda some: "".join("\n- " + one for one in some)),
    ),
    st.sampled_from(("categories: \n- [a, b]", "tags: {a: b}", "comments: false", "draft: true", "author: {name: x}")),
)
STEMS = st.one_of(
    st.sampled_from(("a", "2022-07-25-a", "index", "It's (1) & more", "上海：市（3）", "e\u0301 %41", "a\udcff", '"q"', "a.b")),
    st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="/\0"), max_size=12),
)  # fmt: skip
RULES = st.builds(
    Rules,
    zone=st.sampled_from((ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York"))),
    authority=st.just("example.org"),
    hierarchy=st.booleans(),
    flavour=st.sampled_from(("plain", "jekyll", "hexo")),
)


@settings(max_examples=600, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=6), st.sampled_from(("", "_drafts/", "b/_drafts/", "上/")), STEMS, RULES)
def test_the_short_way_to_a_head_and_the_long_one_end_alike(
    lines: list[str], folder: str, stem: str, rules: Rules
) -> None:
    data = "\n".join(["---", *lines, "---", "", "# A heading\n"]).encode("utf-8", "surrogateescape")
    path = f"{folder}{stem}.md"
    short = head(path, data, rules)
    with patch.object(read, "_plain_head", lambda *_: None):
        assert head(path, data, rules) == short
    article, _ = read.read_article(path, data, rules)
    if article is not None and article.title == short.title:
        moments = (int(article.published.timestamp()), int(article.updated.timestamp()))
        assert (article.id, article.categories, article.tags, *moments) == (
            short.id,
            short.categories,
            short.tags,
            *short[2:4],
        )


def test_most_heads_are_made_by_the_short_way(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"---\ntitle: 'It''s a title'\ncategories: \n - a\n - b\nauthor: c\ndate: 2022-12-25T20:11:30+08:00\n---\n\nbody\n"
    monkeypatch.setattr(read, "Fields", None)
    made = head("上/It's here.md", data, Rules(zone=ZoneInfo("UTC"), authority="example.org"))
    assert made == Head(
        "上/It's here.md", "tag:example.org,2022-12-25:It's%20here", 1671970290, 1671970290, ("a", "b"), (), ("c",), "",
        "It's a title", False, False, (),
    )  # fmt: skip


def head(path: str, data: bytes, rules: Rules) -> Head:
    return read.read_head(path, data, lambda: data, rules)
