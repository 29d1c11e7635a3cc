"""Test whether a Markdown file that begins with a tag is read as Markdown or as HTML throughout."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html as lxml_html
from markdown_it import MarkdownIt

from feedtool.articles import Rules, read_article
from feedtool.articles.provenance import STAMP
from feedtool.articles.writer import body_text, new_file, stamp_for
from feedtool.html import Policy, clean
from feedtool.html.body_kind import is_html_throughout
from tests.support.site import ROOT, article, build, make_site

POLICY = Policy(base_url="https://example.org/")
MARKDOWN = {
    "cover": "<img src='https://example.org/a.png'>\n\nA **bold** word.\n\n## Heading\n\n- one\n- two\n",
    "comment": "<!-- toc -->\n\nA **bold** word.\n\n## Heading\n",
    "comment above": "<!-- toc -->\nA **bold** word.\n",
    "centred picture": "<p align=center><img src='https://example.org/a.png'></p>\n\nA **bold** word.\n",
    "note box": "<div class=note>\nNote\n</div>\n\nA **bold** word.\n",
    "Markdown in a box": "<div class=note>\n\nA **bold** word.\n\n</div>\n",
    "heading in a box": "<div>\n\n# Heading\n\n1. one\n\n</div>\n",
    "definition in a box": "<div>\n\n[x]: https://example.org/\n\n</div>\n",
    "words in a box": "<div align=center>\n\nOne.\n\nTwo.\n\n</div>\n",
    "details": "<details>\n<summary>x</summary>\n\n**b**\n\n```\n<?php\n```\n\n</details>\n",
    "center": "<center>\n\n# Title\n\n</center>\n\ntext\n",
    "line break": "<br>\n\n**b**\n",
    "anchor": "<a name='x'></a>\n\n**b**\n",
    "script": "<script>\nvar a;\n\n    b\n</script>\n\n**b**\n",
    "style": "<style>\np{}\n</style>\n**b**\n",
    "frame": "<iframe src='https://example.net/x'></iframe>\n\n**b**\n",
    "boxes around Markdown": "<div>\nx\n</div>\n\n**b**\n\n<div>y</div>\n",
    "boxes around code": "<div>\nx\n</div>\n\n    <p>code</p> text\n\n<div>y</div>\n",
    "no end tag": "<div>\n\n    <p>x</p>\n",
    "picture and paragraph": "<img src='https://example.org/a.png'>\n\n<p>x</p>\n",
    "text behind": "<p>x</p> text after\n\n    <p>y</p>\n\n<p>z</p>\n",
    "bold first": "<b>One</b> *two*\n\n<p>z</p>\n",
    "autolink": "<https://example.org/>\n",
    "emphasis in a line of tags": "<div>\n\n<b>One</b> *two*\n\n</div>\n",
}
HTML = {
    "a box": "<div>\n\n    <p>*one*</p>\n\n</div>\n",
    "marks in a paragraph": "<div>\n<p>a\n# b\n- c\n1. d</p>\n\n    <p>x</p>\n</div>\n",
    "two boxes": "<div>\n\n    <p>x</p>\n</div>\n<div>\n\n    <p>y</p>\n</div>\n",
    "a document": "<!DOCTYPE html>\n<html>\n<body>\n    <p>a</p>\n\n    <p>*b*</p>\n</body>\n</html>\n",
    "comments around": "<!-- a -->\n<div>\n\n    <p>x</p>\n\n</div>\n<!-- b -->\n",
    "style before": "<style>\np{}\n\n</style>\n<div>\n\n    <p>x</p>\n\n</div>",
    "listing": "<div>\n<pre>\n# a\n\n# b\n- c\n\n    d\n</pre>\n\n    <p>x</p>\n</div>\n",
    "indented throughout": "    <div>\n    <p>x</p>\n\n    </div>\n",
    "a table": "<table>\n\n  <tr>\n\n    <td>x</td>\n\n  </tr>\n\n</table>\n",
    "upper case": "<DIV>\n\n    <P>x</P>\n\n</DIV>\n",
    "a rule at the end": "<div>\n\n    <p>x</p>\n</div>\n<hr>\n",
    "wide spaces": "\ufeff\u3000<div>\n　　一\n\n　　<p>x</p>\n\n    </div>\n"
    if False
    else "<div>\n\n    　　一\n\n    <p>x</p>\n</div>",
    "a tag over lines": "<div\n\n  title='a\n\n- b'>\n\n    <p>x</p>\n</div>\n",
}


def shape(markup: str) -> tuple[list[str], str]:
    """Return the elements of a cleaned body in order, and its text without white space."""
    tree = lxml_html.fragment_fromstring(clean(markup, kind="html", policy=POLICY).html, create_parent="div")
    return [str(node.tag) for node in tree.iter()][1:], "".join(str(tree.text_content()).split())


def common_mark(body: str) -> str:
    """Return the HTML that another implementation of CommonMark makes of a body."""
    return str(MarkdownIt("commonmark").enable("table").render(body))


@pytest.mark.parametrize("name", MARKDOWN)
def test_markdown_body_is_read_as_commonmark(name: str) -> None:
    body = MARKDOWN[name]
    assert not is_html_throughout(body)
    assert shape(clean(body, kind="markdown", policy=POLICY).html) == shape(common_mark(body))


@pytest.mark.parametrize("name", HTML)
def test_html_body_has_no_indented_code(name: str) -> None:
    body = HTML[name]
    assert is_html_throughout(body)
    html = clean(body, kind="markdown", policy=POLICY).html
    assert html == clean(body, kind="html", policy=POLICY).html
    assert "<code>" not in html
    # CommonMark alone reads indented lines as code.
    assert shape(common_mark(body)) != shape(html)


TAGS = (
    "<div>",
    "</div>",
    "<p>a</p>",
    "<p>",
    "</p>",
    "<img src=a>",
    "<b>b</b>",
    "<!-- c -->",
    "<br>",
    "<pre>",
    "</pre>",
    "<hr>",
)
MARKUP = (
    "word",
    "**b**",
    "# h",
    "- i",
    "> q",
    "`c`",
    "    ",
    "  ",
    "\n",
    "\n",
    "\n\n",
    "\n\n",
    "[x]: y\n\n",
)
pieces = st.sampled_from([*TAGS, *MARKUP])


@given(st.lists(pieces, max_size=14).map("".join))
def test_html_mode_changes_only_indented_lines(body: str) -> None:
    if not is_html_throughout(body):
        assert shape(clean(body, kind="markdown", policy=POLICY).html) == shape(common_mark(body))
        return
    assert body.strip().startswith("<")
    assert body.strip().endswith(">")
    if "    " not in body and "<pre>" not in body and "<b>" not in body:
        assert shape(clean(body, kind="html", policy=POLICY).html) == shape(common_mark(body))


def test_ingested_html_stays_html(tmp_path: Path) -> None:
    html = '<img src="https://example.org/a.png"><b>One</b> 2*3*4\n\n    <p>five</p>\n\n- six'
    body = body_text(html)
    values = {"title": "A", "date": "2024-03-05T00:00:00Z"}
    text = new_file(values, body, stamp_for(values, body, source="s"))
    assert f"\n{STAMP}: " in text
    unedited, _ = read_article("a.md", text.encode(), Rules())
    assert unedited is not None
    assert unedited.kind == "html"
    # Without a valid stamp, the kind follows from the text.
    edited, _ = read_article("a.md", text.replace("One", "Won").encode(), Rules())
    assert edited is not None
    assert edited.kind == "markdown"
    windows, _ = read_article("a.md", text.replace("\n", "\r\n").encode(), Rules())
    assert windows is not None
    assert windows.kind == "html"


def test_summary_of_a_tag_first_body_is_rendered(tmp_path: Path) -> None:
    site = make_site(tmp_path, {"a.md": article("A", body=MARKDOWN["cover"])})
    assert build(site).exit_code == 0
    feed = (site / "public/feed.json").read_text("utf-8")
    assert "A bold word. Heading one two" in feed
    assert "**" not in feed
    assert "##" not in feed


def test_seed_articles_are_html() -> None:
    paths = (ROOT / "feeds/articles").rglob("*.md")
    articles = [read_article("a.md", path.read_bytes(), Rules())[0] for path in paths]
    bodies = [one.body for one in articles if one is not None and one.body.lstrip().startswith("<")]
    assert bodies
    assert all(map(is_html_throughout, bodies))


@pytest.mark.parametrize(
    "piece",
    [
        "<",
        "<div>",
        "<div>\n\n    ",
        "</div>",
        "<!-- -->",
        "<!--",
        "<pre>",
        "<p>\n\nx",
        "\n\n<b>",
        "<a b='",
        "\n \n",
        "</div><!-- -->",
    ],
)
def test_body_kind_is_detected_quickly(piece: str) -> None:
    many, fewer = piece * (900_000 // len(piece)), piece * (90_000 // len(piece))
    for body in (f"<div>{many}</div>", f"<div>{fewer}</div>", f"<div></div>{fewer}<!-- -->"):
        start = time.process_time()
        is_html_throughout(body)
        assert time.process_time() - start < 2
