"""Test that the fast YAML readers give the same values as the full one, or leave the text to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from feedtool.articles.fences import split
from feedtool.articles.field_table import KNOWN_KEYS
from feedtool.articles.yaml import YamlError, values_by_engine
from feedtool.articles.yaml_fast import normal, plain_lines
from feedtool.articles.yaml_loader import load_fully

KEYS = ("title", "date", "categories", "Tags", "author", "draft", "thumbnail", "link", "unknown", "last-modified-at")
SCALARS = (
    "plain", "'single'", '"double"', "'it''s'", '"a\\tb"', "yes", "0123", "1.10", "~", "null", "12:30", "2022-13-45",
    "a: b", "[重磅] x", "@x", "#x", "a #b", "{x}", "*x", "&x", "!x", "%x", "`x`", "- x", "? x", "| x", "> x", "", "上海：市",
    "true", "1e3", "0x1F", ".inf", "https://a.example/?b=1&c=2", "'unclosed", '"unclosed', "a\u2028b", "a\x85b", "\ufeffx",
    "a\tb", "  padded  ", "x:", "-", "--", "a - b", "a, b", "C++ & C#", "$x", "^x", "\\x", "a\\nb", '"\\ud800"', "=", "<<",
)  # fmt: skip
LINES = st.one_of(
    st.builds("{}: {}".format, st.sampled_from(KEYS), st.one_of(st.sampled_from(SCALARS), st.text(max_size=12))),
    st.builds(
        "{}:{}".format, st.sampled_from(KEYS), st.sampled_from(("", " ", "\n - a\n - b", "\n- a\n-  b", "\n  - a"))
    ),
    st.sampled_from(
        ("# comment", "", "  continued", " - item", "- item", "...", "%YAML 1.2", "title: >", "title: |\n  a")
    ),
)


@settings(max_examples=800, deadline=None)
@given(st.lists(LINES, min_size=1, max_size=6).map("\n".join))
def test_fast_and_full_yaml_readers_agree(text: str) -> None:
    agree(text + "\n")


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="ab:-#'\"[]{}&*!|>%@`,? \n\t\\é上\x85", max_size=40))
@example("&: ::")
@example("? a")
@example("%a: b")
def test_readers_agree_on_any_text(text: str) -> None:
    agree(text)


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parent / "hostile" / "articles").rglob("*.md")), ids=lambda p: p.name
)
def test_readers_agree_on_hostile_files(file: Path) -> None:
    text = file.read_bytes().decode("utf-8-sig", "replace")
    parts = split(text, KNOWN_KEYS)
    if parts.form == "yaml":
        agree(text[parts.start : parts.end])


@pytest.mark.parametrize(
    "text",
    [
        "title: 'it''s: # quoted'\ncategories: \n - 金融\n - \"來源－國內\"\nauthor: a b\ndate: 2022-12-25T20:11:30+08:00\n",
        "title: 上海：市 [重磅] (a, b) {x} c#3 http://a.example/?b=1&c=2#d\ntags:\n- a\n- 'b'  \nlink: \n",
        "author: a\ntags:\n- a\n- b\nlink:\nguid:  \n",
        "Title: no\ndate: 20221225\nlast-modified-at: 1.10\ncomments: false\nunknown:\n  - x\n  - null\n",
    ],
)
def test_typical_yaml_uses_the_fast_reader(text: str) -> None:
    assert plain_lines(text, KNOWN_KEYS) is not None
    agree(text)


@pytest.mark.parametrize(
    "text",
    [
        "title: a: b\n", "title: a #b\n", "title: a \n", "title: a:\n", "title:a\n", "title: a\n  b\n", "title: a", "title: - a\n",
        "title: a\ntitle: b\n", "tags:\n - a\n  - b\n", "tags: a\n - b\n", "tags:\n - a: b\n", "tags:\n -\n", "null: a\n",
        "title: 'a'b'\n", "title: 'a' b\n", 'title: "a\\tb"\n', 'title: "a"b"\n', "title: a\tb\n", "title: a\r\n", "title: =\n",
        "title: [a]\n", "title: a\n# b\n", "a\n", "title: a\nb\n", "a\ntitle: b\n",
        "title: a\n\n", " title: a\n", "title: \ufeffa\n", "title: a\x85b\n", "",
    ],
)  # fmt: skip
def test_ambiguous_yaml_is_left_to_the_full_reader(text: str) -> None:
    assert plain_lines(text, KNOWN_KEYS) is None


def agree(text: str) -> None:
    """Check that both fast readers agree with the full one."""
    for quick in (plain_lines(text, KNOWN_KEYS), values_by_engine(text, KNOWN_KEYS)):
        if quick is None:
            continue
        try:
            careful = load_fully(text)
        except YamlError as error:
            raise AssertionError(f"the careful engine refuses {text!r}: {error}") from None
        assert not careful.notes, (text, careful.notes)
        assert quick == {normal(key): value for key, value in careful.values.items() if normal(key) in KNOWN_KEYS}
