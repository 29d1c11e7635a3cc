"""Test inputs at and just beyond limits, and rare cases, against recorded results (see `tests/support/recorded.py`)."""

from __future__ import annotations

from typing import Any

import pytest

from feedtool.articles import edit_front_matter, parse_document
from feedtool.articles.conflicts import read_conflict
from feedtool.articles.editor import edit_file
from feedtool.articles.field_table import KNOWN_KEYS
from feedtool.articles.fields import Fields, plain_names
from feedtool.articles.hidden import hidden
from feedtool.articles.pelican_metadata import split_metadata
from feedtool.articles.writer import edit_nested
from feedtool.articles.yaml import values_by_engine
from feedtool.articles.yaml_fast import plain_lines
from feedtool.articles.yaml_loader import load_fully
from feedtool.dates.zones import load_zone
from feedtool.html import Policy, clean, summarize
from feedtool.html.body_kind import is_html_throughout
from feedtool.html.limits import refusal
from feedtool.html.text import leading_text
from tests.support.recorded import Table, check

UTC = load_zone("UTC")
BOUNDS = [8, 9, 13, 14, 27, 28, 0x7E, 0x7F, 0x84, 0x85, 0x86, 0x9F, 0xA0, 0x2029, 0x202A, 0x202E, 0x202F, 0x2065, 0x2066,
    0x2069, 0x206A, 0xFDCF, 0xFDD0, 0xFDEF, 0xFDF0, 0xFEFE, 0xFEFF, 0xFF00, 0xFFFD, 0xFFFE, 0xFFFF, 0x10000, 0x1FFFD, 0x1FFFE,
        0x1FFFF, 0x10FFFE, 0x10FFFF]  # fmt: skip
WIDE = [0x2E7F, 0x2E80, 0x9FFF, 0xA000, 0xABFF, 0xAC00, 0xD7AF, 0xD7B0, 0xF8FF, 0xF900, 0xFAFF, 0xFB00, 0xFEFE, 0xFF00, 0xFFEF,
    0xFFF0, 0x1FFFD, 0x20000, 0x3FFFD, 0x40000]  # fmt: skip
LONG = "long text of words " * 30
PLAIN = [
    "a: 'x" + " " * 23 + "y'\n", "a: 'x" + " " * 24 + "y'\n", "a: 'x - - - - - y'\n", "a: 'x - - - - - - y'\n",
        'a: "x"\nb:\n  c: d\n', "a:\n  - b\n  - c\n", "a: x\n\nb: y\n", "a: x\nb: [y, z]\n", "a: x\nb: {y: z}\n", "a: [[x]]\n",
        "a: {b: [c]}\n", "a: [null]\n", "a: {null: b}\n", "a: '...'\n", "...a: b\n", "a: '---'\n", "a: x\n...b: c\n",
        "a: '\xa0x'\n", "a: 'é %x ?y &z'\n", "a: 'x'  \n", "a:  'x'\n", "a: 'x\n", "a: x \n", "a: 'x'y\n", "a: ''\n",
        "a: ''''\n", "a: '''\n", 'a: ""\n', 'a: "x\\n"\n', "a:x\n", "a\n", "A-B: c\na_b: d\n", "a: 'null'\n", "a: nullx\n",
        "a: x:y\n", "a: x: \n", "a:\n-  b\n", "a:\n  - b\n - c\n", "a:\n - b: c\n", "a:\n - \n", "a:\n - 'b'\n - \"c\"\n",
        "a: .x\n", "a: (x)\n", "a: （x）\n", "a: ~x\n", "a: -x\n", "a: +x\n", "a: =\n", "a: <<\n", "tags: [a]\ntags: [b]\n",
        '{"a": "b"}\n', " a: b\n", "a: " + "[" * 16 + "x" + "]" * 16 + "\n",
]  # fmt: skip
EXPLAINED = [
    f"<p title2='{LONG}'>a</p>", f"<p {'x' * 90}>a</p>", f"<x-y>{LONG}</x-y>", f"<{'x' * 90}>a</{'x' * 90}>",
        f"<p>a<!--{LONG}--></p>", f"<script>{LONG}</script>", f"<p class=ad>{LONG}</p>", f"<a href='javascript:{LONG}'>a</a>",
        f"<iframe src='x{LONG}'></iframe>", f"<img src='https://zedo.com/{LONG}'>",
        "".join(f"<x-{one}>a</x-{one}>" for one in range(201)), "".join(f"<!--{one}-->" for one in range(201)),
        "<p><?" + "a b " * 200 + "?></p>", "<!-- a\n  b -->", "<p>a</1 x></p>", "<p a=1 b=2 a=3>x</p><p a=1>y</p>",
]  # fmt: skip
MANY = [
    "<!-- -->" * 20_001, "</b>" * 20_001, "".join(f"<b a={one}></b>" for one in range(233)) * 4,
        "".join(f"<b a={one}></b>" for one in range(260)) * 4, "".join(f"<i a={one}></i>" for one in range(260)) * 4,
    *("".join(f"<{tag} a={one}></{tag}>" for one in range(900)) for tag in ["big", "code", "em", "font", "nobr", "s", "small",
    "strike", "strong", "tt", "u", "span", "sub"]), *(f"<{tag}>" * 2_100 for tag in ["area", "base", "col", "embed", "hr",
        "img", "input", "link", "meta", "param", "source", "track", "wbr", "li", "dd", "dt", "option", "tr", "td", "th",
        "tbody", "thead", "tfoot", "colgroup", "caption", "rp", "rt", "rb", "rtc", "h1", "h2", "h3", "h4", "h5", "h6", "div",
        "ul"]),
    "<p a='" + "b=c " * 20_000 + "'>" + "<p>" * 600, "<p " + "a=b/" * 10_001 + ">" + "<p>" * 600,
        "<p " + "a='" * 9_000 + ">" + "<p>" * 600, "<p " * 10_000 + "<p>" * 600,
]  # fmt: skip
BLANKS = [((" " * 999 + "x\n") * 1_100, "text"), ((" " * 999 + "x") * 1_100, "text"), ((" " * 999 + "x\n") * 1_100, "markdown"),
    (("y" + " " * 998 + "x\n") * 1_100, "markdown"), ("> " * 600 + "x\n\n" + "y\n" * 400_000, "markdown")]  # fmt: skip
KINDS = [
    "<p>x\n\n<b\n>a\n\n# h\n\n<!-- c --></p>",
    "<div><!-- <div> --></div>\n\n    text</div>", "<div><!-- x --></div>\n\n    text\n</div>",
        "<div>a\n\n    text</div><p>b</p>", "<div></div>\n\n    text <div></div>", "<!-- a -->\n\n    <p>b</p>",
        "<p>a</p>\n\n    <!-- b -->", "<p>a</p> <!-- b --> \n<!-- c -->", "<p>a</p>b<!-- c -->", "<body>\n\n    a</body>",
        "<html>\n\n    a\n</html>", "<head>\n\n    a\n</body>", "<!doctype html>\n<!-- x -->\n<html>\n\n    a\n</html>",
        "<p>\n\n    a\n</p >", "<p>\n\n    a\n</p" + " " * 190 + ">", "<p>\n\n    a\n</p" + " " * 200 + ">",
        "<hr>\n\n    <p>a</p>\n<hr>", "<p>\n\n    a</p>\n<img>", "<p>\n\n    a</b>", "<b>x</b>\n\n    <p>a</p>",
        "<noscript>x</noscript>\n\n    <p>a</p>", "<noscript>x</noscript>\n\n    <b>a</b>", "<style>x</style>",
        "<script>a</script>\n\n    <p>b</p>", "<pre>\n\n    a\n</pre>", "<p>a\n \t\n\tb</p>", "<p>a\n\n  b</p>",
        "<p>a\n\n    b\n\n<p>c</p>", "<p>a\n\n    b\n<p>c</p>", "<p>a\n\n   </p>", "<p>a\n\n </p>\n\n <div>x</div>",
        "<P>A\n\n    B</P>", "<p>a\n\n    b</p/>",
]  # fmt: skip
POLICIES: list[tuple[str, dict[str, Any]]] = [
    ("<p>a</p><iframe></iframe>", {"iframe_hosts": ("e.org",), "base_url": "https://e.org/"}),
    ("<a href='/x'>a</a><img src='/y'>", {}), ("<a href='https://e.org/?utm_a=1'>a</a>", {"drop_trackers": False}),
    ("<img src='https://p.org/x/https://e.org/a.png'>", {"proxies": ("https://p.org/x/",)}),
    ("<p style=x role=y data-z='javascript:1' data-w='a&b'>a</p>",
    {"attributes": (("p", "role"), ("*", "data-z"), ("p", "data-w"))}),
    ("<iframe src='https://a.v.org/x'></iframe>", {"iframe_hosts": ("v.org",)}), ("<dialog>a</dialog>", {"tags": ("dialog",)}),
    ("<p>a</p><p>b</p>", {"remove": ("p:first-child",)}), ("<pre>\n\n\na</pre>&#10;<pre lang=x>\n\nb</pre>", {}),
    ("a&#13;b&#0;&#11;c", {}), (" \t\n\ufeff<p>a</p> \n", {}), ("<code class='language-a lang-b c'>x</code>", {}),
    ("<img src='a.png' srcset='//e.org/b.png 2x, c.png' alt=x>", {}), ("<img src='https://e.org/https://a.org/b'>", {}),
]  # fmt: skip
PROSE = (
    "One two three. Four five six, seven! Eight",
    "一二三四。五六七八，九十！一二",
    "ab cdefghijklmnopq rstuv wxyz",
    'a.b? c.d! e "f." g h i',
)
RECOVERED = [
    b"---\ntitle: [x] y\ntitle: b\nx: [a] b\nx: c\n---\n",
    b"---\na: b\r\ntitle: 'a' b # c\r\n---\r\n",
    b"---\n\n\nx: 'a\n---\n",
]
CONFLICTS = [b"<<<<<<< x\n---\ntitle: \xff\n---\n=======\n---\ntitle: b\n---\n>>>>>>> y\n",
    b"---\na: " + b"x" * 262_144 + b"\n<<<<<<< x\n=======\n>>>>>>> y\n---\n",
    b"---\n#" + b"x" * 262_090 + b"\n<<<<<<< x\ntitle: a\n=======\n>>>>>>> y\ntitle: b\n---\n"]  # fmt: skip


def with_many_values(number: int) -> str:
    return "---\na: [" + "x," * number + "]\nb: c\n---\n"


def hidden_by(key: str, value: str) -> Any:
    return hidden(Fields({key: value}, UTC))


def authors(value: Any) -> Any:
    one = Fields({"author": value}, UTC)
    return [one.authors(), one.author_names()]


def document(data: bytes) -> Any:
    parsed = parse_document(data)
    return [parsed.values, parsed.notes, parsed.broken, parsed.recovered]


TABLES = {
    "invisible_characters": Table(lambda code: plain_names(f"a{chr(code)}b"), BOUNDS),
    "authors": Table(authors, [{"name": " N  M "}, {"NAME": ["N"], "Url": [" u "]}, [["A"]],
        {"name": "N", "url": "u", "link": "l"}]),
    "false_passwords": Table(hidden_by, [(key, value) for key in ("password", "encrypt") for value in (" False ", "null", "~", "0",
        "OFF", "none", "n", " ")]),
    "edit_one_line": Table(edit_file, [(b"body", {"title": "A"}), (b"---\rtitle: A\r---\r", {"x": "y"}), (b"", {"title": "A"})]),
    "edit_many_values": Table(lambda number: len(edit_front_matter(with_many_values(number), {"b": "d"})), range(19_989, 19_997)),
    "load_many_values": Table(lambda number: len(load_fully("a: [" + "x," * number + "]\n").values["a"]), range(19_992, 20_000)),
    "load_brackets": Table(load_fully, ["b: '" + "[{" * 20 + "'\nc: '" + "[" * 1001 + "'\n",
        "b: '" + "[" * 16 + "'\nc: '" + "{" * 985 + "'\n", "b: '" + "[{" * 8 + "'\n" + "c: '[[['\n" * 330,
        "b: '" + "[" * 17 + "'\n" + "c: '{{{'\n" * 330, "b: '" + "{" * 17 + "'\n" + "c: '{{{'\n" * 327]),
    "edit_nested": Table(edit_nested, [("---\nenclosures: x   \ntitle: A\n---\n", {"enclosures": [{"url": "u"}]}),
        ("---\nsource: x\nenclosures: y\n---\n", {"enclosures": [{"url": "u"}], "source": {"url": "v"}})]),
    "conflicts": Table(read_conflict, CONFLICTS),
    "recovered_documents": Table(document, RECOVERED),
    "engines": Table(lambda text: [values_by_engine(text, KNOWN_KEYS | {"a", "b"}),
        plain_lines(text, KNOWN_KEYS | {"a", "b"})], PLAIN),
    "metadata_fences": Table(split_metadata, ["--- \ntitle: a\n", "---\t\ntitle: a\n", "title: a\n...\n", "title: a\n.. .\n",
        "title: a\n    b\n---", "a" * 9 + ":\n\n", "title: a\n   b\n"]),
    "removals": Table(lambda body: clean(body, kind="html", policy=Policy(remove=(".ad",)), explain=True).removals, EXPLAINED),
    "refusal": Table(refusal, MANY),
    "clean_blanks": Table(lambda body, kind: clean(body, kind=kind, policy=Policy()), BLANKS),
    "leading_text": Table(lambda enough: leading_text("abcd<b>efgh</b>ijkl<i>mnop</i>qrst<u>uvwx</u>", enough=enough),
        range(1, 14)),
    "wide_characters": Table(lambda code: summarize(f"abcd {chr(code) * 5}", length=9), WIDE),
    "summaries": Table(lambda length: [summarize(text, length=length) for text in PROSE], range(2, 30)),
    "is_html_throughout": Table(is_html_throughout, KINDS),
    "policies": Table(lambda body, options: clean(body, kind="html", policy=Policy(**options)).html, POLICIES),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_results_at_limits_equal_the_recorded_ones(name: str, accept: bool) -> None:
    check(f"bounds/{name}", TABLES[name], accept)
