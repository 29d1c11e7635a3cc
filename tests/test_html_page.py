"""Bodies on pages of ours: what keyboards and screen readers need is there, and nothing unsafe came with it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from feedtool.html import Policy, clean
from feedtool.html.page import for_page
from feedtool.model import SafeHtml

POLICY = Policy(base_url="https://example.org/")


def test_pictures_get_an_empty_alternative_and_wide_things_the_focus() -> None:
    body = SafeHtml(
        '<p><img src="https://a.example/b.png"> <img src="https://a.example/c.png" alt="A cat"></p><pre>x</pre>'
    )
    assert for_page(body) == (
        '<p><img alt="" src="https://a.example/b.png"> '
        '<img src="https://a.example/c.png" alt="A cat"></p><pre tabindex="0">x</pre>'
    )


def test_a_body_that_needs_nothing_stays_as_it_is() -> None:
    body = SafeHtml('<p>One <a href="https://a.example/">two</a></p>')
    assert for_page(body) == body


@given(st.text(alphabet="<>/\"'= imgaltprescodjv:x&;#&lt\n", max_size=80))
def test_what_was_safe_stays_safe(text: str) -> None:
    safe = clean(text, kind="html", policy=POLICY).html
    page = for_page(safe)
    again = clean(
        page,
        kind="html",
        policy=Policy(base_url=POLICY.base_url, attributes=(("pre", "tabindex"), ("table", "tabindex"))),
    )
    assert again.html == page
