"""Test that any feed is read or refused quickly, with the same result each time and safe HTML."""

from __future__ import annotations

import json
import os
import pickle
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from feedtool.config import Html, SourceSettings
from feedtool.feedparse import (
    CleanEntry,
    Job,
    NotAFeedError,
    Parsed,
    RemoteFeed,
    clean_entries,
    parse_and_clean,
    parse_feed,
)
from feedtool.workers.sandbox import JobFailure, Limits, Sandbox
from tests.support.bombs import BOMBS

BODIES = [next(path.glob("feed.*")).read_bytes() for path in sorted((Path(__file__).parent / "remote_cases").iterdir())]
SOURCE = SourceSettings(name="s", url="https://example.org/feed")
SNIPPETS: tuple[bytes, ...] = (
    b"<![CDATA[", b"]]>", b"<!--", b"-->", b"<?x", b"?>", b"&#xD800;", b"&#0;", b"&lt;", b"&nbsp;", b"<", b">", b'"', b"'",
    b"\0", b"\xff", b"<item>", b"</item>", b"<entry>", b"</channel>", b"<!DOCTYPE x [", b"<author>", b"<title type='xhtml'>",
    b"xmlns:a='b'", b"{", b"[", b"1e999", b"<content type='xhtml'>", b"<media:group>", b"<georss:point>1 x</georss:point>",
    b"<svg>", b"</title>", b"<guid/>", b"\xef\xbb\xbf", b"\\",
)  # fmt: skip


UNSAFE = re.compile(r"<(?:script|style|iframe|svg|object|form)\b|<[^>]*\son[a-z]+[\s>]")


def _read(body: bytes, content_type: str = "") -> tuple[RemoteFeed, tuple[CleanEntry, ...]] | str:
    try:
        feed = parse_feed(body, url="https://example.org/feed", content_type=content_type)
    except NotAFeedError as error:
        return str(error)
    return feed, clean_entries(feed, SOURCE, Html())


@st.composite
def mutated(draw: st.DrawFn) -> bytes:
    """Return a feed of the cases with pieces removed, repeated or inserted."""
    body = draw(st.sampled_from(BODIES))[:8000]
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(body)))
        end = min(len(body), start + draw(st.integers(0, 60)))
        piece = draw(st.one_of(st.sampled_from(SNIPPETS), st.binary(max_size=8), st.just(body[start:end] * 2)))
        body = body[:start] + piece + body[end:]
    return body


def _assert_inert(html: str) -> None:
    for node in LexborHTMLParser(f"<body>{html}").css("body *"):
        assert node.tag not in (
            "script",
            "style",
            "iframe",
            "svg",
            "math",
            "object",
            "embed",
            "form",
            "base",
            "meta",
            "link",
        )
        for name, value in node.attributes.items():
            assert not name.startswith("on"), html
            assert not re.match(r"[\0-\x20]*(?:javascript|vbscript|data):", value or "", re.IGNORECASE), html


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@example(b"<rss><channel><item><description>&amp;lt;img onerror=1&amp;gt;</description></item></channel></rss>", "")
@given(mutated(), st.sampled_from(["", "text/xml; charset=gbk", "text/html; charset=iso-8859-1", "x; charset=utf-7"]))
def test_random_changes_are_read_or_refused(body: bytes, content_type: str) -> None:
    outcome = _read(body, content_type)
    assert outcome == _read(body, content_type)
    if isinstance(outcome, str):
        assert outcome
        return
    for entry in outcome[1]:
        _assert_inert(entry.html)
        assert entry.link is None or entry.link.startswith(("http://", "https://"))
        assert entry.thumbnail is None or entry.thumbnail.startswith(("http://", "https://"))
        texts = (entry.title, entry.guid, entry.html, *entry.categories, *(author.name for author in entry.authors))
        assert not any(re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]", text) for text in texts)
        for moment in (entry.published, entry.updated):
            assert moment is None or moment.utcoffset() is not None


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300), st.text(max_size=40))
@example(b"", "")
@example(b"<", "charset=")
@example(b"<rss", "text/xml; charset=\udc00")
@example(b"\xff\xfe\x00", "")
@example(b'{"version": "https://jsonfeed.org/version/1.1", "items": [' + b'{"id":' * 500, "")
@example(b"<rss version='2.0'><channel><georss:point>1 x</georss:point></channel></rss>", "")
def test_any_bytes_are_read_or_refused(body: bytes, content_type: str) -> None:
    _read(body, content_type)


KEYS = [
    "id",
    "url",
    "title",
    "content_html",
    "content_text",
    "authors",
    "author",
    "name",
    "tags",
    "attachments",
    "image",
]
KEYS += ["language", "date_published", "size_in_bytes", "duration_in_seconds", "mime_type"]
VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=6),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(VALUES)
def test_any_json_is_read_or_refused(value: object) -> None:
    for items in (value, [value]):
        feed = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": value,
            "authors": value,
            "hubs": value,
            "items": items,
        }
        _read(json.dumps(feed).encode("utf-8", "surrogatepass"))


def _job(name: str, body: bytes) -> Job:
    return Job(key=name, body=body, url="https://example.org/", source=SOURCE, html=Html())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_small_bodies_are_parsed_quickly() -> None:
    jobs = [
        Job(key=name, body=text.encode(), url="https://example.org/", source=SOURCE, html=Html())
        for name, text in BOMBS.items()
    ]
    done = {job.key: value for job, value in Sandbox(2, limits=Limits(cpu=8, wall=600))(parse_and_clean, iter(jobs))}
    assert {key: value.message for key, value in done.items() if isinstance(value, JobFailure)} == {}
    assert set(done) == set(BOMBS)


def test_worker_results_can_be_pickled() -> None:
    for body in BODIES:
        parsed = parse_and_clean(_job("k", body))
        assert isinstance(parsed, Parsed)
        assert pickle.loads(pickle.dumps(parsed)) == parsed
        assert (parsed.feed is None) == bool(parsed.error)


def test_feedparser_is_left_unpatched() -> None:
    from feedparser import datetimes, mixin

    before = (
        list(datetimes._date_handlers),
        mixin._FeedParserMixin._sync_author_detail,
        mixin._FeedParserMixin._add_tag,
    )
    parse_feed(BOMBS["an author of letters"].encode(), url="")
    assert before == (
        datetimes._date_handlers,
        mixin._FeedParserMixin._sync_author_detail,
        mixin._FeedParserMixin._add_tag,
    )
