"""Test encodings, references, feed discovery and boilerplate of feeds row by row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedtool.feedparse import discover
from feedtool.feedparse.boilerplate import count_repeated, find_boilerplate, load_rules, rule_for_line, selectors_for
from feedtool.feedparse.charset import text_of
from feedtool.feedparse.fields import duration, names, person
from feedtool.feedparse.references import repair_xml
from feedtool.feedparse.text_runs import picture_key, runs_of

CHINESE = "上海市疫情防控工作领导小组召开专题会议，听取近期疫情形势和处置工作情况汇报，研究部署下一阶段重点任务。"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32", "gb18030", "gbk"])
def test_chinese_is_read_without_a_label(encoding: str) -> None:
    text = f"<rss><channel><title>{CHINESE}</title></channel></rss>"
    assert text_of(text.encode(encoding)).text.removeprefix("\ufeff") == text


@pytest.mark.parametrize(
    "header", ["", "text/xml; charset=iso-8859-1", "text/xml; charset=utf-8", "text/xml;charset='gb2312'"]
)
@pytest.mark.parametrize("declared", ["gbk", "gb2312", "GB18030", "utf-8", "x-unknown", "utf-7", "latin-1"])
@pytest.mark.parametrize("encoding", ["utf-8", "gbk"])
def test_wrong_label_keeps_chinese_readable(header: str, declared: str, encoding: str) -> None:
    text = f"<?xml version='1.0' encoding='{declared}'?><rss><channel><title>{CHINESE}</title></channel></rss>"
    assert CHINESE in text_of(text.encode(encoding), header).text


@given(
    st.integers(60, 200), st.sampled_from(["utf-8", "gb18030", "big5"]), st.sampled_from([b"\xff", b"\x80", b"\xc0"])
)
def test_bad_byte_costs_few_characters(place: int, encoding: str, byte: bytes) -> None:
    text = f"<?xml version='1.0' encoding='{encoding}'?><rss>" + "臺灣新聞今天天氣晴朗，氣溫回升。" * 20 + "</rss>"
    raw = text.encode(encoding)
    read = text_of(raw[:place] + byte + raw[place:]).text
    assert read.endswith(text[-200:])


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("a & b", "a &amp; b"),
        ("&nbsp;&eacute;", "&#160;&#233;"),
        ("&amp;&lt;&#60;&#x4e2d;", "&amp;&lt;&#60;&#20013;"),
        ("&unknown; &;", "&amp;unknown; &amp;;"),
        ("&#1114112;&#xD800;&#0;&#xFFFE;" + "&#" + "9" * 5000 + ";", ""),
        ("&#150;&#x93;", "&#8211;&#8220;"),
        ("<![CDATA[a & b &nbsp;]]>&nbsp;", "<![CDATA[a & b &nbsp;]]>&#160;"),
        ("<!-- a & b --> &", "<!-- a & b --> &amp;"),
        ("x\x00y\x0bz\ufffe", "xyz"),
    ],
)
def test_references_become_xml_references(source: str, expected: str) -> None:
    assert repair_xml(f"<rss>{source}</rss>").xml == f"<rss>{expected}</rss>"


@pytest.mark.parametrize(
    "head",
    [
        "\ufeff \n",
        "<?xml version='1.0' encoding='x'?>\n",
        "<!-- c --><?pi?>",
        "<!DOCTYPE rss [<!ENTITY a 'b>]'>]>",
        "<!DOCTYPE rss PUBLIC \"-//x//y\" 'z'>",
        "<br />\n<b>Warning</b>: x in <b>y</b>\n<?xml version='1.0'?>",
        "junk\n",
    ],
)
def test_text_before_the_root_is_removed(head: str) -> None:
    assert repair_xml(head + "<rss>x</rss>").xml == "<rss>x</rss>"


def test_linked_feeds_precede_guessed_ones() -> None:
    page = b"""<html><head><base href="https://example.org/blog/">
        <link rel="stylesheet" href="x.css"><link rel=alternate type="application/rss+xml" title="A &amp; B" href=feed.xml>
        <link rel="alternate" type="application/json" href="/wp-json/wp/v2/posts"><link rel="alternate" hreflang="de" href="/de">
        <LINK REL="ALTERNATE" TYPE="application/atom+xml" HREF="//cdn.example/atom.xml"></head>
        <body><a href="/rss">RSS</a> <a href="/feedback">no</a> <a href="javascript:feed">no</a></body></html>"""
    feeds = discover(page, "https://example.org/blog/post.html")
    assert feeds[:3] == (
        ("https://example.org/blog/feed.xml", "A & B", "rss"),
        ("https://cdn.example/atom.xml", "", "atom"),
        ("https://example.org/rss", "", "link"),
    )
    assert {kind for _, _, kind in feeds[3:]} == {"guess"}
    assert len({url for url, _, _ in feeds}) == len(feeds)


@given(st.binary(max_size=300), st.text(max_size=30))
def test_any_page_can_be_searched_for_feeds(body: bytes, url: str) -> None:
    assert all(
        address.startswith(("http://", "https://")) for address, _, _ in discover(b"<link rel=alternate " + body, url)
    )


def _bodies(texts: list[str], tail: str) -> list[str]:
    return [f"<p>{text}</p><p>{tail}</p>" for text in texts]


OWN = [
    f"The {number} article says something that no other article says, at some length. {'More. ' * number}"
    for number in range(8)
]
TAIL = "Follow our newsletter for more."


@pytest.mark.parametrize(("entries", "removed"), [(1, False), (2, False), (3, False), (4, True), (8, True)])
def test_text_repeated_in_four_entries_is_boilerplate(entries: int, removed: bool) -> None:
    bodies = [runs_of(html) for html in _bodies(OWN[:entries], TAIL)]
    verdict = find_boilerplate(bodies[0], count_repeated(bodies))
    assert bool(verdict.runs) == removed
    assert all(key == TAIL.casefold() for key in verdict.runs)


def test_text_repeated_in_a_minority_is_kept() -> None:
    bodies = [runs_of(html) for html in [*_bodies(OWN[:3], TAIL), *(f"<p>{text} {text}</p>" for text in OWN)]]
    assert not find_boilerplate(bodies[0], count_repeated(bodies)).runs


def test_one_entry_repeated_is_no_boilerplate() -> None:
    bodies = [runs_of(f"<p>{OWN[0]}</p><p>{TAIL}</p>")] * 5
    assert not find_boilerplate(bodies[0], count_repeated(bodies)).runs


@given(
    st.lists(
        st.lists(
            st.sampled_from(["a line of text", "another line", "short", "https", "责任编辑：张三", "x" * 80]),
            max_size=8,
        ),
        max_size=8,
    )
)
def test_at_most_half_of_a_text_is_removed(bodies: list[list[str]]) -> None:
    read = [runs_of("".join(f"<p>{line}</p>" for line in body)) for body in bodies]
    shared = count_repeated(read)
    assert count_repeated(reversed(read)) == shared
    for body in read:
        verdict = find_boilerplate(body, shared)
        removed = sum(len(run.text) for run in body if run.key in verdict.runs)
        assert 2 * removed <= sum(len(run.text) for run in body)


@pytest.mark.parametrize(
    "line",
    [
        "责任编辑：张三",
        "（责任编辑：李四 HN666）",
        "阅读原文",
        "The post A appeared first on B.",
        "Advertisement",
        "Share this:",
        "本文来源：网易",
    ],
)
def test_usual_boilerplate_lines_are_recognised(line: str) -> None:
    assert rule_for_line(line)


@pytest.mark.parametrize(
    "line",
    [
        "责任编辑制度是出版业的基本制度。",
        "The post office is closed.",
        "Share this with care",
        CHINESE,
        "广告法修订草案公布",
        "",
    ],
)
def test_article_lines_are_not_boilerplate(line: str) -> None:
    assert not rule_for_line(line)


def test_every_builtin_selector_is_valid_css() -> None:
    from feedtool.html.tree import Tree

    tree = Tree("<p>x</p>")
    for _, selector, _ in (*load_rules().by_name, *load_rules().by_text):
        tree.find(selector)
    assert selectors_for('<div class="a appendQr_wrap">')


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://e.org/a.png?x=1#f", "e.org/a.png"),
        ("//e.org/a.png", "e.org/a.png"),
        ("http://e.org/image?id=1", "e.org/image?id=1"),
    ],
)
def test_urls_of_one_image_share_a_key(url: str, key: str) -> None:
    assert picture_key(url) == key


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("1:02:03", 3723), ("62:03", 3723), ("3723", 3723), ("3723.5", 3723), ("", None), ("x", None), ("0", None)],
)
def test_durations_are_read(text: str, seconds: int | None) -> None:
    assert duration(text) == seconds


def test_people_and_categories_are_read() -> None:
    assert person("", "a@b.org") is not None
    assert person(" ", "") is None
    assert names(
        [{"term": "a"}, {"term": "a"}, {"term": "b", "label": "B"}, {"term": "x", "scheme": "http://www.itunes.com/"}]
    ) == ("a", "B")
