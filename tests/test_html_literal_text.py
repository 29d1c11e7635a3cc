"""Test that no visible character of a body is lost, in Markdown code and in HTML."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from html import escape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from lxml import html as lxml_html
from selectolax.lexbor import LexborHTMLParser

from feedtool.articles import Rules, read_article
from feedtool.html import Policy, clean
from feedtool.html.excerpt import excerpt
from feedtool.html.text import plain_text
from feedtool.models import BodyKind
from tests.support.site import article, build, make_site, run

SIGNS = (
    "<?", "?>", "<?php echo 1; ?>", "Class<?>", "<?xml version='1.0'?>", "<![CDATA[", "]]>", "<![CDATA[ x < y ]]>", "<!", "<!>",
    "<!doctype x>", "<!-", "</ ", "</3", "</>", "</", "<3", "< ", "a<b", "->", "<!-- -->", "<!--more-->", "{{", "}}", "{%",
    "{# a #}", "[[", "&", "&amp;", "&lt;", "~", "$$", "%", "%}",
)  # fmt: skip
WORDS = ("one", "two", "长", "é", " ", "\n", ">", "x > y", '"', "'")
HTML = [
    *SIGNS,
    *(f"<{tag}>" for tag in ("p", "b", "code", "pre", "/p", "/b", "/code", "/pre")),
    '<p title="a > b">',
    *("<!-- a", "-->", "--!>", "<!-->", "<!--->"),
]


def squeezed(text: str | None) -> str:
    """Return a text without white space, which differs between programs."""
    return "".join((text or "").split())


def published(body: str, kind: BodyKind) -> str:
    """Return the visible text of the cleaned body, read by a parser that the cleaning does not use."""
    markup = clean(body, kind=kind, policy=Policy()).html
    return squeezed(lxml_html.fragment_fromstring(markup, create_parent="div").text_content())


def shown(body: str) -> str:
    """Return the text that an HTML parser finds in a body."""
    tree = LexborHTMLParser(f"<!doctype html><body>{body}").body
    return squeezed(tree.text(deep=True) if tree is not None else "")


@given(st.lists(st.sampled_from([*HTML, *WORDS, *WORDS]), max_size=20).map("".join))
@example("<p>One Class<?> two Class<?> three</p>")
@example("<p>See <code>]]></code> and</p><pre>]]></pre>")
@example("<p>one</p><![CDATA[ hidden > text ]]><p>two</p>")
def test_html_keeps_text_that_a_parser_shows(body: str) -> None:
    # A CDATA section around a whole body is a mistake of feeds; feedtool shows more of it than a parser would.
    if not body.strip().startswith("<![CDATA["):
        assert published(body, "html") == shown(body)


def test_html_keeps_text_that_a_browser_shows(tmp_path: Path) -> None:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        assert not os.environ.get("FEEDTOOL_CI"), "chromium is missing, and FEEDTOOL_CI forbids skipping"
        pytest.skip("chromium is missing")
    bodies = [f"<p>one {sign} two > three</p><p>four</p>" for sign in SIGNS]
    page = tmp_path / "page.html"
    script = (
        f"const bodies = {json.dumps(bodies).replace('<', chr(92) + 'u003c')};"
        "const div = document.querySelector('div');"
        "const texts = bodies.map((body) => { div.innerHTML = body; return div.innerText; });"
        "div.textContent = encodeURIComponent(JSON.stringify(texts));"
    )
    page.write_text(f"<!doctype html><meta charset=utf-8><div></div><script>{script}</script>", "utf-8")
    flags = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom"]
    done = subprocess.run([program, *flags, page.as_uri()], capture_output=True, check=True, timeout=120)
    from urllib.parse import unquote

    div = lxml_html.fromstring(done.stdout.decode()).find(".//div")
    assert div is not None
    texts = json.loads(unquote(div.text or ""))
    assert [published(body, "html") for body in bodies] == [squeezed(text) for text in texts]


literal = st.lists(st.sampled_from([*SIGNS, *WORDS]), min_size=1, max_size=12).map("".join)


@given(literal)
def test_fenced_code_keeps_every_character(code: str) -> None:
    body = f"Before.\n\n~~~~~\n{code}\n~~~~~\n\nAfter `x`.\n"
    assert published(body, "markdown") == squeezed(f"Before.{code}After x.")


@given(literal)
def test_indented_code_keeps_every_character(code: str) -> None:
    lines = "".join(f"    {line}\n" for line in code.split("\n"))
    assert published(f"Before.\n\n    first\n{lines}\nAfter.\n", "markdown") == squeezed(f"Before.first{code}After.")


@given(literal.filter(lambda code: "\n\n" not in code and "\n>" not in code and code.strip()))
def test_code_span_keeps_every_character(code: str) -> None:
    line = " ".join(code.split())
    assert published(f"Before `` {line} `` after.\n", "markdown") == squeezed(f"Before {line} after.")


@given(literal)
def test_plain_text_keeps_every_character(text: str) -> None:
    assert published(text, "text") == squeezed(text)


@pytest.mark.parametrize("sign", ["<?", "<![CDATA[", "]]>", "<!", "Class<?>"])
def test_raw_html_in_markdown_matches_a_parser(sign: str) -> None:
    body = f"One.\n\n<div>a {sign} b > c</div>\n\nTwo.\n"
    assert published(body, "markdown") == shown(f"One.<div>a {sign} b > c</div>Two.")


def test_large_markdown_body_keeps_its_code() -> None:
    body = "```java\nMap<Class<?>, String> a;\n<?php echo 1;\n```\n\n" + "Some words. " * 100_000
    cleaned = clean(body, kind="markdown", policy=Policy())
    assert cleaned.warnings
    assert cleaned.html.startswith("<p>Map&lt;Class&lt;?&gt;, String&gt; a;</p>\n<p>&lt;?php echo 1;</p>")


def test_more_comment_in_code_ends_no_excerpt() -> None:
    for code in ("`<!--more-->`", "```html\n<!--more-->\n```", "x\n\n    <!-- more -->\n"):
        body = f"One.\n\n{code}\n\nTwo."
        assert excerpt(body, "markdown") is None
        assert excerpt(f"{body}\n\n<!-- More -->\n\nThree", "markdown") == f"{body}\n\n"
    assert excerpt("<div>\n\n    <!--more-->\n\n    <p>x</p>\n\n</div>", "markdown") == "<div>\n\n    "


def test_title_ignores_code_and_comments() -> None:
    body = "<!--\n# Hidden\n-->\n\n```sh\n# comment\n```\n\nText\n\n```sh\n# another\n```\n\n## The *title*\n"
    read, _ = read_article("2024-03-05-a.md", f"---\ndate: 2024-03-05\n---\n{body}".encode(), Rules())
    assert read is not None
    assert read.title == "The title"


def test_comments_end_as_in_html() -> None:
    for comment in ("<!-->", "<!--->", "<!-- a -->", "<!-- a --!>", "<!--!> a -->", "<!-- <!-- -->"):
        assert plain_text(f"x{comment}y") == "xy" == shown(f"x{comment}y")


def test_explain_lists_removed_comments(tmp_path: Path) -> None:
    body = "<p>One Class<?> two<?php x ?> a</ b></p><![CDATA[c]]>"
    site = make_site(tmp_path, {"a.html": article("A", body=body)})
    explained = run("explain", "-C", str(site), str(site / "articles/a.html"), "--json")
    assert [(one["what"], one["detail"]) for one in explained.json["removed"]] == [
        ("comment", "<!--?-->"),
        ("processing instruction", "<?php x ?>"),
        ("comment", "<!-- b-->"),
        ("CDATA section", "<!--[CDATA[c]]-->"),
    ]


class _Text(HTMLParser):
    text = ""

    def handle_data(self, data: str) -> None:
        self.text += data


def test_code_reaches_every_feed_unchanged(tmp_path: Path) -> None:
    code = '<?php\necho "hi";\n?>\nMap<Class<?>, String> a;\n<a><![CDATA[ x < y ]]></a>\n<!-- c --> {{ d }} ]]>'
    site = make_site(tmp_path, {"a.md": article("A", body=f"Before.\n\n```php\n{code}\n```\n")})
    assert build(site).exit_code == 0
    item = json.loads((site / "public/feed.json").read_text("utf-8"))["items"][0]
    reader = _Text()
    reader.feed(item["content_html"])
    assert code in reader.text
    assert escape(escape(code, quote=False), quote=False) in (site / "public/atom.xml").read_text("utf-8")
