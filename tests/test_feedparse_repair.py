"""Test that an error in one entry or in the head of a malformed feed changes no other entry."""

from __future__ import annotations

import io
import re
import xml.sax
import xml.sax.handler
from html import escape

import feedparser
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from feedtool.feedparse import RemoteEntry, RemoteFeed, parse_feed
from feedtool.feedparse.references import KNOWN_PREFIXES, repair_xml
from feedtool.feedparse.wellformed import well_formed

URL = "https://blog.example.org/feed.xml"
WORDS = st.text(
    st.sampled_from("ab é盐 &<>\"'.;#-]") | st.characters(codec="utf-8", exclude_categories=["C"]), max_size=30
)
MARKUP = st.sampled_from(
    [
        "<p>Some <b>words</b> &amp; <a href='https://x.example.com/?a=1&amp;b=2'>more</a></p>",
        "line<br>two<!-- more --> three",
        "<pre>a --> b &lt;item&gt; ]] > c</pre>",
        "plain words",
        "<p>盐 &nbsp; 糖</p>\n<p>two</p>",
        "",
    ]
)


def _text(value: str) -> str:
    return escape(value, quote=False)


def _cdata(value: str) -> str:
    return "<![CDATA[" + value.replace("]]>", "]]]]><![CDATA[>") + "]]>"


ESCAPES = st.sampled_from([_text, _cdata])


@st.composite
def rss_items(draw: st.DrawFn, number: int) -> str:
    write = draw(ESCAPES)
    parts = [
        f"<title>{write(draw(WORDS))}</title>",
        f"<link>https://blog.example.org/?p={number}&amp;b=2</link>",
        f'<guid isPermaLink="false">n{number}</guid>',
        f"<description>{draw(ESCAPES)(draw(MARKUP))}</description>",
    ]
    parts += draw(
        st.lists(
            st.sampled_from(
                [
                    f"<content:encoded>{_cdata('<p>Whole &amp; text</p>')}</content:encoded>",
                    "<dc:creator>Anna &amp; Ben</dc:creator>",
                    "<author>anna@letters.example (Anna)</author>",
                    "<category domain='a&amp;b'>Salt &amp; pepper</category>",
                    '<enclosure url="https://x.example.com/a.mp3?a=1&amp;b=2" type="audio/mpeg" length="9"/>',
                    '<media:content url="https://x.example.com/a.jpg" medium="image">'
                    "<media:description>A</media:description></media:content>",
                    "<source url='https://y.example.com/'>Other</source>",
                    '<geo:lat xmlns:geo="http://www.w3.org/2003/01/geo/wgs84_pos#">1.5</geo:lat>',
                    "<x:other>text &lt;b&gt; <x:inner a='1'/></x:other>",
                    "<!-- a comment -->",
                ]
            ),
            max_size=4,
        )
    )
    return f"<item>{''.join(parts)}</item>"


@st.composite
def atom_entries(draw: st.DrawFn, number: int) -> str:
    body = draw(
        st.sampled_from(
            [
                '<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>a<br/>b &amp; <i>c</i></p></div></content>',
                f'<content type="html">{_text("<p>x &amp; <b>y</b></p>")}</content>',
                f'<summary type="html">{_cdata("<p>x &amp; y</p>")}</summary>',
                "<summary>Only &lt;text&gt;</summary>",
                "",
            ]
        )
    )
    more = draw(
        st.sampled_from(
            [
                "",
                "<author><name>Ben</name><email>ben@news.online</email></author>",
                '<link rel="enclosure" href="https://x.example.com/b.mp3?x&amp;y" type="audio/mpeg"/>',
                "<category term='Salt &amp; pepper'/>",
                "<source><title>Other</title><id>urn:x:o</id><author><name>Carl</name></author></source>",
            ]
        )
    )
    language = draw(st.sampled_from(["", ' xml:lang="de"']))
    return (
        f"<entry{language}><title>{_text(draw(WORDS))}</title><id>urn:x:{number}</id>"
        f"<updated>2024-01-0{1 + number}T00:00:00Z</updated>"
        f'<link href="https://blog.example.org/?p={number}&amp;b=2"/>{body}{more}</entry>'
    )


RSS = (
    '<rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:x="urn:x"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"><channel>'
    "<title>A blog</title><link>https://blog.example.org/</link><description>About &lt;b&gt;</description><language>en</language>",
    "</channel></rss>",
)
RDF = (
    '<rdf:RDF xmlns="http://purl.org/rss/1.0/" xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"'
    ' xmlns:content="http://purl.org/rss/1.0/modules/content/" xmlns:x="urn:x"'
    ' xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/">'
    '<channel rdf:about="https://blog.example.org/"><title>R</title><link>https://blog.example.org/</link>'
    "<description>d</description><items><rdf:Seq><rdf:li rdf:resource='x'/></rdf:Seq></items></channel>",
    "</rdf:RDF>",
)
ATOM = (
    '<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="en"><title>A feed</title><id>urn:x:f</id>'
    "<updated>2024-01-01T00:00:00Z</updated><author><name>Anna</name><email>anna@berg.example</email></author>"
    '<link href="https://blog.example.org/"/>',
    "</feed>",
)


class Document:
    """A well-formed feed: `head`, `entries`, `tail`."""

    def __init__(self, head: str, entries: list[str], tail: str) -> None:
        self.head, self.entries, self.tail = head, entries, tail

    @property
    def guids(self) -> list[str]:
        """Return the guids of the entries."""
        form = "urn:x:{}" if self.tail == ATOM[1] else "n{}"
        return [form.format(number) for number in range(len(self.entries))]

    def part(self, number: int) -> str:
        """Return an entry, or the head for -1."""
        return self.head if number < 0 else self.entries[number]

    def __repr__(self) -> str:
        return repr(self.text())

    def text(self, changed: int | None = None, new: str = "") -> str:
        """Return the document with the part of this number (-1: the head) replaced."""
        parts = [self.head, *self.entries]
        if changed is not None:
            parts[changed + 1] = new
        return '<?xml version="1.0" encoding="utf-8"?>\n' + "\n".join([*parts, self.tail])


@st.composite
def documents(draw: st.DrawFn) -> Document:
    kind = draw(st.sampled_from([RSS, RDF, ATOM]))
    make = atom_entries if kind is ATOM else rss_items
    return Document(kind[0], [draw(make(number)) for number in range(draw(st.integers(2, 4)))], kind[1])


def _read(text: str) -> RemoteFeed:
    return parse_feed(text.encode(), url=URL)


def _by_id(feed: RemoteFeed) -> dict[str, RemoteEntry]:
    return {entry.guid: entry for entry in feed.entries}


def _is_well_formed(text: str) -> bool:
    try:
        xml.sax.parseString(text.encode(), xml.sax.ContentHandler())
    except xml.sax.SAXParseException:
        return False
    return True


IN_TEXT = (
    "<", " < ", "<1", "<a", "<b c", "&", " & ", "&nbsp;", "&foo;", "&#0;",
    "<br>", "<p>", "<b>", "<li>", "<img src='x'>", "<div lang='fr'>", "<link rel='stylesheet' href='y'>", "<title>",
    "<source src='x'>", "<a href=x>", "<a b>", "<i x=1 y>", '<i a="1" a="2">', '<i a="1"b="2">', "<flag on/>",
    "<a href='x>", '<a href="x>', "</b>", "</p>", "</div>", "</title>", "</br>", "]]>", "<!-- a -- b -->", "<!-- a --->",
    "<?php", "<?", "<!", "<!DOCTYPE html>", "<x:y>", "<undeclared:z/>", "<?xml version='1.0'?>", "\x01", "<a@b.org>", "<中>",
    "<http://x.example.com/>", "a <b and c> d",
)  # fmt: skip
SWALLOWING = ("<![CDATA[", "<!--")


def _places(part: str) -> list[int]:
    """Return the positions in a part where text or a tag may be inserted: after a tag, outside sections."""
    places, at = [], 0
    while (at := part.find(">", at)) >= 0:
        at += 1
        before = part[:at]
        # Entries inherit the feed's author and language, so errors there change the entries, too.
        if part.startswith("<feed") and "<name>" in before and "</email>" not in before:
            continue
        if before.endswith("<language>"):
            continue
        if before.count("<![CDATA[") == before.count("]]>") and before.count("<!--") == before.count("-->"):
            places.append(at)
    return places


def _assert_others_unchanged(document: Document, changed: int, text: str) -> None:
    before, feed = _by_id(_read(document.text())), _read(text)
    after = _by_id(feed)
    for number, guid in enumerate(document.guids):
        if number != changed:
            assert after.get(guid) == before[guid]
    assert feed.title == _read(document.text()).title or changed == -1
    assert bool(feed.notes) or _is_well_formed(text)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_error_keeps_every_other_entry(data: st.DataObject) -> None:
    document = data.draw(documents())
    changed = data.draw(st.integers(-1, len(document.entries) - 1))
    part = document.part(changed)
    place = data.draw(st.sampled_from(_places(part)))
    error = data.draw(st.sampled_from(IN_TEXT))
    _assert_others_unchanged(document, changed, document.text(changed, part[:place] + error + part[place:]))


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_raw_character_keeps_every_other_entry(data: st.DataObject) -> None:
    document = data.draw(documents())
    changed = data.draw(st.integers(0, len(document.entries) - 1))
    part = document.part(changed)
    place = data.draw(st.integers(0, len(part)))
    sign = data.draw(st.sampled_from("<&"))
    _assert_others_unchanged(document, changed, document.text(changed, part[:place] + sign + part[place:]))


@settings(max_examples=30, deadline=None)
@given(documents(), st.sampled_from(["<en", "e<n", "en<", "&en", "en&", "en&nbsp;", "en<br>"]))
def test_raw_character_keeps_the_language(document: Document, language: str) -> None:
    text = document.text().replace("<language>en<", f"<language>{language}<")
    assert [entry.language for entry in _read(text).entries] == [
        entry.language for entry in _read(document.text()).entries
    ]


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.data())
def test_error_that_swallows_text_keeps_other_entries(data: st.DataObject) -> None:
    document = data.draw(documents())
    changed = data.draw(st.integers(-1, len(document.entries) - 1))
    part = document.part(changed)
    ends = [at for delimiter in ("]]>", "-->", '"', "'") for at in _all(part, delimiter)]
    if ends and data.draw(st.booleans()):
        place = data.draw(st.sampled_from(ends))
        size = 1 if part[place] in "\"'" else 3
        text = document.text(changed, part[:place] + part[place + size :])
    else:
        place = data.draw(st.sampled_from(_places(part)))
        delimiter = data.draw(st.sampled_from(SWALLOWING))
        text = document.text(changed, part[:place] + delimiter + part[place:])
    before, feed = _by_id(_read(document.text())), _read(text)
    for guid, entry in _by_id(feed).items():
        if guid in before and guid != (document.guids[changed] if changed >= 0 else ""):
            assert entry == before[guid]
    missing = len(document.entries) - len(feed.entries)
    assert missing <= 0 or any(f"{missing} entr" in note for note in feed.notes)


def _all(text: str, delimiter: str) -> list[int]:
    return [at for at in range(len(text)) if text.startswith(delimiter, at)]


@settings(max_examples=60, deadline=None)
@given(documents())
def test_valid_feed_has_no_note(document: Document) -> None:
    assert _is_well_formed(document.text())
    assert _read(document.text()).notes == ()


PIECES = (
    *IN_TEXT, *SWALLOWING, "-->", "<item>", "</item>", "<entry>", "</channel>", "</rss>", "<rss>", "<channel>",
    "<author>", "</author>", "<a:b c:d='&lt;'>", "</a:b>", "xmlns:a='u'", "<e xmlns:a='u' xmlns='v'/>", "<a:b:c>",
    "<-", '"', "'", "=", ">", "/>", "<x y", "<中 文>", "</中>", "text", " ", "\n", "&amp;", "&lt;",
    "<e xml:lang='de' xml:lang='en'>", "<e a:b='1' b='2'>",
)  # fmt: skip


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=25), st.sampled_from([RSS, RDF, ATOM]))
def test_repaired_feed_is_well_formed(pieces: list[str], kind: tuple[str, str]) -> None:
    repaired = repair_xml(kind[0] + "".join(pieces) + kind[1])
    rewritten = well_formed(repaired.xml, repaired.root, KNOWN_PREFIXES).xml
    parser = xml.sax.make_parser()
    parser.setFeature(xml.sax.handler.feature_namespaces, True)
    parser.parse(io.BytesIO(rewritten.encode()))


@settings(max_examples=60, deadline=None)
@given(documents())
def test_feedparser_agrees_on_valid_feeds(document: Document) -> None:
    ours = _read(document.text())
    theirs = feedparser.parse(
        io.BytesIO(document.text().encode()), sanitize_html=False, resolve_relative_uris=False
    ).entries
    assert [entry.link for entry in ours.entries] == [entry.get("link") for entry in theirs]
    assert [entry.guid for entry in ours.entries] == [entry.get("id") for entry in theirs]
    for entry, other in zip(ours.entries, theirs, strict=True):
        bodies = [other.get("summary") or "", *(one.value for one in other.get("content", ()))]
        # feedparser writes empty elements with an end tag.
        assert entry.content in [body.replace("</br>", "") for body in bodies]


def test_truncated_feed_keeps_complete_entries() -> None:
    items = [
        f"<item><title>T{number}</title><description>&lt;p&gt;D{number}</description></item>" for number in range(3)
    ]
    whole = Document(RSS[0], items, RSS[1])
    text = whole.text()
    for place in range(text.index("<item>"), len(text)):
        feed = _read(text[:place])
        complete = text[:place].count("</item>")
        assert feed.entries[:complete] == _read(text).entries[:complete]
        assert feed.notes


@pytest.mark.parametrize("sign", ["<", "&"])
@pytest.mark.parametrize("kind", [RSS, RDF, ATOM], ids=["rss", "rdf", "atom"])
def test_raw_character_around_entries_keeps_them(kind: tuple[str, str], sign: str) -> None:
    entry = (
        "<entry><id>a</id><title>Q&amp;A</title></entry>"
        if kind is ATOM
        else "<item><title>Q&amp;A</title><description><![CDATA[a <b>b</b>]]></description></item>"
    )
    head, tail = kind
    expected = _read(Document(head, [entry, entry], tail).text()).entries
    for place in range(len(head) + 1):
        if not re.search(r"<(?:name|email)>[^<]*<?\Z", head[:place]):
            changed = head[:place] + sign + head[place:]
            assert _read(Document(changed, [entry, entry], tail).text()).entries == expected, changed
    for place in range(len(tail) + 1):
        changed = tail[:place] + sign + tail[place:]
        assert _read(Document(head, [entry, entry], changed).text()).entries == expected, changed


def test_two_roots_are_one_feed() -> None:
    first = Document(RSS[0], ["<item><title>One</title></item>"], RSS[1]).text()
    second = Document(RSS[0].replace("A blog", "Other"), ["<item><title>Two</title></item>"], RSS[1]).text()
    feed = _read(first + second)
    assert (feed.title, [entry.title for entry in feed.entries]) == ("A blog", ["One", "Two"])
    assert feed.notes


@pytest.mark.parametrize("kind", [RSS, RDF, ATOM], ids=["rss", "rdf", "atom"])
@pytest.mark.parametrize(
    "before",
    [
        "warning: x\n",
        "<?xml version='1.0'?>\nwarning: x\n",
        "<!-- a -- b -->",
        "<br />\n<b>Warning</b>: x <br />",
        "<!-- open\n",
        "\n\n",
    ],
)
@pytest.mark.parametrize(
    "behind", ["", "\n<!-- a -- b -->", " junk & more", "<html><body><p>x</body></html>", "<!-- open", "</b>"]
)
def test_text_around_a_feed_changes_nothing(kind: tuple[str, str], before: str, behind: str) -> None:
    entry = "<entry><id>a</id><title>Q&amp;A</title></entry>" if kind is ATOM else "<item><title>Q&amp;A</title></item>"
    text = Document(kind[0], [entry, entry], kind[1]).text()
    feed = _read(before + text + behind)
    assert feed.entries == _read(text).entries
    assert feed.title == _read(text).title
    assert feed.notes


def test_misspelt_entry_tag_is_recognised() -> None:
    items = [f"<item><title>T{number}</title></item>" for number in range(3)]
    expected = _read(Document(RSS[0], items, RSS[1]).text()).entries
    for wrong in ("<it<em>", "<item<>", "<<item>", "<it&em>", "</item", "<item"):
        for place in (0, 1):
            changed = [
                item.replace("<item>" if "/" not in wrong else "</item>", wrong) if number == place else item
                for number, item in enumerate(items)
            ]
            assert [one.title for one in _read(Document(RSS[0], changed, RSS[1]).text()).entries] == [
                one.title for one in expected
            ], (wrong, place)
