"""Test that cleaning any body never raises, is stable, and removes everything dangerous."""

from __future__ import annotations

import html as entities
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from lxml import html as independent

from feedtool.html import Cleaned, Policy, clean, legal_text, safe_url
from feedtool.html.names import name_set
from feedtool.models import BodyKind

TAGS = name_set(
    "a b i em p div span ul ol li dl dt dd table tbody tr td th caption colgroup col h1 pre code blockquote"
    " img br svg math mi mtext style script title textarea select option button form iframe object noscript"
    " template figure picture source video ruby rt rp details section center nobr foreignObject annotation-xml"
    " mglyph plaintext xmp input desc frameset html head body base meta marquee embed label u s font"
)
ATTRIBUTES = (
    "",
    " href=javascript:alert(1)",
    " href='&#106;avascript&colon;1'",
    " href='/x y'",
    " src=x.png",
    " src='data:text/html,x'",
    " data-src=http://a.org/b.png",
    " srcset='a, b 2x,,c,d 1x, javascript:1 3x'",
    " width=&#49;",
    " style='display:none'",
    " hidden",
    " alt='<p>\"'",
    " alt=x class=emoji",
    " onclick=x",
    " id=q",
    " class='a language-x'",
    " xlink:href=javascript:x",
    ' "',
    " srcdoc='<script>1</script>'",
    " poster=vbscript:1",
)
SCRAPS = (
    *("text", "\n", "\n\n", " ", "\u3000", "&nbsp;", "&lt;script&gt;", "&#11;", "&#13;", "&#xfffe;", "<!--", "-->"),
    *(
        "<![CDATA[",
        "]]>",
        "<?",
        "?>",
        "\0",
        "\ud800",
        "\ufffe",
        "&",
        "<",
        "</",
        "emoji",
        "display:none",
        "\x85",
        "\ufeff",
    ),
)
POLICIES = (
    Policy(base_url="https://example.com/a/", iframe_hosts=("a.org",), remove=(".a", "#q")),
    Policy(),
    Policy(
        tags=("script", "style", "svg", "math", "iframe", "object", "form", "embed", "base", "x-y"),
        attributes=(
            ("*", "onclick"),
            ("p", "style"),
            ("*", "id"),
            ("*", "srcdoc"),
            ("div", "data-x"),
            ("a", "formaction"),
        ),
        drop_trackers=False,
    ),
)
KINDS: tuple[BodyKind, ...] = ("html", "markdown", "text")
DANGEROUS_TAGS = name_set(
    "script style svg math iframe frame object embed form input button textarea select base meta link template"
)
DANGEROUS_ATTRIBUTES = {"style", "id", "srcdoc", "formaction", "action", "background", "name", "ping", "target"}

_opening = st.builds(
    lambda tag, attributes, end: f"<{tag}{''.join(attributes)}{end}",
    st.sampled_from(sorted(TAGS)),
    st.lists(st.sampled_from(ATTRIBUTES), max_size=3),
    st.sampled_from([">", ">", ">", "/>", ""]),
)
_closing = st.builds("</{}>".format, st.sampled_from(sorted(TAGS)))
bodies = st.one_of(
    st.lists(st.one_of(_opening, _opening, _closing, st.sampled_from(SCRAPS)), max_size=25).map("".join),
    st.text(st.characters(), max_size=60),
)


def dangers(markup: str) -> list[str]:
    """Return the dangers to a reader, found by a parser that the cleaning does not use."""
    names = []
    for node in independent.fragment_fromstring(markup, create_parent="div").iter():
        if not isinstance(node.tag, str):
            names.append(f"comment {node!r}")
            continue
        if node.tag in DANGEROUS_TAGS:
            names.append(node.tag)
        for name, value in node.attrib.items():
            if name.startswith("on") or name in DANGEROUS_ATTRIBUTES or ":" in name:
                names.append(f"{node.tag} {name}")
            squeezed = re.sub(r"[\s\x00-\x20]+", "", entities.unescape(entities.unescape(value))).lower()
            addressed = name in ("href", "src", "srcset", "poster", "cite")
            if addressed and re.search(r"(?:^|,)(?:javascript|data|vbscript|file):", squeezed):
                names.append(f"{name}={value}")
    return names


@settings(max_examples=600, deadline=None)
@given(bodies, st.sampled_from(KINDS), st.sampled_from(POLICIES), st.booleans())
def test_clean_body_is_harmless_legal_and_stable(body: str, kind: BodyKind, policy: Policy, explain: bool) -> None:
    once = clean(body, kind=kind, policy=policy, explain=explain)
    assert dangers(once.html) == []
    assert legal_text(once.html) == once.html
    assert legal_text(once.text) == once.text
    etree.Element("content").text = once.html
    twice = clean(once.html, kind="html", policy=policy)
    assert (twice.html, twice.text, twice.image) == (once.html, once.text, once.image)


@given(bodies)
def test_images_have_an_address_and_no_referrer(body: str) -> None:
    cleaned = clean(body, kind="html", policy=Policy(base_url="https://example.com/"))
    for picture in independent.fragment_fromstring(cleaned.html, create_parent="div").iter("img"):
        assert picture.get("referrerpolicy") == "no-referrer"
        assert re.match(r"https?://", picture.get("src", ""))


@pytest.mark.parametrize(
    "body", ["\n\ufeffx", "<nav hidden></nav>\n\ufeff<p>", "\ufeff \ufeff<b>", "<xmp>\ufeff<summary>"]
)
def test_byte_order_mark_is_removed(body: str) -> None:
    once = clean(body, kind="html", policy=Policy()).html
    assert not once.startswith("\ufeff")
    assert clean(once, kind="html", policy=Policy()).html == once


def test_forced_attributes_come_last() -> None:
    once = clean('<img srcset="a 1x" src="https://a.org/b.png">', kind="html", policy=Policy()).html
    assert once == '<img src="https://a.org/b.png" referrerpolicy="no-referrer">'


def bombs() -> dict[str, str]:
    """Return bodies that would cost a parser seconds to minutes, or all its memory, if they were not refused."""
    many = range(60_000)
    return {
        "deep": "<div>" * 100_000,
        "deep lists": "<ul><li>" * 20_000,
        "deep but small": "<div>" * 9_000,
        "just too deep": "<div>" * 513 + "x" + "</div>" * 513,
        "attributes": "<div " + " ".join(f"a{i}" for i in many) + ">",
        "attributes beside tags": "<div " + " ".join(f"a{i}<b" for i in many) + ">",
        "attributes with quoted ends": "<div " + " ".join(f"a{i}='>'" for i in many) + ">",
        "attributes behind a style": "<style><x a=\"</style><div y='\">' " + " ".join(f"a{i}" for i in many) + ">",
        "attributes of an end tag": "</div " + " ".join(f"a{i}" for i in many) + ">",
        "formatting": "".join(f"<p><b a={i}>" for i in range(5_000)),
        "formatting in capitals": "".join(f"<P><FONT\tA={i}>" for i in range(5_000)),
        "formatting with odd quotes": "".join(f"<p><i a='>{i}'>" for i in range(5_000)),
        "formatting behind styles": "".join(f"<p><style><b </style><b a={i}>" for i in range(5_000)),
        "formatting revived by ends": "".join(f"<b a={i}>" for i in range(300)) + "</p>" * 9_000,
        "ampersands": "&" * 900_000,
        "open references": "&#" * 450_000,
        "spaces": "\xa0" * 400_000,
        "large": "<p>x</p>" * 125_001,
    }


@pytest.mark.parametrize("name", bombs())
def test_expensive_body_becomes_text_with_a_warning(name: str) -> None:
    cleaned = clean(bombs()[name], kind="html", policy=POLICIES[0])
    assert len(cleaned.warnings) == 1
    assert cleaned.warnings[0].startswith("the body is published as plain text")
    assert set(re.findall(r"</?(\w+)", cleaned.html)) <= {"p"}
    assert clean(cleaned.html, kind="html", policy=POLICIES[0]) == Cleaned(
        html=cleaned.html, text=cleaned.text, image=cleaned.image
    )


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 500 + "x" + "</div>" * 500,
        '<p title="a b c">x <b class="y">z</b></p>\n' * 8_000,
        "<p>unclosed <li>items <br>" * 4_000,
        "<!--" * 100_000,
        "<" * 300_000 + "/",
        "</div>" * 15_000,
        "&amp;" * 150_000,
    ],
    ids=["depth 500", "long", "unclosed", "comments", "angles", "ends", "references"],
)
def test_long_or_odd_body_is_cleaned_as_html(body: str) -> None:
    if body.startswith("<<"):
        body = body[:15_000]
    assert clean(body, kind="html", policy=Policy()).warnings == ()


@pytest.mark.parametrize(
    "body",
    [
        "[" * 200_000,
        "*a_ " * 50_000,
        "> " * 50_000,
        "[a]: http://x/" + "y" * 9_000 + "\n\n" + "[a] " * 90_000,
        "`" * 99_999,
    ],
    ids=["brackets", "emphasis", "quotes", "references", "backticks"],
)
def test_explosive_markdown_stays_bounded(body: str) -> None:
    assert len(clean(body, kind="markdown", policy=Policy()).html) <= 1_000_000


def test_refused_body_keeps_its_visible_text() -> None:
    body = (
        "<script>var a = '<p>no</p>';</script><p>One &amp; <b>two</b></p><!-- no --><p>three&#11;</p>"
        + "<div>" * 30_000
    )
    cleaned = clean(body, kind="html", policy=Policy())
    assert cleaned.html == "<p>One &amp; two</p>\n<p>three</p>"
    assert cleaned.text == "One & two\nthree"


def test_removals_are_listed_only_on_request() -> None:
    body = '<p class=x onclick="a()">t<script>bad()</script><a href="javascript:1">l</a><img src=/p.gif width=1></p>'
    body += "<p class=ad>Buy</p>"
    policy = Policy(base_url="https://example.com/", remove=(".ad",))
    assert clean(body, kind="html", policy=policy).removals == ()
    removals = [(one.what, one.detail) for one in clean(body, kind="html", policy=policy, explain=True).removals]
    assert removals == [
        ("selector .ad", "Buy"),
        ("script", "bad()"),
        ("tracker", "/p.gif"),
        ("attribute class", "x"),
        ("attribute onclick", "a()"),
        ("unsafe URL", "javascript:1"),
    ]


def test_invalid_selector_gives_a_warning() -> None:
    assert clean("<p>x</p>", kind="html", policy=Policy(remove=("p[[",))).warnings == (
        "selector 'p[[' can't be read; write it as CSS, such as .share or div[data-ad]",
    )


@pytest.mark.parametrize(
    ("body", "image"),
    [
        (
            '<img src="https://a.org/avatar/1.png"><img src="https://a.org/b.jpg?x=1&amp;y=2">',
            "https://a.org/b.jpg?x=1&y=2",
        ),
        ('<img src="https://a.org/i.png" width=32 height=32>', None),
        ('<img src="https://picsum.photos/400/300?random=81">', None),
        ('<img src="data:image/png;base64,AA" data-src="https://a.org/real.png">', "https://a.org/real.png"),
        ("<p>no picture</p>", None),
    ],
)
def test_first_real_image_represents_the_article(body: str, image: str | None) -> None:
    assert clean(body, kind="html", policy=Policy()).image == image


@settings(max_examples=500, deadline=None)
@given(
    st.text(alphabet="/.?#;:@%&=+,abAZ09~!$'()*-_ \\é|[]", max_size=12).map(lambda text: f"/{text}"),
    st.sampled_from(
        ("https://example.org/a/b", "http://u:p@EXAMPLE.org:80/x?y#z", "https://a.b/c;d?e", "ftp://x/y", "//x/y", "")
    ),
)
def test_fast_and_full_url_checks_agree(address: str, base: str) -> None:
    # A leading space has no meaning, and disables the fast check of the address.
    assert safe_url(address, base) == safe_url(f" {address}", base)
