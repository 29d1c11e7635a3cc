"""Test the parts of HTML cleaning on small inputs against recorded results (see `tests/support/recorded.py`)."""

from __future__ import annotations

from typing import Any

import pytest

import feedtool.html
from feedtool.html import (
    Policy,
    clean,
    clean_html,
    is_placeholder,
    is_tracker,
    legal_text,
    plain_text,
    safe_url,
    summarize,
    unwrap_proxy,
)
from feedtool.html.accessibility import add_accessibility
from feedtool.html.body_kind import is_html_throughout
from feedtool.html.images import first_picture, has_unwanted, is_poor_thumbnail, without_unwanted
from feedtool.html.lazy_images import load_lazy_images_without_parser
from feedtool.html.limits import (
    markdown_refusal,
    nesting_refusal,
    output_refusal,
    refusal,
    refused_to_html,
    text_of_refused,
    text_refusal,
)
from feedtool.html.markdown import code_of, is_in_code, is_only_html, markdown_to_html, text_to_html
from feedtool.html.policy import allowed_attributes, allowed_tags
from feedtool.html.repair import needed, scan_body, without_style_sheets
from feedtool.html.sanitize import has_wrapper, prepare, prepare_html
from feedtool.html.stability import is_stable
from feedtool.html.template_tags import hidden_parts, is_protective, without_parts
from feedtool.html.text import escaped, leading_text, line_of, may_be_illegal, without_comments
from feedtool.html.tree import Tree, depth_of
from feedtool.html.urls import host_of, is_descriptor, is_emoji, link_key, srcset_candidates, strip_decorations
from feedtool.models import SafeHtml
from tests.support.inputs.html import (
    BASE,
    BASES,
    BODIES_OF_SIZE,
    CLEANED_BODIES,
    CODES,
    DEEP,
    HTML_BODIES,
    IMAGES,
    LAZY,
    LEADING,
    LEGAL,
    LINKS,
    MARKDOWN,
    MARKDOWN_OF_SIZE,
    ONLY_HTML,
    OUTPUTS_OF_SIZE,
    PAGES,
    PARTS,
    PICTURES,
    POLICY,
    PROTECTIVE,
    REFUSED_BODIES,
    SCANNED_BODIES,
    SRCSETS,
    STABLE,
    STYLED_BODIES,
    SUMMARIES,
    TAGGED_BODIES,
    TITLES,
    URLS,
)
from tests.support.recorded import Table, check


def trees(body: str) -> list[Any]:
    """Return the HTML and the removals after each way of editing the first <i> of a body."""
    results = []
    for edit in ("replace by node", "replace by text", "discard", "unwrap", "create"):
        tree = Tree(body)
        node = tree.find("i")[0]
        if edit == "replace by node":
            inner = tree.find("b")
            tree.replace(node, inner[0] if inner else tree.create("u", [("id", "x")], "new"))
        elif edit == "replace by text":
            tree.replace(node, "a <new> text")
        elif edit == "discard":
            tree.discard(node, "why", "d" * 121)
        elif edit == "unwrap":
            tree.unwrap(node)
        else:
            tree.replace(node, tree.create("u"))
        tree.prune()
        results.append([tree.html(), tree.removals])
    return results


def hidden_parts_by_kind(body: str) -> list[Any]:
    """Return the hidden parts of a body for each kind of body and each generator."""
    results = {}
    for kind in ("markdown", "html", "text"):
        for dialect in ("plain", "hexo", "jekyll", "hugo", "pelican"):
            parts = hidden_parts(body, kind, dialect)
            results[f"{kind} {dialect}"] = [without_parts(body, parts), parts]
    first = results["markdown plain"]
    return [first, {name: value for name, value in results.items() if value != first}]


def scanned(body: str) -> list[Any]:
    scan = scan_body(body)
    # The tags come from a set, so their order varies.
    tags = sorted(scan.raw.split(b"\n"))
    return [scan._replace(raw=b"\n".join(tags)), needed(scan, Policy()), needed(scan, Policy(remove=("p",)))]


TABLES = {
    "safe_url": Table(safe_url, [*URLS, *((part, base) for part in PARTS for base in BASES)]),
    "safe_link": Table(lambda url: safe_url(url, BASE, schemes=LINKS), URLS),
    "host_of": Table(host_of, ["", "x", "http://A.org/x", "http://u@a.org:8/", "http://a.org?x", "http://a.org#x", "ht1p://a",
        "//a.org"]),
    "is_tracker": Table(is_tracker, ["", "x", "https://e.org/a.gif", "https://e.org/tr?id=1",
        "https://www.google-analytics.com/x", "https://feeds.feedburner.com/~r/x", "https://feeds.feedburner.com/x",
        "https://u@zedo.com/x", "https://a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.zedo.com/x",
        "https://a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.zedo.com/x"]),
    "is_placeholder": Table(is_placeholder, ["", "x", " DATA:x", "about:x", "javascript:x", "#x", "/a/blank.gif?x#y",
        "/blank.png", "/none.png", "/none.gif", "/none.svg", "blank.webp", "blank.jpeg", "/loading", "/x?y=/blank.gif",
        "/x#/blank.gif"]),
    "is_emoji": Table(is_emoji, ["", "/emoji/a.png", "/emojix/a.png"]),
    "unwrap_proxy": Table(unwrap_proxy, PICTURES),
    "unwrap_own_proxy": Table(lambda url: unwrap_proxy(url, ("", "https://p.org/i/", "https://q.org/")), PICTURES),
    "strip_decorations": Table(strip_decorations, ["https://e.org/", "https://e.org/?a=1", "https://e.org/?utm_x=1",
        "https://e.org/?a=1&utm_x=1&b=2&UTM_y=2#z", "https://e.org/?pk_a=1&mtm_b=2", "https://e.org/?fbclid",
        "https://e.org/?utmx=1", "https://e.org/?a&utm_x&b&c#?d&utm_e", "https://e.org/#?utm_x=1", "https://e.org/?a?utm_x=1"]),
    "srcset_candidates": Table(srcset_candidates, SRCSETS),
    "is_descriptor": Table(is_descriptor, ["", "1x", "1.5x", "640w", "10h", "x", "1.5w", "-1x", "1x "]),
    "link_key": Table(link_key, ["", "x", "http://e.org", "https://www.E.org/a/", "https://u:p@e.org:443/a?utm_x=1&b=2#c",
        "http://e.org:80/#!/a", "http://e.org/#/a", "http://e.org:8080/", "http://e.org/www.", "http://www.www.e.org//"]),
    "is_stable": Table(is_stable, STABLE),
    "depth_of": Table(depth_of, [(body, limit) for body in DEEP for limit in (0, 1, 2, 3, 512)]),
    "trees": Table(trees, ["<p>a<i>b</i>c</p>", "<p><i><b>x</b></i></p>", "<i></i><b>y</b>", "<p><em><i>x</i> </em></p>",
        "<pre>\n\n<i>x</i></pre>&#11;&#13;", "<ul><li><i>a<!-- c --></i></li></ul>", "<p><span><i>x</i><br></span></p>",
        "<blockquote><i>x</i></blockquote>", "<div><p><span><b></b><font><em><i>x</i></em></font></span></p></div>",
        "<p><i>x</i><!-- c --></p>", "<p><i>x</i><img></p>", "<div>" * 8 + "<i>x</i>" + "</div>" * 8]),
    "is_html_throughout": Table(is_html_throughout, HTML_BODIES),
    "markdown_to_html": Table(markdown_to_html, MARKDOWN),
    "text_to_html": Table(text_to_html, ["", "\n\na\n\n", "a\nb", "a\n\nb", "a\n \t\u3000\n \nb", "<a> & b", "a\n\n\n\n  b\n",
        " \n\n "]),
    "is_only_html": Table(is_only_html, ONLY_HTML),
    "code_of": Table(code_of, CODES),
    "is_in_code": Table(lambda body: [at for at in range(len(body)) if is_in_code(at, code_of(body))], CODES),
    "hidden_parts": Table(hidden_parts_by_kind, TAGGED_BODIES),
    "hidden_parts_crlf": Table(lambda body: hidden_parts(body, "markdown", "plain"),
        ["<div>\r\n\r\n    {% encrypt %}a{% endencrypt %}\r\n\r\n</div>", "%%a\r\n\r\nb%%", "a %%a\r\n\r\nb%%"]),
    "hidden_parts_many": Table(lambda body: hidden_parts(body, "markdown", "plain")[-1:],
        ["{# a #}" * 10_001, "{# a #}" * 10_000 + "[secret]a[/secret]", "{# a #}" * 10_001 + "{% encrypt %}x",
        "[secret]a[/secret]" * 10_001 + "x", "%%a%% " * 20_001, "{% raw %}" * 20_001 + "{# a #}"]),
    "is_protective": Table(is_protective, PROTECTIVE),
    "legal_text": Table(legal_text, LEGAL),
    "may_be_illegal": Table(lambda text: may_be_illegal(text, text.encode("utf-8", "surrogatepass")), LEGAL),
    "line_of": Table(line_of, [*LEGAL, "a  b\nc", "\u202aa\u2066b\ufeffc\u2069d\u202e"]),
    "escaped": Table(escaped, ["a & b < c > d \" '"]),
    "plain_text": Table(plain_text, TITLES),
    "without_comments": Table(without_comments, TITLES),
    "summarize": Table(lambda text, length: summarize(text, length=length), SUMMARIES),
    "summarize_by_default": Table(summarize, ["a " * 119 + "bc", "a " * 119 + "bcd"]),
    "leading_text": Table(lambda html, enough: leading_text(html, enough=enough), LEADING),
    "leading_text_by_default": Table(lambda number: len(leading_text("<p>aaaa</p>" * number)), [100, 175, 176, 1000]),
    "add_accessibility": Table(lambda html: add_accessibility(SafeHtml(html)), PAGES),
    "first_picture": Table(first_picture, IMAGES),
    "has_unwanted": Table(lambda html: [has_unwanted(html, Policy()), has_unwanted(html, Policy(drop_trackers=False))], IMAGES),
    "without_unwanted": Table(lambda html: [without_unwanted(html, Policy()),
        without_unwanted(html, Policy(drop_trackers=False))], IMAGES),
    "is_poor_thumbnail": Table(is_poor_thumbnail, ["https://e.org/a.jpg", "https://e.org/Avatar.jpg",
        "https://e.org/emoji/a.jpg", "https://e.org/blank.gif", "https://zedo.com/a.jpg"]),
    "clean": Table(lambda body: clean(body, kind="html", policy=POLICY, explain=True), CLEANED_BODIES),
    "clean_only": Table(lambda body: clean_html(body, kind="html", policy=POLICY), CLEANED_BODIES),
    "clean_by_default": Table(lambda body: clean(body, kind="html", policy=Policy(), explain=True), CLEANED_BODIES),
    "clean_with_trackers": Table(lambda body: clean(body, kind="html", policy=Policy(drop_trackers=False)),
        [*CLEANED_BODIES[-36:-20], *IMAGES]),
    "clean_kinds": Table(lambda body, kind: clean(body, kind=kind, policy=Policy(), explain=True),
        [(body, kind) for body in ("a\r\n\r\n*b*\x00", "<p>a\n\n&#1;*b*</p>", "<![CDATA[a]]>",
        "![x](https://e.org/a.jpg)") for kind in ("html", "markdown", "text")]),
    "clean_large": Table(lambda body, kind: clean(body, kind=kind, policy=Policy()),
        [("<p>" * 20_001 + "x", "html"), ("x " * 600_000, "text"), ("a\n" * 600_000, "text"), ("a\n" * 600_000, "markdown"),
        ("x" * 1_000_001, "markdown"), ("> " * 600 + "x", "markdown"), ("<div>" + "x" * 1_000_001 + "</div>", "markdown"),
        ("x" * 2_000_001, "html"), ("y" * 160_000 + "\n" + "z" * 900_000, "text"),
        ("<p>a\n\n" + "x" * 2_100_000 + "</p>", "markdown")]),
    "refusal": Table(refusal, BODIES_OF_SIZE),
    "text_refusal": Table(text_refusal, BODIES_OF_SIZE),
    "markdown_refusal": Table(markdown_refusal, MARKDOWN_OF_SIZE),
    "nesting_refusal": Table(nesting_refusal, MARKDOWN_OF_SIZE),
    "output_refusal": Table(output_refusal, OUTPUTS_OF_SIZE),
    "text_of_refused": Table(text_of_refused, REFUSED_BODIES),
    "refused_to_html": Table(refused_to_html, REFUSED_BODIES),
    "load_lazy_images": Table(lambda html: load_lazy_images_without_parser(html, html.count("<img")), LAZY),
    "load_lazy_images_by_parser": Table(
        lambda html: clean(html + "<xmp>a</xmp>", kind="html", policy=Policy(base_url=BASE)).html, LAZY),
    "scan_body": Table(scanned, SCANNED_BODIES),
    "without_style_sheets": Table(lambda body: without_style_sheets(body, scan_body(body), Policy()), STYLED_BODIES),
    "prepare": Table(lambda body: [prepare(body), prepare_html(body), has_wrapper(body)],
        ["", "\ufeff\ufeffa\r\nb\rc\x00", " <![CDATA[a]]> ", "<![CDATA[a]]>b", "<![CDATA[a]]>]]>", "<![CDATA[a",
        " " * 91 + "<![CDATA[a]]>", " " * 92 + "<![CDATA[a]]>", "x<![CDATA[a]]>"]),
    "allowed_tags": Table(lambda tags, attributes: [allowed_tags(Policy(tags=tags)) - allowed_tags(Policy()),
        {tag: names for tag,
        names in allowed_attributes(Policy(attributes=attributes)).items() if names != allowed_attributes(Policy()).get(tag)}],
        [((" X-Y ", "form", "1", "é", "a b", ""), ((" P", " Data-X "), ("*", "onx"), ("p", "a:b"), ("p", ""), ("*", "style"),
        ("x", "role")))]),
}  # fmt: skip


@pytest.mark.parametrize("name", TABLES)
def test_results_equal_the_recorded_ones(name: str, accept: bool) -> None:
    check(f"html/{name}", TABLES[name], accept)


def test_package_exports_the_names_of_its_modules() -> None:
    for name in feedtool.html.__all__:
        assert getattr(feedtool.html, name).__name__ == name
    with pytest.raises(AttributeError, match=r"module 'feedtool\.html' has no attribute 'nothing'"):
        _ = feedtool.html.nothing
