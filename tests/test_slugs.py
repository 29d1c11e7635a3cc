"""Test that slugs are safe on every file system, distinct, short, and rarely change."""

from __future__ import annotations

import random
import re
import unicodedata
from urllib.parse import quote, unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedtool.slugs import collision_key, file_name, quote_path, slug, slugs

ANY = st.text(st.characters(exclude_categories=()), max_size=60)
TRICKY = st.text(
    st.sampled_from("aAbßﬁ-_. －．/\\:\u0301\u200b\u202e\ufe0f\ud800\uffff\U0001f468\u200dİıΣςCON1¹+#\x00é😀国"),
    max_size=12,
)
NAMES = ANY | TRICKY

UNSAFE = re.compile(
    '[<>:"/\\\\|?*\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]'
)
RESERVED = {"con", "prn", "aux", "nul", *(f"{p}{n}" for p in ("com", "lpt") for n in "0123456789¹²³")}


def assert_safe(name: str) -> None:
    assert name
    assert not UNSAFE.search(name)
    assert name[0] not in "-._ "
    assert name[-1] not in "-. "
    assert name.split(".")[0].rstrip().lower() not in RESERVED
    assert unicodedata.is_normalized("NFC", name)
    name.encode()


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("金融", "金融"),
        ("新浪财经－国內", "新浪财经－国內"),
        ("Open Source", "open-source"),
        ("a\u3000b", "a-b"),
        ("a - b", "a-b"),
        ("  padded  ", "padded"),
        ("C", "c"),
        ("node.js", "node.js"),
        ("a--b", "a--b"),
        ("snake_case", "snake_case"),
        ("Straße", "straße"),
        ("e\u0301te\u0301", "été"),
        ("😀", "😀"),
        ("－", "－"),
        ("C++", "c-<h>"),
        ("C#", "c-<h>"),
        ("R&D", "r-d-<h>"),
        (".NET", "net-<h>"),
        ("_drafts", "drafts-<h>"),
        ("a..b", "ab-<h>"),
        ("../../etc/passwd", "etc-passwd-<h>"),
        ("-", "<h>"),
        ("", "<h>"),
        ("???", "<h>"),
        ("\ud800", "<h>"),
        ("a\u202eb", "ab-<h>"),
        ("a\u200bb", "ab-<h>"),
        ("CON", "con-<h>"),
        ("con.txt", "con-txt-<h>"),
        ("COM¹", "com¹-<h>"),
        ("index.html", "index-html-<h>"),
        ("atom.xml", "atom-xml-<h>"),
        ("国" * 200, "国" * 24 + "-<h>"),
        ("a" * 80, "a" * 80),
        ("a" * 81, "a" * 73 + "-<h>"),
        ("a" * 71 + "e\u0328\u0301" * 9, "a" * 71 + "-<h>"),
    ],
)
def test_slug_keeps_safe_characters_and_hashes_others(name: str, expected: str) -> None:
    pattern = re.escape(expected).replace(re.escape("<h>"), "[0-9a-f]{6}")
    assert re.fullmatch(pattern, slug(name)), slug(name)


def test_slug_hash_never_changes() -> None:
    assert (slug("C++"), slug("C#"), slug("")) == ("c-62420a", "c-0f1572", "cec7ea")


@given(NAMES)
@example("con.\u0301")
@example("=\u0338")
def test_slug_is_safe_short_lowercase_and_stable(name: str) -> None:
    result = slug(name)
    assert_safe(result)
    assert len(result.encode()) <= 80
    assert slug(result) == result
    assert slug(unicodedata.normalize("NFD", name)) == result


@given(st.lists(NAMES, max_size=12), st.randoms(use_true_random=False))
def test_slugs_are_distinct_on_any_file_system(names: list[str], chance: random.Random) -> None:
    result = slugs(names)
    assert set(result) == set(names)
    distinct = {unicodedata.normalize("NFC", name) for name in names}
    folded = {unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", s).casefold()) for s in result.values()}
    assert len(folded) == len(distinct)
    for text in result.values():
        assert_safe(text)
        assert len(text.encode()) <= 80
    shuffled = list(names) * 2
    chance.shuffle(shuffled)
    assert list(slugs(shuffled).items()) == list(result.items())


@given(st.lists(NAMES, max_size=8), NAMES)
def test_added_name_moves_only_similar_names(names: list[str], other: str) -> None:
    before, after = slugs(names), slugs([*names, other])
    for name in names:
        if before[name] != after[name]:
            assert collision_key(before[name]) == collision_key(slug(other)) or collision_key(
                before[name]
            ) == collision_key(after[other])
            assert not name == slug(name) == collision_key(name)


@pytest.mark.parametrize(
    ("plain", "other"),
    [("c", "C"), ("fi", "ﬁ"), ("ss", "ß"), ("finance", "Finance"), ("a-b", "a b"), ("1", "①"), ("アイ", "ｱｲ")],
)
def test_plainest_of_similar_names_keeps_its_slug(plain: str, other: str) -> None:
    result = slugs([other, plain])
    assert result[plain] == plain
    assert re.fullmatch(re.escape(slug(other)) + "-[0-9a-f]{6}", result[other])
    assert slugs([other])[other] == slug(other)


def test_problematic_names_get_distinct_slugs() -> None:
    names = [
        "C",
        "C++",
        "C#",
        "c",
        "－",
        "-",
        "ﬁ",
        "fi",
        "ß",
        "ss",
        "SS",
        "I",
        "ı",
        "İ",
        "i",
        "😀",
        "😁",
        "👨‍👩‍👧",
        "x" * 200,
        "x" * 201,
    ]
    result = slugs(names)
    assert len({collision_key(text) for text in result.values()}) == len(names)
    assert result["C++"] == slug("C++")
    assert result["c"] == "c"


def test_nfc_and_nfd_forms_are_one_name() -> None:
    result = slugs(["\u00e9t\u00e9", "e\u0301te\u0301"])
    assert set(result.values()) == {"\u00e9t\u00e9"}


def test_name_equal_to_a_hashed_slug_keeps_it() -> None:
    rival = slug("C++")
    result = slugs(["C++", rival])
    assert result[rival] == rival
    assert re.fullmatch("c-[0-9a-f]{16}", result["C++"])


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("上海市疫情防控工作领导小组召开专题会议：以快制快", "上海市疫情防控工作领导小组召开专题会议：以快制快.md"),
        ('He said "no"', "He-said-no.md"),
        ("AC/DC: Live?", "AC-DC-Live.md"),
        ("Q&A (part 1), it's over!", "Q&A-(part-1),-it's-over!.md"),
        ("..hidden.", "hidden.md"),
        ("v1.2.3", "v1.2.3.md"),
        ("a\x00b\u202ec", "abc.md"),
        ("NUL", "NUL-<h>.md"),
        ("con.x", "con-x-<h>.md"),
        ("///", "<h>.md"),
        ("国" * 100, "国" * 63 + "-<h>.md"),
    ],
)
def test_file_name_keeps_case_and_safe_characters(title: str, expected: str) -> None:
    pattern = re.escape(expected).replace(re.escape("<h>"), "[0-9a-f]{6}")
    assert re.fullmatch(pattern, file_name(title)), file_name(title)


@given(NAMES | ANY.map(lambda text: text * 9), st.integers(12, 255))
def test_file_name_is_safe_and_within_its_limit(title: str, limit: int) -> None:
    result = file_name(title, suffix=".html", limit=limit)
    assert_safe(result)
    assert len(result.encode()) <= limit


def test_too_small_limit_is_refused() -> None:
    with pytest.raises(ValueError, match="is too small for a name"):
        file_name("x", limit=8)


@given(st.text())
def test_quoted_path_matches_urllib_and_reads_back(path: str) -> None:
    assert quote_path(path) == quote(path, safe="/")
    assert unquote(quote_path(path)) == path


def test_quoted_path_accepts_lone_surrogates() -> None:
    assert quote_path("categories/c#/\ud800") == "categories/c%23/%3F"


def test_hostile_names_take_linear_time() -> None:
    for text in ("- " * 100_000, "\u0301" * 100_000, "." * 100_000, "a\u200b" * 100_000, " " * 200_000 + "x"):
        slug(text)
        file_name(text)
