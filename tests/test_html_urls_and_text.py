"""Test URLs and texts of HTML with tables of inputs and outputs and with properties of any string."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedtool.html import is_placeholder, is_tracker, legal_text, plain_text, safe_url, summarize, unwrap_proxy

BASE = "https://example.com/a/b?q"
any_text = st.text(st.characters(), max_size=80)
url_parts = (
    *("http", "https", "javascript", "data", ":", "/", "//", "\\", "?", "#", "%", "%41", "%zz", "a", "b.org", "中"),
    *(
        "例え.jp",
        "@",
        "8080",
        "::",
        "[",
        "]",
        "[::1]",
        ".",
        "..",
        "&",
        "&#58;",
        "&colon;",
        "=",
        ",",
        "(",
        "\t",
        "\n",
        "\0",
    ),
    *("\ud800", "\xa0", " "),
)
url_text = st.lists(st.sampled_from(url_parts), max_size=12).map("".join)


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://a.org/x", "https://a.org/x"),
        ("HTTP://A.org:80/A b?q=中#é#", "http://a.org:80/A%20b?q=%E4%B8%AD#%C3%A9%23"),
        ("c.png", "https://example.com/a/c.png"),
        ("/c.png", "https://example.com/c.png"),
        ("//cdn.org/c", "https://cdn.org/c"),
        ("https:\\\\evil.org\\x", "https://evil.org/x"),
        ("/\\evil.org", "https://evil.org"),
        (" https://a.org/\n\tx ", "https://a.org/x"),
        ("https:/a.org/x", "https://a.org/x"),
        ("http://例え.jp/", "http://xn--r8jz45g.jp/"),
        ("https://u:p@a.org/", "https://u:p@a.org/"),
        ("http://[::1]/", "http://[::1]/"),
        ("https://a.org/%zz%41", "https://a.org/%25zz%41"),
        ("?x", "https://example.com/a/b?x"),
        ("#f", "https://example.com/a/b?q#f"),
        ("javascript:1", None),
        ("java\tscript:1", None),
        ("\x01javascript:1", None),
        ("javascript&colon;1", None),
        ("&#106;avascript:1", None),
        ("data:text/html,x", None),
        ("vbscript:x", None),
        ("file:///etc/passwd", None),
        ("mailto:a@b.org", None),
        ("http:///", None),
        ("http://[zz]/", None),
        ("http://a.org:99999/", None),
        ("https://" + "a" * 40_000, None),
        ("", None),
    ],
)
def test_addresses_become_absolute_and_safe_or_none(url: str, safe: str | None) -> None:
    assert safe_url(url, BASE) == safe


def test_relative_address_needs_a_base() -> None:
    assert safe_url("/a") is None
    assert safe_url("//a.org/b") == "https://a.org/b"
    assert safe_url("//a.org/b", "http://x.org/") == "http://a.org/b"


def test_other_schemes_pass_only_if_requested() -> None:
    assert safe_url("mailto:a@b.org", schemes=("mailto",)) == "mailto:a@b.org"
    assert safe_url("https://a.org", schemes=("mailto",)) in (None, "https://a.org")


@given(st.one_of(url_text, any_text), st.sampled_from(["", BASE, "nonsense", "http://x.org"]))
def test_safe_address_is_ascii_absolute_and_stable(url: str, base: str) -> None:
    safe = safe_url(url, base)
    if safe is not None:
        assert re.fullmatch(r"https?://[!-~]+", safe)
        assert safe_url(safe, BASE) == safe


@pytest.mark.parametrize(
    ("url", "inner"),
    [
        ("https://cors.example.dev/?http://host/a.png", "http://host/a.png"),
        ("https://any.org?https%3A%2F%2Fhost%2Fa.png", "https://host/a.png"),
        ("https://cors.any.org/https://host/a.png", "https://host/a.png"),
        ("https://wsrv.nl/?url=host.org/a.png&w=9", "https://host.org/a.png"),
        ("https://images.weserv.nl/?w=1&url=ssl:host.org%2Fa.png", "https://host.org/a.png"),
        ("https://a.org/?x=https://host/a.png", "https://a.org/?x=https://host/a.png"),
        ("https://a.org/a.png", "https://a.org/a.png"),
    ],
)
def test_image_proxies_are_removed(url: str, inner: str) -> None:
    assert unwrap_proxy(url) == inner


@pytest.mark.parametrize(
    ("url", "tracker", "placeholder"),
    [
        ("https://www.google-analytics.com/collect", True, False),
        ("https://pixel.wp.com/g.gif?v=ext", True, False),
        ("http://feeds.feedburner.com/~r/x/~4/y", True, False),
        ("http://feeds.feedburner.com/x.png", False, False),
        ("https://example.com/matomo.php?idsite=1", True, False),
        ("https://notgoogle-analytics.com/a.png", False, False),
        ("https://picsum.photos/400/300?random=81", False, True),
        ("https://example.com/img/blank.gif", False, True),
        ("https://example.com/blank-page-design.gif", False, False),
        ("data:image/gif;base64,R0", False, True),
        ("", False, True),
        ("https://n.sinaimg.cn/a.png", False, False),
    ],
)
def test_trackers_and_placeholders_are_recognised(url: str, tracker: bool, placeholder: bool) -> None:
    assert (is_tracker(url), is_placeholder(url)) == (tracker, placeholder)


@pytest.mark.parametrize(
    ("fragment", "text"),
    [
        ("Vec<T> &amp; <b>bold</b>", "Vec<T> & bold"),
        ("&lt;b&gt; &amp;lt;", "<b> &lt;"),
        ("a<br>b<p>c", "a b c"),
        ("<script>x</script>a<style>y</style>", "a"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ('<a title="x > y">z</a>', "z"),
        ("a\u202eb\u3000\n c\x00", "ab c"),
        ("<!-- x --> a <!-- open", "a <!-- open"),
        ("　标题　", "标题"),
        ('<img src="a.jpg" alt="cat<br />dog">', ""),
        ("<blink>safe</blink> text", "safe text"),
        ('safe<applet code="a"></applet> text', "safe text"),
        ('safe<frameset rows="*"><frame src="a"></frameset> text', "safe text"),
        ("safe<!--", "safe"),
        ("Frame<frame> and List<data>", "Frame<frame> and List<data>"),
    ],
)
def test_titles_become_plain_text(fragment: str, text: str) -> None:
    assert plain_text(fragment) == text


@pytest.mark.parametrize("part", ["<", "<a", "<!--", "<a '", '<a "b', "&", "<script>", "<a b=", "]]>", "<a/"])
def test_plain_text_takes_linear_time(part: str) -> None:
    assert isinstance(plain_text(part * 200_000), str)


@given(any_text)
def test_plain_text_is_legal_and_on_one_line(fragment: str) -> None:
    text = plain_text(fragment)
    assert legal_text(text) == text
    assert text == " ".join(text.split())


@pytest.mark.parametrize(
    ("text", "length", "summary"),
    [
        ("Short.", 20, "Short."),
        ("One two three. Four five six seven", 20, "One two three."),
        ("One. Two three four five six seven", 20, "One. Two three four…"),
        ("第一句话说完了。第二句话还没有说完呢", 12, "第一句话说完了。"),
        ("没有标点的一长串汉字没有标点的一长串汉字", 10, "没有标点的一长串汉…"),
        ("Version 1.2.3 of something is out now", 16, "Version 1.2.3…"),
        ("x" * 50, 10, "x" * 9 + "…"),
        ("He said “stop!” Then he went on and on", 20, "He said “stop!”"),
    ],
)
def test_summaries_end_at_a_sentence_or_a_word(text: str, length: int, summary: str) -> None:
    assert summarize(text, length=length) == summary


@given(any_text, st.integers(5, 60))
def test_summary_is_a_short_prefix_of_the_text(text: str, length: int) -> None:
    summary = summarize(text, length=length)
    assert len(summary) <= length
    assert " ".join(text.split()).startswith(summary.removesuffix("…"))


@given(st.text(st.characters(exclude_categories=()), max_size=60))
def test_legal_text_drops_only_forbidden_characters(text: str) -> None:
    def legal(one: str) -> bool:
        code = ord(one)
        if code in (9, 10, 13):
            return True
        control = code < 32 or 127 <= code < 160
        return not (control or 0xD800 <= code < 0xE000 or 0xFDD0 <= code < 0xFDF0 or code & 0xFFFE == 0xFFFE)

    assert legal_text(text) == "".join(one for one in text if legal(one))


@pytest.mark.parametrize(
    "one",
    [
        "\0",
        "\x0b",
        "\x1b",
        "\x7f",
        "\x85",
        "\ud800",
        "\ufdd0",
        "\ufffe",
        "\uffff",
        "\U0001fffe",
        "\U0010ffff",
    ],
)
@pytest.mark.parametrize("around", ["a", "é", "中", "😀"])
def test_each_illegal_character_is_found_among_others(one: str, around: str) -> None:
    assert legal_text(around + one + around) == around * 2
