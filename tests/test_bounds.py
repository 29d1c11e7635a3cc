"""Test every bound with the largest accepted value and with the first refused one."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections.abc import Callable
from typing import NamedTuple

import pytest

from feedtool.articles import Rules, read_article
from feedtool.articles.fences import MAXIMUM as LONGEST_FRONT
from feedtool.articles.fields import MAXIMUM_NAMES
from feedtool.articles.yaml import MAXIMUM_BRACKETS, MAXIMUM_DEPTH, MAXIMUM_EVENTS, MAXIMUM_SIZE, YamlError
from feedtool.articles.yaml_loader import load_fully
from feedtool.config import InvalidSettingsError, parse_settings
from feedtool.config.parse import MAX_CHARACTERS, MAX_LINE
from feedtool.config.validate import MAX_REGEX, MAX_SLUG_BYTES
from feedtool.dates.parse import _MAXIMUM_LENGTH as LONGEST_DATE
from feedtool.dates.parse import parse_date
from feedtool.errors import FeedtoolError
from feedtool.feedparse import parse
from feedtool.feedparse.models import NotAFeedError
from feedtool.feedparse.opml import MAXIMUM as LARGEST_LIST
from feedtool.feedparse.opml import read_opml
from feedtool.feedparse.references import MAX_ATTRIBUTES, MAX_NAMESPACES, repair_xml
from feedtool.html import limits
from feedtool.html.urls import MAX_URL, safe_url
from feedtool.http import urls
from feedtool.http.decompress import LARGEST_WINDOW, MAX_MEMBERS, unpacker
from feedtool.http.guard import MAX_ADDRESSES, Guard
from feedtool.http.headers import LONGEST_AGE, LONGEST_VALUE, LONGEST_WAIT, max_age, retry_after, validator
from feedtool.http.models import RefusalError
from feedtool.slugs import file_name, slug

SITE = '[site]\ntitle = "T"\nurl = "https://example.org/"\n'


def refuses(kind: type[Exception], work: Callable[[], object]) -> bool:
    """Return True if `work` raises an error of this kind; let any other error fail the test."""
    try:
        work()
    except kind:
        return True
    return False


class Bound(NamedTuple):
    """A bound, and a function that returns True if a size is refused."""

    most: int
    is_refused: Callable[[int], bool]


def settings(text: str) -> bool:
    return refuses(FeedtoolError, lambda: parse_settings(SITE + text))


def yaml(text: str) -> bool:
    return refuses(YamlError, lambda: load_fully(text))


def body(text: str) -> bool:
    return limits.refusal(text) != ""


def filled(start: str, end: str, size: int) -> str:
    return start + "x" * (size - len(start) - len(end)) + end


def integer_setting(name: str, table: str) -> Callable[[int], bool]:
    return lambda size: settings(f"{table}\n{name} = {size}\n" if table else f"{name} = {size}\n")


def members(count: int) -> bool:
    packed = zlib.compressobj(wbits=31)
    one = packed.compress(b"") + packed.flush()

    def unpack() -> None:
        work = unpacker("gzip")
        for _ in work.feed(one * count):
            pass
        work.finish()

    return refuses(RefusalError, unpack)


def tags(count: int) -> str:
    return "<br>" * count


BOUNDS = {
    "bytes of a body": Bound(limits.MAX_BYTES, lambda n: body("x" * n)),
    "bytes of Markdown": Bound(limits.MAX_BYTES, lambda n: limits.markdown_refusal("x" * n) != ""),
    "bytes of a clean body": Bound(limits.MAX_BYTES, lambda n: limits.output_refusal("x" * n) != ""),
    "bytes of a clean body beyond ASCII": Bound(limits.MAX_BYTES // 2, lambda n: limits.output_refusal("é" * n) != ""),
    "tags of a body": Bound(limits.MAX_TAGS, lambda n: body(tags(n))),
    "tags of a clean body": Bound(limits.MAX_TAGS, lambda n: limits.output_refusal(tags(n)) != ""),
    "depth of a body": Bound(limits.MAX_DEPTH, lambda n: body("<div>" * n + "</div>" * n + tags(600))),
    "depth of a clean body": Bound(
        limits.MAX_DEPTH, lambda n: limits.output_refusal("<div>" * n + "</div>" * n + tags(600)) != ""
    ),
    "open tags of a body": Bound(limits._OPEN_LIMIT, lambda n: "open" in limits.refusal("<div>" * n)),
    "characters of an address": Bound(MAX_URL, lambda n: safe_url(filled("https://a.example/", "", n)) is None),
    "characters of a rooted address": Bound(
        MAX_URL, lambda n: safe_url(filled("/", "", n - len("https://a.example")), "https://a.example/") is None
    ),
    "characters of a front matter": Bound(MAXIMUM_SIZE, lambda n: yaml(filled("a: ", "", n))),
    "depth of a front matter": Bound(MAXIMUM_DEPTH - 1, lambda n: yaml("a: " + "[" * n + "]" * n)),
    "brackets of a front matter": Bound(MAXIMUM_BRACKETS, lambda n: yaml("".join(f"k{i}: [a]\n" for i in range(n)))),
    "characters of an address to fetch": Bound(
        urls.LONGEST, lambda n: refuses(RefusalError, lambda: urls.read_address(filled("https://a.example/", "", n)))
    ),
    "characters of a label of a host": Bound(
        63, lambda n: refuses(RefusalError, lambda: urls.read_host("a" * n + ".example"))
    ),
    "characters of a host": Bound(
        253, lambda n: refuses(RefusalError, lambda: urls.read_host(("a" * 63 + ".") * 3 + "b" * (n - 192)))
    ),
    "number of a part of an address": Bound(255, lambda n: refuses(RefusalError, lambda: urls.read_host(f"1.2.3.{n}"))),
    "number of a host": Bound(2**32 - 1, lambda n: refuses(RefusalError, lambda: urls.read_host(str(n)))),
    "port": Bound(65_535, lambda n: refuses(RefusalError, lambda: urls.read_address(f"https://a.example:{n}/"))),
    "characters of a validator": Bound(LONGEST_VALUE, lambda n: validator("x" * n) is None),
    "compressed pieces of a body": Bound(MAX_MEMBERS, members),
    "bytes of a list of feeds": Bound(
        LARGEST_LIST,
        lambda n: refuses(FeedtoolError, lambda: read_opml(filled("<opml><body/><!--", "--></opml>", n).encode())),
    ),
    "attributes of a tag of a feed": Bound(
        MAX_ATTRIBUTES,
        lambda n: refuses(
            NotAFeedError, lambda: repair_xml("<rss><a" + "".join(f' attribute{i}="x"' for i in range(n)) + "/></rss>")
        ),
    ),
    "namespaces of a feed": Bound(
        MAX_NAMESPACES,
        lambda n: refuses(
            NotAFeedError, lambda: repair_xml("<rss" + "".join(f' xmlns:a{i}="x"' for i in range(n)) + "/>")
        ),
    ),
    "characters of a date": Bound(LONGEST_DATE, lambda n: parse_date("January".ljust(n - 7) + "2, 2024") is None),
    "characters of the settings": Bound(
        MAX_CHARACTERS, lambda n: refuses(FeedtoolError, lambda: parse_settings(_long(n)))
    ),
    "characters of a line of the settings": Bound(MAX_LINE, lambda n: settings("#" * n + "\n")),
    "characters of a regex": Bound(MAX_REGEX, lambda n: settings(f'[feeds.select.a]\ntitle_match = "{"a" * n}"\n')),
    "bytes of a slug": Bound(MAX_SLUG_BYTES, lambda n: settings(f'[categories.A]\nslug = "{"a" * n}"\n')),
    "days of tombstones": Bound(36_500, integer_setting("tombstone_days", "[feeds]")),
    "length of summaries": Bound(100_000, integer_setting("summary_length", "[feeds]")),
    "sources at once": Bound(1024, integer_setting("concurrency", "[ingest]")),
    "requests of a host": Bound(1024, integer_setting("per_host", "[ingest]")),
}


def _long(size: int) -> str:
    lines = SITE + ("#" * 999 + "\n") * (size // 1000 + 1)
    return lines[: size - 1] + "\n"


@pytest.mark.parametrize("name", BOUNDS)
def test_maximum_is_accepted_and_one_more_refused(name: str) -> None:
    bound = BOUNDS[name]
    assert (bound.is_refused(bound.most), bound.is_refused(bound.most + 1)) == (False, True)


LEAST = {
    "entries of a feed": ("limit", "[feeds]", 1),
    "length of summaries": ("summary_length", "[feeds]", 1),
    "days of tombstones": ("tombstone_days", "[feeds]", 0),
    "minutes of a feed": ("ttl", "[feeds]", 0),
    "sources at once": ("concurrency", "[ingest]", 1),
    "requests of a host": ("per_host", "[ingest]", 1),
}


@pytest.mark.parametrize("name", LEAST)
def test_minimum_is_accepted_and_one_less_refused(name: str) -> None:
    key, table, least = LEAST[name]
    assert (integer_setting(key, table)(least), integer_setting(key, table)(least - 1)) == (False, True)
    with pytest.raises(InvalidSettingsError):
        parse_settings(f"{SITE}{table}\n{key} = true\n")


def test_long_durations_are_cut_to_the_limit() -> None:
    def field(name: str) -> Callable[[str], str | None]:
        return lambda header: str(value) if header == name else None

    for value in (LONGEST_WAIT - 1, LONGEST_WAIT, LONGEST_WAIT + 1):
        assert retry_after(field("Retry-After"), None) == min(value, LONGEST_WAIT)
    for age in (LONGEST_AGE - 1, LONGEST_AGE, LONGEST_AGE + 1):
        assert max_age(lambda header, age=age: f"max-age={age}" if header == "Cache-Control" else None, None) == min(
            age, LONGEST_AGE
        )  # type: ignore[misc]


def test_excess_addresses_of_a_host_are_dropped() -> None:
    async def found(count: int) -> int:
        async def resolve(name: str) -> tuple[str, ...]:
            return tuple(f"93.184.216.{n}" for n in range(1, count + 1))

        return len(await Guard((), resolve=resolve, connect=None).addresses("many.example"))

    assert [asyncio.run(found(count)) for count in (1, MAX_ADDRESSES, MAX_ADDRESSES + 1)] == [
        1,
        MAX_ADDRESSES,
        MAX_ADDRESSES,
    ]


@pytest.mark.parametrize("extra", [0, 1])
def test_too_long_front_matter_is_refused(extra: int) -> None:
    head = "title: T\ndate: 2024-01-01\nx: "
    text = f"---\n{filled(head, '', LONGEST_FRONT - 1 + extra)}\n---\nBody.\n"
    article, problems = read_article("a.md", text.encode(), Rules(authority="example.org"))
    assert (article is None) is bool(extra), problems


@pytest.mark.parametrize("key", ["categories", "tags"])
@pytest.mark.parametrize("extra", [0, 1])
def test_excess_names_are_dropped(key: str, extra: int) -> None:
    names = [f"n{number}" for number in range(MAXIMUM_NAMES + extra)]
    text = f"---\ntitle: T\ndate: 2024-01-01\n{key}: {json.dumps(names)}\n---\n"
    article, problems = read_article("a.md", text.encode(), Rules(authority="example.org"))
    assert article is not None
    assert list(getattr(article, key)) == names[:MAXIMUM_NAMES]
    assert [one.code for one in problems] == ["FT018"] * extra


def test_excess_yaml_values_are_refused() -> None:
    def refusal(count: int) -> str:
        try:
            load_fully("a:\n" + "-\n" * count)
        except YamlError as error:
            return str(error)
        return ""

    # The document, its mapping, the list and its key are also events.
    most = next(count for count in range(MAXIMUM_EVENTS, 0, -1) if not refusal(count))
    assert MAXIMUM_EVENTS - 12 < most < MAXIMUM_EVENTS
    assert f"more than {MAXIMUM_EVENTS:,} values" in refusal(most + 1)


@pytest.mark.parametrize("extra", [0, 1])
def test_oversized_feed_is_refused(extra: int, monkeypatch: pytest.MonkeyPatch) -> None:
    feed = b"<rss version='2.0'><channel><title>T</title></channel></rss>"
    monkeypatch.setattr(parse, "MAX_BYTES", len(feed) - extra)
    assert refuses(NotAFeedError, lambda: parse.parse_feed(feed, url="https://a.example/")) is bool(extra)


def test_slugs_and_file_names_are_cut_to_limits() -> None:
    assert slug("x" * 80) == "x" * 80
    assert len(slug("x" * 81)) == 80
    assert slug("x" * 81) != slug("x" * 82)
    assert file_name("x" * 197) == "x" * 197 + ".md"
    assert len(file_name("x" * 198)) == 200
    assert file_name("x" * 198) != file_name("x" * 199)


def test_oversized_zstd_window_is_refused() -> None:
    # zstd stores its window as 2 to the power of 10 plus a five-bit exponent, in the first byte after the frame's
    # descriptor.
    magic = b"\x28\xb5\x2f\xfd\x00"
    at, beyond = (magic + bytes([(LARGEST_WINDOW - 10 + extra) << 3]) + b"\x01\x00\x00" for extra in (0, 1))

    def unpack(data: bytes) -> None:
        work = unpacker("zstd")
        for _ in work.feed(data):
            pass
        work.finish()

    assert (refuses(RefusalError, lambda: unpack(at)), refuses(RefusalError, lambda: unpack(beyond))) == (False, True)


@pytest.mark.parametrize(("count", "listed"), [(100, 100), (101, 101), (102, 101), (5_000, 101)])
def test_warnings_about_one_file_are_bounded(count: int, listed: int) -> None:
    text = "---\ntitle: T\ndate: 2024-01-01\n" + "a: b\n" * (count + 1) + "---\nText.\n"
    article, problems = read_article("a.md", text.encode(), Rules())
    assert article is not None
    assert len(problems) == listed
    assert {problem.code for problem in problems} == {"FT008"}
    assert ("more warnings" in problems[-1].message) is (count > 100)
    if count > 100:
        assert problems[-1].message == f"{count - 100:,} more warnings about this file"
