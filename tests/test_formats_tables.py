"""Test texts and addresses in feeds row by row: URLs, ids, languages, people, types, and the detection of HTML."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from feedtool.feeds.formats import jsonfeed, rss
from feedtool.feeds.values import (
    address,
    atom_id,
    author_name,
    email_address,
    entry_id,
    folder_of,
    language_tag,
    legal_bytes,
    media_type,
    page_of,
    reads_as_html,
    reference,
    summary_of,
    web_address,
)
from feedtool.models import Author, Enclosure, Entry, Feed, SafeHtml

NOW = datetime(2022, 7, 25, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "uri", "web"),
    [
        ("https://e.org/a?b=c#d", "https://e.org/a?b=c#d", True),
        ("HTTP://e.org", "HTTP://e.org", True),
        (" https://e.org/\x00a ", "https://e.org/a", True),
        ("https://bücher.example/ä b", "https://xn--bcher-kva.example/%C3%A4%20b", True),
        ("https://e.org/%zz%41%", "https://e.org/%25zz%41%25", True),
        ('https://e.org/[x]|"<>^`{}\\', "https://e.org/%5Bx%5D%7C%22%3C%3E%5E%60%7B%7D%5C", True),
        ("http://[::1]:80/ä", "http://[::1]:80/%C3%A4", True),
        ("http://[::1]x/ä", "http://%5B::1%5Dx/%C3%A4", True),
        ("https://a..ü/x", "https://a..%C3%BC/x", True),
        ("mailto:a@e.org", "mailto:a@e.org", False),
        ("urn:x:1", "urn:x:1", False),
        ("tag:e.org,2022:ä", "tag:e.org,2022:%C3%A4", False),
        ("javascript:alert(1)", None, False),
        ("JavaScript:alert(1)", None, False),
        ("vbscript:x", None, False),
        ("data:text/html,x", None, False),
        ("file:///etc/passwd", None, False),
        ("blob:https://e.org/1", None, False),
        ("about:blank", None, False),
        ("https:e.org", None, False),
        ("https:/e.org", None, False),
        ("https://", None, False),
        ("https:///a", None, False),
        ("https://?a", None, False),
        ("http://#a", None, False),
        ("urn:", None, False),
        ("/a/b", None, False),
        ("e.org/a", None, False),
        ("1a:b", None, False),
        ("", None, False),
        (None, None, False),
    ],
)
def test_addresses_are_normalised_or_refused(text: str | None, uri: str | None, web: bool) -> None:
    assert (address(text), web_address(text)) == (uri, uri if web else None)


@pytest.mark.parametrize(
    ("text", "atom", "others"),
    [
        ("https://e.org/a", "https://e.org/a", "https://e.org/a"),
        ("tag:e.org,2022:ä", "tag:e.org,2022:%C3%A4", "tag:e.org,2022:ä"),
        (" urn:x:1\x00 ", "urn:x:1", "urn:x:1"),
        ("12345", "urn:uuid:", "12345"),
        ("a b:c d", "urn:uuid:", "a b:c d"),
        ("x:a b", "urn:uuid:", "x:a b"),
        ("x:", "urn:uuid:", "x:"),
        ("javascript:alert(1)", "urn:uuid:", "urn:uuid:"),
        ("DATA:text/html,x", "urn:uuid:", "urn:uuid:"),
        ("vbscript:x", "urn:uuid:", "urn:uuid:"),
        ("javascriptx:y", "javascriptx:y", "javascriptx:y"),
        ("", "urn:uuid:", ""),
    ],
)
def test_ids_are_written_per_format(text: str, atom: str, others: str) -> None:
    for identity, expected in ((atom_id(text), atom), (entry_id(text), others)):
        assert identity.startswith("urn:uuid:") if expected.startswith("urn:uuid:") else identity == expected


def test_non_uri_id_has_a_constant_urn() -> None:
    assert atom_id("12345") == "urn:uuid:a82b9066-2032-5bba-8bf9-8e865b09025c"
    assert atom_id(" 12345\x00") == atom_id("12345") != atom_id("12346")


@pytest.mark.parametrize(
    ("text", "tag"),
    [
        ("en", "en"),
        ("zh_CN", "zh-CN"),
        (" pt-BR ", "pt-BR"),
        ("zh-Hant-TW", "zh-Hant-TW"),
        ("gsw", "gsw"),
        ("e", None),
        ("english", None),
        ("en-", None),
        ("en-abcdefgh", "en-abcdefgh"),
        ("en-abcdefghi", None),
        ("e1", None),
        ("", None),
        (None, None),
    ],
)
def test_language_is_a_bcp_47_tag(text: str | None, tag: str | None) -> None:
    assert language_tag(text) == tag


@pytest.mark.parametrize(
    ("email", "is_valid"),
    [
        ("ada@e.org", True), (" ada@e.org ", True), ("a+b.c'd%e=f/g!#$&*?^`{|}~-_@a-b.e.org", True), ("a" * 64 + "@e.org", True),
        ("a" * 65 + "@e.org", False), ("ada@e", False), ("ada@" + "e" * 63 + ".org", True), ("ada@" + "e" * 64 + ".org", False),
        ("@e.org", False), ("a b@e.org", False), ("a@b@e.org", False), ("ä@e.org", False), ("ada@é.org", False), ("", False),
    ],
)  # fmt: skip
def test_email_address_is_validated(email: str, is_valid: bool) -> None:
    assert email_address(Author(name="Ada", email=email)) == (email.strip() if is_valid else None)


@pytest.mark.parametrize(
    ("author", "name"),
    [
        (Author(name=" Ada\x00 ", email="ada@e.org"), "Ada"),
        (Author(name=" ", email="ada@e.org", uri="https://e.org/"), "ada@e.org"),
        (Author(name="", email="nobody", uri="https://e.org/"), "https://e.org/"),
        (Author(name="", uri="javascript:x"), ""),
    ],
)
def test_author_has_a_name(author: Author, name: str) -> None:
    assert author_name(author) == name


@pytest.mark.parametrize(
    ("media", "kind"),
    [
        ("audio/mpeg", "audio/mpeg"), (" Audio/MPEG ; x=y", "audio/mpeg"), ("application/vnd.a+b-c.d", "application/vnd.a+b-c.d"),
        ("audio", "application/octet-stream"), ("audio/", "application/octet-stream"), ("/x", "application/octet-stream"),
        ("a/b/c", "application/octet-stream"), ("a b/c", "application/octet-stream"), ("ä/b", "application/octet-stream"),
        ("", "application/octet-stream"),
    ],
)  # fmt: skip
def test_media_type_has_no_parameters(media: str, kind: str) -> None:
    assert media_type(Enclosure(url="https://e.org/a", type=media)) == kind


@pytest.mark.parametrize(
    "text", ["a <b> c", "</p>", "a <!-- b", "<?php", "Tom &amp; Jerry", "&copy", "&#39;", "1 < 2 &lt;", "x&nbsp;y"]
)
def test_text_like_html_is_recognised(text: str) -> None:
    assert reads_as_html(text)


@pytest.mark.parametrize("text", ["a < b", "1<2", "a & b", "AT&T", "a > b", "<3", "&", "&;", "&unknown;", ""])
def test_text_unlike_html_is_recognised(text: str) -> None:
    assert not reads_as_html(text)


@pytest.mark.parametrize(
    ("title", "summary", "content", "expected"),
    [
        ("T", " S\x00 ", "<p>c</p>", "S"),
        ("T", " T ", "<p>c</p>", ""),
        ("T", "T", "", "T"),
        ("T", "", "<p>c</p>", ""),
        ("", "", "", ""),
    ],
)
def test_summary_equal_to_the_title_is_omitted(title: str, summary: str, content: str, expected: str) -> None:
    entry = Entry(id="urn:x:1", title=title, published=NOW, updated=NOW, summary=summary, content=SafeHtml(content))
    assert summary_of(entry) == expected


@pytest.mark.parametrize(
    ("url", "home", "folder", "page"),
    [
        ("https://e.org/", None, "https://e.org/", "https://e.org/"),
        ("https://e.org/ä/", "https://e.org/h", "https://e.org/%C3%A4/", "https://e.org/h"),
        ("https://e.org/", "/h", "https://e.org/", "https://e.org/"),
        ("", None, "", ""),
        ("a b/", None, "a%20b/", "a%20b/"),
    ],
)
def test_feed_has_folder_and_page_addresses(url: str, home: str | None, folder: str, page: str) -> None:
    feed = Feed(path="", id="urn:x:f", title="T", url=url, updated=NOW, home=home)
    assert (folder_of(feed), page_of(feed)) == (folder, page)


def test_references_may_be_relative() -> None:
    assert [reference(text) for text in (" /ä b\x00 ", "a#b", "?q=%zz")] == ["/%C3%A4%20b", "a#b", "?q=%25zz"]


@pytest.mark.parametrize("text", ["a\x00b", "a\ud800b", "a\ufffeb", "a\x85b", "a\U0001ffffb"])
def test_characters_forbidden_in_xml_are_removed(text: str) -> None:
    assert legal_bytes(text) == b"ab"


@pytest.mark.parametrize(("length", "duration"), [(None, None), (0, 0), (5, 7), (-1, -1)])
def test_attachment_sizes_are_not_negative(length: int | None, duration: int | None) -> None:
    file = Enclosure(url="https://e.org/a.mp3", type="audio/mpeg", length=length, duration=duration, title=" T\x00 ")
    entry = Entry(id="urn:x:1", title="T", published=NOW, updated=NOW, enclosures=(file, file))
    (first, _) = json.loads(b"".join(jsonfeed.entry(entry)))["attachments"]
    expected = {"url": "https://e.org/a.mp3", "mime_type": "audio/mpeg", "title": "T"}
    expected |= {"size_in_bytes": length} if length is not None and length >= 0 else {}
    expected |= {"duration_in_seconds": duration} if duration is not None and duration >= 0 else {}
    assert first == expected
    item = b"".join(rss.entry(entry)).decode()
    assert ("fileSize=" in item) == (length is not None and length > 0)
    assert ('duration="' in item) == ("<itunes:duration>" in item) == (duration is not None and duration >= 0)
    assert f'length="{max(length or 0, 0)}"' in item
