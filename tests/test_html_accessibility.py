"""Test that bodies on HTML pages support keyboards and screen readers and stay safe."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedtool.html import Policy, clean
from feedtool.html.accessibility import add_accessibility
from feedtool.models import SafeHtml

POLICY = Policy(base_url="https://example.org/")


def test_images_get_empty_alt_and_code_gets_focus() -> None:
    body = SafeHtml(
        '<p><img src="https://a.example/b.png"> <img src="https://a.example/c.png" alt="A cat"></p><pre>x</pre>'
    )
    assert add_accessibility(body) == (
        '<p><img alt="" src="https://a.example/b.png"> '
        '<img src="https://a.example/c.png" alt="A cat"></p><pre tabindex="0">x</pre>'
    )


def test_accessible_body_is_unchanged() -> None:
    body = SafeHtml('<p>One <a href="https://a.example/">two</a></p>')
    assert add_accessibility(body) == body


NAMES = {
    '<a href="https://a.example/topic/7?x=1"><img src="https://a.example/b.png"></a>': "a.example/topic/7",
    '<a href="https://a.example/b.png"> <figure><img src="https://a.example/c.png" alt=""></figure></a>': "a.example/b.png",
    '<a href="https://a.example/%22&amp;b"></a>': "a.example/%22&amp;b",
    '<a href="mailto:ada@example.org"><img src="https://a.example/b.png"></a>': "ada@example.org",
    '<a href="https://a.example/"><img src="https://a.example/b.png" alt="A cat"></a>': None,
    '<a href="https://a.example/"><img src="https://a.example/b.png"> A cat</a>': None,
    '<a href="https://a.example/" title="A cat"><img src="https://a.example/b.png"></a>': None,
    '<a><img src="https://a.example/b.png"></a>': None,
}


@pytest.mark.parametrize("body", NAMES)
def test_image_link_without_text_gets_a_label(body: str) -> None:
    labels = re.findall(r'<a aria-label="([^"]*)"', add_accessibility(SafeHtml(body)))
    assert labels == ([NAMES[body]] if NAMES[body] else [])


WORDS = [
    "<a ",
    "href=",
    "<img ",
    "src=x",
    "alt=",
    "title=",
    '"',
    "'",
    ">",
    "</a>",
    "&quot;",
    "&",
    "#",
    "?",
    "/",
    " ",
    "<pre>",
    "x",
]


@given(
    st.lists(st.sampled_from(WORDS), max_size=30).map("".join)
    | st.text("<>/\"'= imgaltprescodjv:x&;#&lt\n", max_size=80)
)
def test_safe_body_stays_safe(text: str) -> None:
    safe = clean(text, kind="html", policy=POLICY).html
    page = add_accessibility(safe)
    again = clean(
        page,
        kind="html",
        policy=Policy(
            base_url=POLICY.base_url, attributes=(("pre", "tabindex"), ("table", "tabindex"), ("a", "aria-label"))
        ),
    )
    assert again.html == page
