"""Test that the fast head reader, the full one and the reader of whole articles agree."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import combinations, permutations
from typing import Any
from unittest.mock import patch
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedtool.articles import Rules, similar_heads
from feedtool.articles import reader as read
from feedtool.articles.dialect import PLAIN
from feedtool.articles.field_table import KNOWN_KEYS
from feedtool.articles.identity import derived_id, quoted_stems
from feedtool.articles.rules import HEAD_SIZE, Head
from feedtool.dialects.hexo import Hexo
from feedtool.dialects.hugo import Hugo
from feedtool.dialects.jekyll import Jekyll
from feedtool.dialects.pelican import Pelican
from feedtool.html import safe_url

NAMES = st.sampled_from(
    ("a", "a, b", "'it''s'", "'a, b'", "é", "e\u0301", "上海", " x", "", "12", "no", "a <b@c.de>", "<b@c.de>")
)
DATES = st.sampled_from(
    (
        "2022-12-25T20:11:30+08:00", "2022-12-25 20:11:30", "2022-12-25", "Mon, 25 Jul 2022 12:11:30 GMT", "1658751090", "",
        "25 Dec 2022 9:11 MEZ", "2022-12-25T24:00:00Z", "2022-12-25T20:11:30Z",
        "Invalid Date", "0999-01-01T00:00:00Z", "2022-12-25T20:11:30.5Z", "2022-12-25T20:11:30+15:30", "1900-01-01 00:00:00",
    )
)  # fmt: skip
LINES = st.one_of(
    st.builds("date: {}".format, DATES),
    st.builds("{}: {}".format, st.sampled_from(sorted(KNOWN_KEYS)), st.one_of(NAMES, DATES)),
    st.builds(
        "{}:{}".format,
        st.sampled_from(sorted(KNOWN_KEYS)),
        st.lists(NAMES, max_size=3).map(lambda some: "".join("\n- " + one for one in some)),
    ),
    st.sampled_from(("categories: \n- [a, b]", "tags: {a: b}", "comments: false", "draft: true", "author: {name: x}")),
)
STEMS = st.one_of(
    st.sampled_from(("a", "2022-07-25-a", "index", "It's (1) & more", "上海：市（3）", "e\u0301 %41", "a\udcff", '"q"', "a.b")),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="/\0"), max_size=12),
)  # fmt: skip
RULES = st.builds(
    Rules,
    zone=st.sampled_from((ZoneInfo("Asia/Shanghai"), ZoneInfo("America/New_York"))),
    authority=st.just("example.org"),
    hierarchy=st.booleans(),
    dialect=st.sampled_from((PLAIN, Jekyll(), Hexo(), Hugo(), Pelican())),
)


@settings(max_examples=600, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=6), st.sampled_from(("", "_drafts/", "b/_drafts/", "上/")), STEMS, RULES)
def test_fast_and_full_head_readers_agree(lines: list[str], folder: str, stem: str, rules: Rules) -> None:
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


def test_typical_heads_use_the_fast_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    data = b"---\ntitle: 'It''s a title'\ncategories: \n - a\n - b\nauthor: c\ndate: 2022-12-25T20:11:30+08:00\n---\n\nbody\n"
    monkeypatch.setattr(read, "Fields", None)
    row = head("上/It's here.md", data, Rules(zone=ZoneInfo("UTC"), authority="example.org"))
    assert row == Head(
        "上/It's here.md", "tag:example.org,2022-12-25:It's%20here", 1671970290, 1671970290, ("a", "b"), (), ("c",), "",
        "It's a title", False, False, (),
    )  # fmt: skip


# Values of a key in a form: plain, unusual, quoted in every way, and texts that only resemble a value.
SCALARS = st.one_of(
    st.just("a"),
    NAMES,
    DATES,
    st.sampled_from(
        ("a: b", "a:", "a:b", "#a", "a #b", "a#b", "null", "~", "false", "'a", "''", '""', '"a"', '"a\\n"', "'a' ", "a ",
         "  a", "-", "- a", "[a, b]", "[a", "{a: b}", "&a", "*a", "!a b", "|", ">", "%", "@a", "`a", "a\tb", "上\u3000海", "\u2028",
         "a\x85b", "\ufeffa", "\u200ba", "\xa0a", "²", "https://example.org/a?b=c", "https://example.org/a b", "javascript:a()",
         "f47ac10b-58cc-4372-a567-0e02b2c3d479", "tag:example.org,2022:a", "'a ''b'' c'", "\n  - a\n  - b", "\n- a\n-b", "\n- a:b",
         "\n- [a]",
         "\n a: b", "\n a: b\n a: c", "\n a: b\n  c: d", "\n  a: b\n c: d", "\n a:\n - b\n c: d", "[:a]", "[a:]", "12",
         "'a & b'", "[a, 'b c']", "\n- a\n  b", "\n a", "...", "---", "a\n---", "a\n...", "\U0001f600")
    ),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\n"), max_size=8),
)  # fmt: skip
KEYS = st.sampled_from(
    ("title", "date", "categories", "tags", "author", "updated", "lastmod", "link", "guid", "id", "draft", "thumbnail",
     "comments", "Title", "params", "aliases", "image", "weight", "category", "published", "source", "last-modified-at",
     "hidden", "private", "password", "status", "expiryDate", "publishDate", "headless", "unlisted")
)  # fmt: skip
DATED = st.builds(
    "{:%Y-%m-%d}{}{:%H:%M:%S}{}".format,
    st.dates(),
    st.sampled_from(("T", " ", "t")),
    st.times(),
    st.sampled_from(("Z", "+08:00", "-03:30", "+15:30", "", ".5Z", "+0800", "+08:00 ")),
)


@settings(max_examples=1500, deadline=None)
@given(
    st.lists(
        st.tuples(KEYS, st.lists(st.one_of(SCALARS, DATED), min_size=2, max_size=3), st.sets(st.integers(0, 2))),
        max_size=6,
    ),
    st.lists(st.one_of(DATED, DATES), min_size=3, max_size=5),
    st.sampled_from(("", "_drafts/", "b/_drafts/", "上/")),
    STEMS,
    RULES,
    st.sampled_from(("---\n", "\n---\n", "\ufeff---\n", "--- \n", "---\r\n", "")),
    st.sampled_from(("\n", "\r\n")),
)
def test_similar_head_reader_agrees_with_the_full_one(
    keys: list[tuple[str, list[str], set[int]]],
    dates: list[str],
    folder: str,
    stem: str,
    rules: Rules,
    fence: str,
    end: str,
) -> None:
    reader = similar_heads.SimilarHeadReader(rules)
    name = f"{stem}.md"
    with patch.object(similar_heads, "HEADS_TO_COMPILE", 1):
        for at in (0, 1, 2):
            present = [(key, values[at % len(values)]) for key, values, absent in keys if at not in absent]
            lines = [f"date: {dates[at]}", *(f"{key}: {value}" for key, value in present)]
            data = (fence + end.join([*lines, "---", "", "# A heading\n"])).encode("utf-8", "surrogateescape")[
                :HEAD_SIZE
            ]
            row = by_form(reader, folder, name, data)
            assert row is None or row == head(folder + name, data, rules)[1:]


FORMS = (
    "title: 'It''s'\ncategories: \n - a\n - b\nheadimg: ''\nauthor: c\ncomments: false\ndate: 2022-12-25T20:11:30+08:00\n",
    'title: "A: title"\ndate: 2022-12-25 20:11:30\nlastmod: 2022-12-26T00:00:00Z\ndraft: false\ntags: [a, b]\nmore:\n  b: 1\n',
    "title: A title\ndate: Mon, 25 Jul 2022 12:11:30 GMT\ntags: a, b\n",
    "date: 2022-12-25\nguid: f47ac10b-58cc-4372-a567-0e02b2c3d479\nlink: https://a.example/b?c=d\n",
    "Title: 上\u3000海\nDate: 2022-12-25\nCategories: [a]\nimages:\n- a.png\n- b.png\nweight: 3\nid: a b\n",
)


@pytest.mark.parametrize("matter", FORMS)
@pytest.mark.parametrize("fence", ["---\n", "\n---\n", "---\r\n"])
def test_frequent_form_is_read_by_its_expression(matter: str, fence: str) -> None:
    rules = Rules(zone=ZoneInfo("Asia/Shanghai"), authority="example.org")
    reader = similar_heads.SimilarHeadReader(rules)
    data = (
        f"{fence}{matter}---\n\nbody\n".replace("\n", "\r\n" if "\r" in fence else "\n").replace("\r\r", "\r").encode()
    )
    rows = [by_form(reader, "a/", "b.md", data) for _ in range(similar_heads.HEADS_TO_COMPILE + 2)]
    if "tags: a, b" in matter:
        assert set(rows) == {None}, "the number of tags needs the full reader"
        return
    assert set(rows[: similar_heads.HEADS_TO_COMPILE]) == {None}
    assert rows[similar_heads.HEADS_TO_COMPILE :] == [head("a/b.md", data, rules)[1:]] * 2


@pytest.mark.parametrize(
    ("lines", "odd"),
    [
        ("title: a\ntags: b\n", "title: a\ntags:x: y\n"),
        ("title: a\nTAGS: b\n", "title: a\nTAGS:[a: b]\n"),
        ("title: a\nparams:\n a: b\n", "title: 12\nparams:\n a: b\n a: c\n"),
        ("title: a\nimages: [a]\n", "title: 'a & b'\nimages: [:a]\n"),
        ("title: a\nimages: [a]\n", "title: 'a & b'\nimages: [a:]\n"),
        ("title: a\nparams:\n a: b\n", "title: 'a & b'\nparams:\n" + "".join(" " * n + "a:\n" for n in range(1, 20))),
        ("title: a\ntags: [a, b]\n", f"title: '{'[' * 1001}'\ntags: [a, b]\n"),
    ],
)
def test_odd_line_is_left_to_the_full_reader(lines: str, odd: str) -> None:
    reader = similar_heads.SimilarHeadReader(Rules())
    for text in (*[lines] * (similar_heads.HEADS_TO_COMPILE + 1), odd):
        data = f"---\n{text}date: 2022-12-25\n---\n".encode()
        row = by_form(reader, "", "a.md", data)
        assert row is None or row == head("a.md", data, Rules())[1:]
    assert row is None


def test_dates_do_not_influence_each_other() -> None:
    reader = similar_heads.SimilarHeadReader(Rules())
    iso = "2022-12-25T20:11:30Z"
    for date in (
        *[iso.replace("Z", "+08:00")] * similar_heads.HEADS_TO_COMPILE,
        "25 Dec 2022 9:11 MEZ",
        iso,
        iso,
        "2022-12-31T24:00:00Z",
    ):
        data = f"---\ndate: {date}\n---\n".encode()
        row = by_form(reader, "", "a.md", data)
        assert row is None or row == head("a.md", data, Rules())[1:]


@pytest.mark.parametrize(
    "date",
    [
        "2022-12-25T24:00:00Z",
        "2022-12-25T24:00:00+08:00",
        "2022-12-25 24:00:00",
        "2022-12-25T23:59:59+08:00",
        "2022-12-25T23:59:60Z",
        "2022-02-29T00:00:00Z",
        "2024-02-29T00:00:00+08:00",
        "0999-12-25T00:00:00Z",
        "1000-01-01T00:00:00Z",
        "2199-12-31T23:59:59Z",
        "2200-01-01T00:00:00Z",
        "2022-12-25T20:11:30-00:00",
        "2022-12-25T20:11:30+08:60",
        "2022-12-25t20:11:30z",
        "2022-13-25T20:11:30Z",
    ],
)
def test_edge_dates_are_read_in_a_frequent_form(date: str) -> None:
    for zone in ("UTC", "Asia/Shanghai"):
        rules = Rules(zone=ZoneInfo(zone), authority="example.org")
        reader = similar_heads.SimilarHeadReader(rules)
        ends = ("Z", "+08:00", "", "z")
        for at in range(similar_heads.HEADS_TO_COMPILE + 8):
            by_form(reader, "", "a.md", f"---\ndate: 2022-12-{at % 28 + 1:02}T20:11:30{ends[at % 4]}\n---\n".encode())
        data = f"---\ndate: {date}\n---\n".encode()
        row = by_form(reader, "", "a.md", data)
        assert row is None or row == head("a.md", data, rules)[1:]


def test_forms_are_few_and_ordered_by_frequency() -> None:
    reader = similar_heads.SimilarHeadReader(Rules(authority="example.org"))
    orders = list(permutations(("a: 1\n", "b: 2\n", "c: 3\n", "date: 2022-12-25\n")))[:20]
    for count, order in enumerate(orders):
        data = f"---\n{''.join(order)}---\n".encode()
        rows = [by_form(reader, "", "b.md", data) for _ in range(similar_heads.HEADS_TO_COMPILE + 12)]
        assert (rows[-1] is None) == (count >= 8)
    assert reader._forms[0].fullmatch("".join(orders[7]))


def test_form_learns_optional_keys() -> None:
    rules = Rules(authority="example.org")
    reader = similar_heads.SimilarHeadReader(rules)
    lines = [
        "title: a",
        "tags:\n- b",
        "images:\n- c",
        "date: 2022-12-25",
        "link: https://d.example/",
        "draft: false",
        "e: f",
    ]

    def data(*left_out: int) -> bytes:
        return "\n".join(["---", *(line for at, line in enumerate(lines) if at not in left_out), "---", ""]).encode()

    for left_out in ((0, 6), (1, 4), (2,), (5, 0)):
        for _ in range(similar_heads.HEADS_TO_COMPILE):
            assert by_form(reader, "", "a.md", data(*left_out)) is None
        assert by_form(reader, "", "a.md", data(*left_out)) == head("a.md", data(*left_out), rules)[1:]
    assert len(reader._forms) == 1
    for one in combinations((0, 1, 2, 4, 5, 6), 3):
        assert by_form(reader, "", "a.md", data(*one)) == head("a.md", data(*one), rules)[1:]
    assert by_form(reader, "", "a.md", data(3)) is None, "without a date in the front matter the full reader is needed"


def test_unsupported_form_is_learnt_only_once(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = similar_heads.SimilarHeadReader(Rules())
    compiled_keys = []
    compiled = similar_heads._form

    def counted(keys: dict[Any, bool]) -> Any:
        compiled_keys.append(keys)
        return compiled(keys)

    monkeypatch.setattr(similar_heads, "_form", counted)
    for lines in ("a: *b\nc: d\n", "a: *b\n", "c: d\n", "a: *b\nc: d\n"):
        data = f"---\ndate: 2022-12-25\n{lines}---\n".encode()
        for _ in range(2 * similar_heads.HEADS_TO_COMPILE):
            by_form(reader, "", "a.md", data)
        reader._counts.clear()
    assert len(compiled_keys) == 3


def test_truncated_head_is_left_to_the_full_reader() -> None:
    reader = similar_heads.SimilarHeadReader(Rules())
    whole = b"---\ndate: 2022-12-25\nsummary: " + b"a" * HEAD_SIZE + b"\n---\n"
    assert [by_form(reader, "", "b.md", whole[:HEAD_SIZE]) for _ in range(similar_heads.HEADS_TO_COMPILE + 1)][
        -1
    ] is None
    tight = whole.replace(b"a" * HEAD_SIZE, b"a" * (HEAD_SIZE - 35))
    assert len(tight) == HEAD_SIZE
    assert [by_form(reader, "", "b.md", tight) for _ in range(similar_heads.HEADS_TO_COMPILE + 1)][-1] == head(
        "b.md", tight, Rules()
    )[1:]


@settings(max_examples=300, deadline=None)
@given(
    st.lists(STEMS.map("{}.md".format), max_size=5),
    st.sampled_from(("", "a/", "上 海/", "_index/")),
)
def test_ids_of_many_files_equal_those_of_each(names: list[str], folder: str) -> None:
    day = datetime(2022, 7, 25, tzinfo=UTC)
    ids = [f"tag:localhost,2022-07-25:{stem}" for stem in quoted_stems(folder, names)]
    assert ids == [derived_id(folder + name, day, Rules()) for name in names]


def test_multiline_file_name_gives_a_one_line_id() -> None:
    assert quoted_stems("a/", ["b\nc.md", "index.md", "d"]) == ["b%0Ac", "a", "d"]


@settings(max_examples=500, deadline=None)
@given(st.from_regex(similar_heads._SAFE.pattern, fullmatch=True))
def test_safe_looking_addresses_are_accepted(url: str) -> None:
    assert safe_url(url) is not None


def by_form(reader: similar_heads.SimilarHeadReader, folder: str, name: str, data: bytes) -> Any:
    """Return the row that a known form gives, or None if the full reader is needed."""
    return reader.rows(folder, [name], [data], lambda *_: None)[0]  # type: ignore[arg-type]


def head(path: str, data: bytes, rules: Rules) -> Head:
    return read.read_head(path, data, lambda: data, rules)
