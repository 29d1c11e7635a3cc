"""Test fences of front matter: which line closes which, and the cost of long fences."""

from __future__ import annotations

import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedtool.articles import Rules, read_article
from feedtool.articles.fences import split
from feedtool.articles.field_table import KNOWN_KEYS

HEAD = "title: T\ndate: 2024-02-03T04:05:06Z\n"


def body_of(text: str) -> str | None:
    """Return the body of an article, or None if its front matter cannot be read."""
    article, _ = read_article("a.md", text.encode(), Rules())
    return None if article is None else article.body.strip("\n")


@pytest.mark.parametrize("length", [3, 4, 5, 80, 300, 5_000])
def test_fence_of_any_length_closes(length: int) -> None:
    fence = "-" * length
    assert body_of(f"{fence}\n{HEAD}{fence}\nText.\n") == "Text."


def test_fence_of_another_length_does_not_close() -> None:
    assert body_of(f"-----\n{HEAD}---\nText.\n") is None
    assert body_of(f"---\n{HEAD}-----\nText.\n") is None


@pytest.mark.parametrize("sign", ["-", "+", ";"])
def test_only_the_same_characters_close_a_fence(sign: str) -> None:
    for other in {"-", "+", ";"} - {sign}:
        assert split(f"{sign * 3}\na\n{other * 3}\n{sign * 3}\nb", KNOWN_KEYS).body == 14


def test_three_dots_close_only_three_dashes() -> None:
    assert body_of(f"---\n{HEAD}...\nText.\n") == "Text."
    assert body_of(f"----\n{HEAD}...\nText.\n") is None


def test_long_rule_in_a_body_is_kept() -> None:
    rule = "-" * 300
    assert body_of(f"---\n{HEAD}---\nOne.\n\n{rule}\n\nTwo.\n") == f"One.\n\n{rule}\n\nTwo."


@pytest.mark.parametrize("sign", ["-", "+", ";"])
def test_very_long_fence_costs_little_memory(sign: str) -> None:
    fence = sign * 4_000_000
    for text in (fence, f"{fence}\n", f"{fence}\n{HEAD}{fence}"):
        tracemalloc.start()
        try:
            parts = split(text, KNOWN_KEYS)
            # Two copies of the fence are allowed: that of the first line and that of the last.
            assert tracemalloc.get_traced_memory()[1] < 3 * len(fence)
        finally:
            tracemalloc.stop()
        assert parts.unclosed == (HEAD not in text)


@given(st.text(alphabet="-+;. \t\r\nab:\ufeff", max_size=200))
def test_body_begins_after_its_front_matter(text: str) -> None:
    parts = split(text, KNOWN_KEYS)
    assert 0 <= parts.start <= parts.end <= parts.body <= len(text)
