"""Test that the comparison with feedparser's test folders tells intended differences from errors."""

from __future__ import annotations

import pytest

from tests.support.feedparser_folders import Claim, claims, main
from tests.support.site import write

FEED = """<!--
Description: made for this test
Expect:      not bozo and {}
-->
<rss version="2.0"><channel><title>Wire</title><item><title>A &lt;b&gt;story&lt;/b&gt;</title>
<link>http://example.org/1</link><guid>tag:1</guid><pubDate>Thu, 01 Jan 2004 19:48:21 GMT</pubDate></item></channel></rss>
"""
TRUE = (
    "feed['title'] == 'Wire' and entries[0]['title'] == 'A <b>story</b>' and entries[0]['link'] == 'http://example.org/1'"
    " and entries[0]['id'] == 'tag:1' and entries[0]['published_parsed'] == (2004, 1, 1, 19, 48, 21, 3, 1, 0)"
)


@pytest.mark.parametrize(
    ("name", "expected", "code", "message"),
    [
        ("rss/good.xml", TRUE, 0, "5 claims of well-formed files, 0 files"),
        ("rss/lie.xml", "entries[0]['link'] == 'http://example.org/2'", 1, "UNEXPLAINED"),
        ("rss/late.xml", "entries[0]['published_parsed'] == (2004, 1, 1, 19, 48, 22, 3, 1, 0)", 1, "UNEXPLAINED"),
        ("rss/short.xml", "entries[1]['title'] == 'Another'", 1, "no such entry"),
        (
            "base/http_entry_id_base_docuri.xml",
            "entries[0]['id'] == 'http://example.org/tag'",
            0,
            "compared as written",
        ),
        ("rss/nothing.xml", "entries[0]['where']['type'] == 'Point'", 1, "0 claims"),
    ],
)
def test_difference_is_reported_with_its_reason(tmp_path, capsys, name, expected, code, message):
    write(tmp_path / "wellformed" / name, FEED.format(expected))
    assert main([str(tmp_path)]) == code
    assert message in capsys.readouterr().out


def test_non_comparisons_make_no_claim():
    text = "not bozo and entries[0]['link'] in 'x' and feed['title'] == 'T' and feed.title == 'U' and len(entries) == 2"
    assert list(claims(text)) == [Claim(None, "title", "T"), Claim(None, "title", "U")]
