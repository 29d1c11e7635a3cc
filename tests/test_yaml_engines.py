"""Both YAML engines: whatever the quick one answers, the careful one answers too; the rest is left to it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedtool.article.fences import split
from feedtool.article.fields import KNOWN
from feedtool.article.yamltext import YamlError, load_fully, normal, plain

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
def test_what_the_quick_engine_answers_the_careful_one_answers_too(text: str) -> None:
    agree(text + "\n")


@settings(max_examples=400, deadline=None)
@given(st.text(alphabet="ab:-#'\"[]{}&*!|>%@`,? \n\t\\é上\x85", max_size=40))
def test_the_engines_agree_on_any_text(text: str) -> None:
    agree(text)


@pytest.mark.parametrize(
    "file", sorted((Path(__file__).parent / "hostile" / "articles").rglob("*.md")), ids=lambda p: p.name
)
def test_the_engines_agree_on_hostile_files(file: Path) -> None:
    text = file.read_bytes().decode("utf-8-sig", "replace")
    found = split(text, KNOWN)
    if found.form == "yaml":
        agree(text[found.start : found.end])


def agree(text: str) -> None:
    quick = plain(text, KNOWN)
    if quick is None:
        return
    try:
        careful = load_fully(text)
    except YamlError as error:
        raise AssertionError(f"the careful engine refuses {text!r}: {error}") from None
    assert not careful.notes, (text, careful.notes)
    assert quick == {normal(key): value for key, value in careful.values.items() if normal(key) in KNOWN}
