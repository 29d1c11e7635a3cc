"""Test that lazy images loaded without a parser equal those loaded with one."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedtool.html.lazy_images import LAZY_ATTRIBUTES, load_lazy_images_without_parser
from feedtool.html.pipeline import clean
from feedtool.html.policy import Policy
from feedtool.html.repair import Need, needed, repair, scan_body, without_style_sheets
from feedtool.html.sanitize import sanitizer
from feedtool.html.stability import is_stable

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
names = st.sampled_from(("src", "srcset", "alt", "class", "width", "loading", "cms-style", *sorted(LAZY_ATTRIBUTES)))
pictures = st.builds(
    lambda pairs, end: "<img" + "".join(f' {name}="{value}"' for name, value in pairs) + end,
    st.lists(st.tuples(names, st.sampled_from((*ADDRESSES, "lazy", "640", "it's a 图"))), max_size=5),
    st.sampled_from((">", "/>", " />", "\n>")),
)
scraps = st.sampled_from(("<p>", "</p>", "text", "　文", "<br>", "<!-- x -->", "<a href='/x'>", "</a>"))
nests = st.sampled_from(
    (
        "<div>",
        "</div>",
        "<table>",
        "<td>",
        "</table>",
        "<h2>",
        "</h2>",
        "<li>",
        "<b>",
        "</b>",
        "<i>",
        "</i>",
        "<em>",
        " ",
    )
)
styles = st.sampled_from(
    (
        *(
            "<style>a > b{x:y}</style>\n<div>",
            '</p><style type="text/css"></style> <p>',
            "</p>\n<style>x</style>\n<img >",
        ),
        *(" <style>", "</style>", "</p><style><img></style><p>", "<style hidden></style>", "<style>--></style> <div>"),
        *(
            "<p a=x</p><style></style><p>",
            "</p><style></style><p style='display&#58;none'>",
            """<p a='"' title="x</p>""",
        ),
        *("</p><STYLE>&lt;</STYLE> <p>", '<a title="</p>', '<p><style></style><div title="x">'),
    )
)
bodies = st.lists(st.one_of(pictures, scraps), max_size=8).map("".join)


@settings(max_examples=500, deadline=None)
@given(bodies)
def test_parserless_lazy_images_equal_parsed_ones(body: str) -> None:
    scan = scan_body(body)
    loaded = load_lazy_images_without_parser(body, scan.pictures)
    if needed(scan, POLICY) is Need.LAZY_IMAGES and loaded is not None:
        sanitize = sanitizer(POLICY)
        assert sanitize(loaded) == sanitize(repair(body, scan, POLICY, [])[0])


@settings(max_examples=500, deadline=None)
@given(styles, st.lists(st.one_of(pictures, scraps, nests, styles), max_size=10))
def test_parserless_style_removal_equals_parsing(first: str, rest: list[str]) -> None:
    body = first + "".join(rest)
    scan = scan_body(body)
    bare = without_style_sheets(body, scan, POLICY)
    sanitize = sanitizer(POLICY)
    if bare is not None and is_stable(sanitize(bare)):
        assert sanitize(bare) == sanitize(repair(body, scan, POLICY, [])[0])
    # A request for the list of removals always repairs with a parser.
    explained = clean(body, kind="html", policy=POLICY, explain=True)
    assert clean(body, kind="html", policy=POLICY).html == explained.html


SHEET = "</p><style>b{}</style><p"
LAZY = '<p><img data-src="https://e.org/a.png"></p>'


@pytest.mark.parametrize(
    "body",
    [
        f'<p>a{SHEET} style="display&#58;none">x</p><p>{"long text " * 20}</p>{LAZY}',
        f'<p>a{SHEET}><span class="katex&#45;html">x</span></p>{LAZY}',
        f"<p a=x{SHEET}>q</p>{LAZY}",
        f"""<p a='"' title="x{SHEET} " b='"'>q</p>{LAZY}""",
    ],
)
def test_ambiguous_markup_is_left_to_the_parser(body: str) -> None:
    assert without_style_sheets(body, scan_body(body), POLICY) is None
    assert clean(body, kind="html", policy=POLICY).html == clean(body, kind="html", policy=POLICY, explain=True).html


def test_ambiguous_image_is_left_to_the_parser() -> None:
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
        scan = scan_body(odd)
        assert load_lazy_images_without_parser(odd, scan.pictures) is None, odd


def test_lazy_source_replaces_the_placeholder() -> None:
    body = '<p>x <img src="data:image/gif;base64,R0lGODlhAQABAAAAACw=" data-src="/a.png?b&amp;c" alt="d"/> y</p>'
    assert (
        load_lazy_images_without_parser(body, 1)
        == '<p>x <img src="/a.png?b&amp;c" data-src="/a.png?b&amp;c" alt="d"> y</p>'
    )
