"""Lazy pictures that are woken without a parser come out as those that a parser woke."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from feedtool.html.lazy import WAKING, awake
from feedtool.html.policy import Policy
from feedtool.html.repair import Need, look_at, needed, repair
from feedtool.html.sanitize import sanitizer

POLICY = Policy(base_url="https://example.org/a/", drop_trackers=False)
ADDRESSES = (
    "",
    "#",
    "a.png",
    "/b.jpg",
    "//img.example.com/c.webp",
    "https://img.example.com/d.png?x=1&amp;y=2",
    "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
    "https://img.example.com/blank.gif",
    "javascript:1",
    "{url}",
    "图/中文.png",
    "e.png 2x, f.png 3x",
)
names = st.sampled_from(("src", "srcset", "alt", "class", "width", "loading", "cms-style", *sorted(WAKING)))
pictures = st.builds(
    lambda pairs, end: "<img" + "".join(f' {name}="{value}"' for name, value in pairs) + end,
    st.lists(st.tuples(names, st.sampled_from((*ADDRESSES, "lazy", "640", "it's a 图"))), max_size=5),
    st.sampled_from((">", "/>", " />", "\n>")),
)
bodies = st.lists(
    st.one_of(
        pictures, st.sampled_from(("<p>", "</p>", "text", "　文", "<br>", "<!-- x -->", "<a href='/x'>", "</a>"))
    ),
    max_size=8,
).map("".join)


@settings(max_examples=500, deadline=None)
@given(bodies)
def test_pictures_woken_without_a_parser_are_those_that_the_tree_wakes(body: str) -> None:
    look = look_at(body)
    woken = awake(body, look.pictures)
    if needed(look, POLICY) is Need.WAKING and woken is not None:
        sanitize = sanitizer(POLICY)
        assert sanitize(woken) == sanitize(repair(body, look, POLICY, [])[0])


def test_a_picture_that_is_not_plain_to_see_is_left_to_a_parser() -> None:
    for odd in (
        '<img data-src="a.png" DATA-ORIGINAL="b.png">',
        "<img data-src='a.png'>",
        "<img data-src=a.png>",
        '<img data-src="a.png?x&y">',
        '<img data-src="a.png" data-src="b.png">',
        '<img data-src="a.png"',
        '<IMG data-src="a.png">',
        '<img alt="a > b" data-src="a.png">',
    ):
        look = look_at(odd)
        assert awake(odd, look.pictures) is None, odd


def test_what_waits_takes_the_place_of_what_stands_for_it() -> None:
    body = '<p>x <img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" data-src="/a.png?b&amp;c" alt="d"/> y</p>'
    assert awake(body, 1) == '<p>x <img src="/a.png?b&amp;c" data-src="/a.png?b&amp;c" alt="d"> y</p>'
