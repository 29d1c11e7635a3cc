"""Test single steps of an ingest row by row: values of a file, its folder, stored facts, secrets, schedule."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from feedtool.catalog.reading_rules import reading_rules
from feedtool.config import SourceSettings, parse_settings
from feedtool.dialects.hexo import Hexo
from feedtool.errors import FeedtoolError, OutputError
from feedtool.ingesting.engines import failure_of
from feedtool.ingesting.memory import Memory, keys_to_remember
from feedtool.ingesting.paths import ArticlePaths, folder_of, source_folder
from feedtool.ingesting.schedule import Health
from feedtool.ingesting.secrets import (
    escape_variables,
    fill_in,
    fill_in_url,
    hide_secrets,
    may_share_secrets,
    secrets_in,
    with_credentials,
)
from feedtool.ingesting.source_selection import RequestedSource, request_of
from feedtool.ingesting.values import Origin, origin_of, published_of, title_of, values_of, with_date
from feedtool.models import Author, Enclosure, Source
from tests.support.ingestworld import ENTRY
from tests.support.site import write

NOW = datetime(2026, 11, 23, 18, 30, tzinfo=UTC)
SOON, LATE = NOW + timedelta(days=2), NOW + timedelta(days=2, seconds=1)
FAULT = "this is a bug in feedtool; please report it with the feed"
PLAIN = SourceSettings(name="S", url="https://s.example/feed")


def entry(**facts: Any) -> Any:
    return SimpleNamespace(**{**ENTRY, **facts})


def value(key: str, origin: Origin | None = None, **facts: Any) -> Any:
    return values_of(entry(**facts), origin or Origin(source=PLAIN, url=PLAIN.url), NOW).get(key, "absent")


@pytest.mark.parametrize(
    ("facts", "title"),
    [
        ({"title": " A\u202e  b\x00 "}, "A b"),
        ({"title": "x" * 501}, "x" * 500),
        ({"html": "<p>The <b>beginning</b></p>"}, "The beginning"),
        ({"html": "<p>" + "y" * 99}, "y" * 79 + "…"),
        ({"link": "https://e.org/a"}, "https://e.org/a"),
        ({"guid": "g 1"}, "g 1"),
        ({}, "Untitled"),
        ({"title": " ", "html": "<p>b</p>", "link": "l", "guid": "g"}, "b"),
        ({"html": "<p> </p>", "link": "l", "guid": "g"}, "l"),
    ],
)
def test_title_falls_back_to_other_text(facts: dict[str, str], title: str) -> None:
    assert value("title", **facts) == title
    assert title_of("x" * 501) == "x" * 500


@pytest.mark.parametrize(
    ("own", "of_entry", "names"),
    [
        ((), (), []),
        (("a",), ("b", "a", " b "), ["a", "b"]),
        ((), ("", " ", "\x00", "c"), ["c"]),
        ((), ("x" * 600,), ["x" * 500]),
        ((), tuple(map(str, range(200))), list(map(str, range(100)))),
    ],
)
def test_source_categories_precede_entry_categories(own: Any, of_entry: Any, names: list[str]) -> None:
    origin = Origin(source=replace(PLAIN, categories=own, tags=own))
    assert value("categories", origin, categories=of_entry) == names
    assert value("tags", origin, categories=of_entry) == list(dict.fromkeys(own))


ADA, BO = Author(name="Ada"), Author(name="Bo", email="bo@e.org")


@pytest.mark.parametrize(
    ("authors", "expected"),
    [
        ((), []),
        ((ADA,), "Ada"),
        ((BO,), "Bo <bo@e.org>"),
        ((Author(name="a@e.org", email="a@e.org"),), "a@e.org"),
        ((ADA, BO), ["Ada", "Bo <bo@e.org>"]),
        ((Author(name=" "), ADA), "Ada"),
        ((Author(name="Cy", uri="https://e.org/"),), {"name": "Cy", "uri": "https://e.org/"}),
        ((Author(name="Cy", uri="javascript:x"),), "Cy"),
        ((Author(name="C<y", email="c@e.org"),), {"name": "C<y", "email": "c@e.org"}),
        ((Author(name="C<y"),), "C<y"),
        (
            (Author(name="Cy", email="c@e.org", uri="https://e.org/"),),
            {"name": "Cy", "email": "c@e.org", "uri": "https://e.org/"},
        ),
        ((ADA, Author(name="Cy", uri="https://e.org/")), [{"name": "Ada"}, {"name": "Cy", "uri": "https://e.org/"}]),
    ],
)
def test_authors_are_written_in_the_shortest_form(authors: tuple[Author, ...], expected: Any) -> None:
    assert value("author", authors=authors) == expected
    of_source = Origin(source=replace(PLAIN, author=Author(name="Editor")))
    assert value("author", of_source, authors=authors) == (expected if authors else "Editor")


@pytest.mark.parametrize(
    ("link", "expected"),
    [
        (None, ""),
        ("https://e.org/?utm_source=x&a=1", "https://e.org/?a=1"),
        ("javascript:x", ""),
        ("/a", ""),
        ("http://e.org", "http://e.org"),
    ],
)
def test_link_is_written_without_tracking_parameters(link: str | None, expected: str) -> None:
    assert value("link", link=link) == expected


@pytest.mark.parametrize(
    ("own", "url", "source"),
    [
        (None, "https://s.example/feed", {"title": "S", "url": "https://s.example/feed"}),
        (None, "", {"title": "S"}),
        (
            Source(title="T", url="https://t.example/", id="i"),
            "https://s.example/feed",
            {"title": "T", "url": "https://t.example/", "id": "i"},
        ),
        (Source(url="https://t.example/"), "x", {"url": "https://t.example/"}),
        (Source(title="T", url="/x"), "x", {"title": "T"}),
        (Source(id="i"), "https://s.example/feed", {"title": "S", "url": "https://s.example/feed", "id": "i"}),
    ],
)
def test_source_is_the_original_feed(own: Source | None, url: str, source: dict[str, str]) -> None:
    assert value("source", Origin(source=PLAIN, url=url), source=own) == source


@pytest.mark.parametrize(
    ("published", "updated", "date", "change", "moment"),
    [
        (NOW, None, "2026-11-23T18:30:00Z", "", NOW),
        (NOW, NOW, "2026-11-23T18:30:00Z", "", NOW),
        (NOW, SOON, "2026-11-23T18:30:00Z", "2026-11-25T18:30:00Z", NOW),
        (NOW, LATE, "2026-11-23T18:30:00Z", "", NOW),
        (SOON, None, "2026-11-25T18:30:00Z", "", SOON),
        (LATE, None, "absent", "", None),
        (LATE, NOW, "absent", "", NOW),
        (None, NOW, "absent", "", NOW),
        (None, LATE, "absent", "", None),
        (None, None, "absent", "", None),
    ],
)
def test_plausible_dates_are_used(
    published: Any, updated: Any, date: str, change: str, moment: datetime | None
) -> None:
    facts = {"published": published, "updated": updated}
    assert (value("date", **facts), value("updated", **facts), published_of(entry(**facts), NOW)) == (
        date,
        change,
        moment,
    )
    file = with_date({}, entry(**facts), Origin(source=PLAIN), datetime(2026, 1, 1, tzinfo=UTC), NOW)
    if moment is None:
        assert file == {"date": "2026-01-01T00:00:00Z", "date_guessed": True}
    else:
        assert file == {"date": moment.isoformat().replace("+00:00", "Z")}


@pytest.mark.parametrize(
    ("of_entry", "of_source", "of_site", "expected"),
    [
        ("fr", "de", "en", "fr"),
        ("", "de", "en", "de"),
        ("", "", "en", ""),
        ("EN", "", "en", ""),
        ("", "En", "en", ""),
        ("en", "", "", "en"),
    ],
)
def test_language_is_written_if_it_differs(of_entry: str, of_source: str, of_site: str, expected: str) -> None:
    assert (
        value("language", Origin(source=replace(PLAIN, language=of_source), language=of_site), language=of_entry)
        == expected
    )


@pytest.mark.parametrize(
    ("summary", "html", "expected"),
    [
        ("About it.", "<p>Text.</p>", "About it."),
        ("<b>About</b> it.", "<p>Text.</p>", "About it."),
        ("About it.", "", ""),
        ("", "<p>x</p>", ""),
        ("The text", "<p>The text begins.</p>", ""),
        ("The text…", "<p>The <i>te</i>xt begins.</p>", ""),
        ("The text [...]", "<p>The text begins.</p>", ""),
        ("a &lt;b&gt; c", "<p>a &lt;b&gt; c and more</p>", ""),
        ("...", "<p>Text.</p>", ""),
        ("x" * 2001, "<p>y</p>", "x" * 2000),
    ],
)
def test_summary_must_differ_from_the_text(summary: str, html: str, expected: str) -> None:
    assert value("summary", summary=summary, html=html) == expected


def test_enclosures_keep_their_metadata() -> None:
    files = (
        Enclosure(url="https://e.org/a.mp3", type="audio/mpeg", length=0, duration=7, title=" T\x00 "),
        Enclosure(url="javascript:x", type="audio/mpeg"), Enclosure(url="https://e.org/b", type=""),
    )  # fmt: skip
    assert value("enclosures", enclosures=files) == [
        {"url": "https://e.org/a.mp3", "type": "audio/mpeg", "length": "0", "duration": "7", "title": "T"},
        {"url": "https://e.org/b"},
    ]
    many = tuple(Enclosure(url=f"https://e.org/{number}", type="a/b") for number in range(101))
    assert len(value("enclosures", enclosures=many)) == 100
    assert (value("thumbnail"), value("thumbnail", thumbnail="https://e.org/t.png")) == ("", "https://e.org/t.png")
    assert value("rights", rights=" CC\x00 " + "x" * 600) == "CC " + "x" * 497


def test_hexo_gets_its_own_keys() -> None:
    origin = Origin(source=PLAIN, dialect=Hexo())
    assert (value("headimg", origin, thumbnail="https://e.org/t.png"), value("comments", origin)) == (
        "https://e.org/t.png",
        False,
    )
    assert (value("headimg"), value("comments")) == ("absent", "absent")


@pytest.mark.parametrize(
    ("url", "public_url"),
    [
        ("https://u:p@e.org/f?k=1#x", "https://e.org/f?k=1#x"),
        ("https://e.org/${KEY}?k=1", "https://e.org/"),
        ("feed.xml", ""),
        ("https://u:${P}@e.org/f", "https://e.org/f"),
        ("http://e.org/?k=${KEY}", "http://e.org/"),
    ],
)
def test_origin_has_the_public_source_address(url: str, public_url: str) -> None:
    loaded = parse_settings('[site]\nlanguage = "de"\n[articles]\nflavour = "hexo"\n', environment={})
    assert origin_of(loaded, PLAIN, url, ("old",), reading_rules(loaded)) == Origin(
        source=PLAIN, url=public_url, language="de", dialect=Hexo(), formerly=("old",)
    )
    assert origin_of(parse_settings(environment={}), PLAIN, url).dialect.name == "plain"


@pytest.mark.parametrize(
    ("template", "folder", "home"),
    [
        ("{source}", "S-é/", "S-é/"),
        ("", "", ""),
        ("news", "news/", ""),
        ("{category}/{source}", "A-b/S-é/", "A-b/S-é/"),
        ("{source}/{year}/{month}/{day}", "S-é/0987/06/05/", ""),
        ("{source}-{year}", "S-é-0987/", ""),
        ("{other}/{source}", "other/S-é/", "other/S-é/"),
        ("a//{source}/", "a/S-é/", "a/S-é/"),
        ("../{source}", None, None),
        ("x{category}y", "xA-by/", ""),
        ("{source}/{day}", "S-é/05/", ""),
        ("{source}/{month}", "S-é/06/", ""),
    ],
)
def test_article_folder_follows_the_template(template: str, folder: str | None, home: str | None) -> None:
    facts: dict[str, Any] = {"source": "S/é", "categories": ["A b", "C"]}
    answer = folder_of(template, **facts, published=datetime(987, 6, 5, tzinfo=UTC))
    if folder is None:
        assert ".." not in answer.split("/")
    else:
        assert (answer, source_folder(template, **facts)) == (folder, home)
    assert folder_of("{category}/x", source="S", categories=[], published=NOW) == "x/"


def test_existing_folder_case_is_reused(tmp_path: Any) -> None:
    write(tmp_path / "News/Ｗire/a.md", "x")
    places = ArticlePaths(str(tmp_path))
    assert places.path("news/wire/", "B", "i") == "News/Ｗire/B.md"
    assert places.path("News/WIRE/", "a", "i").startswith("News/Ｗire/a-")
    assert places.path("other/", "A", "i") == "other/A.md"
    assert places.path("OTHER/", "a", "k").startswith("other/a-")
    places.release("other/A.md")
    assert places.path("other/", "A", "i") == "other/A.md"


@pytest.mark.parametrize(
    ("present", "before", "expected"),
    [
        ("b a a", "", "a b"),
        ("b a", "c a", "a b c"),
        ("", "a b", "a b"),
        ("", "b a", "b a"),
        ("c", "b a c", "c b a"),
        (" ".join(f"n{one:03}" for one in range(100)), "old", None),
    ],
)
def test_old_feed_keys_are_kept_for_a_while(present: str, before: str, expected: str | None) -> None:
    remembered = keys_to_remember(present.split(), before.split())
    if expected is not None:
        assert remembered == tuple(expected.split())
    many = [f"o{one}" for one in range(500)]
    assert len(keys_to_remember(many[:100], many[100:200])) == 150
    assert len(keys_to_remember(["a"], many[:59])) == 60
    assert len(keys_to_remember(["a"], many[:60])) == 60
    assert len(keys_to_remember(["a"], many)) == 500
    assert len(keys_to_remember([f"n{one}" for one in range(100)], many[:50])) == 150
    assert len(keys_to_remember([f"n{one}" for one in range(100)], many[:51])) == 150


def test_renamed_source_keeps_its_state(tmp_path: Any) -> None:
    memory = Memory(str(tmp_path))
    url = "https://u:p@e.org/f"
    memory.keep_health("old", Health(url=url, etag="e", seen="a b", formerly=("oldest",)))
    memory.mark_deleted("old", ["m1"])
    assert memory.save()
    records = [json.loads(line) for line in (tmp_path / "feedtool.state").read_text("utf-8").splitlines()]
    assert [(one["kind"], one["key"]) for one in records] == [
        ("feedtool", "state"),
        ("gone", "m1 old"),
        ("source", "old"),
    ]
    for name, address, names, renamed in (
        ("new", "https://e.org/other", ["new"], False),
        ("new", "", ["new"], False),
        ("new", url, ["new", "old"], False),
        ("new", url, ["new"], True),
    ):
        again = Memory(str(tmp_path))
        again.rename(name, address, names)
        health = again.health("new", "https://e.org/f")
        assert (health.etag, again.entry_keys("new")) == (("e", {"a", "b"}) if renamed else ("", frozenset()))
        assert (again.is_deleted("new", ["m1", "x"]), again.is_deleted("old", ["m1"])) == (renamed, not renamed)
        assert again.current_names() == ({"oldest": "new", "old": "new"} if renamed else {"oldest": "old"})
        assert again.save() == renamed
    assert not Memory(str(tmp_path)).is_deleted("none", ["m1"])


SECRETS = {"KEY": "s/cr&t é", "K2": "abc"}


def test_secrets_are_filled_in_and_hidden_in_any_form() -> None:
    assert fill_in("a ${KEY} ${NONE} $KEY", SECRETS) == "a s/cr&t é ${NONE} $KEY"
    assert fill_in_url("https://e.org/?k=${KEY}", SECRETS) == "https://e.org/?k=s%2Fcr%26t%20%C3%A9"
    for form in ("s/cr&t é", "s%2Fcr%26t%20%C3%A9", "s/cr&t%20%C3%A9", "s/cr&amp;t é"):
        assert hide_secrets(f"x {form} y abc", SECRETS) == "x ${KEY} y ${K2}", form
    assert secrets_in("${A}${b_1}$C ${2}", {"A": "1", "b_1": "2", "C": "3"}, where="w", alternative="r") == {
        "A": "1",
        "b_1": "2",
    }
    for environment in ({}, {"A": ""}):
        with pytest.raises(FeedtoolError) as failure:
            secrets_in("${A}", environment, where="the address", alternative="drop it")
        assert failure.value.what == "the address needs the environment variable A, which is not set"
        assert failure.value.hint == "set A, or drop it"


@pytest.mark.parametrize(
    ("url", "own", "safe"),
    [
        ("https://e.org/${KEY}", "", "https://e.org/%24{KEY}"),
        ("https://e.org/${KEY}", "x${KEY}", "https://e.org/${KEY}"),
        ("https://e.org/$%7BKEY%7D", "x${KEY}", "https://e.org/${KEY}"),
        ("https://e.org/${K", "", "https://e.org/%24{K"),
        ("https://e.org/${OTHER}", "${KEY}", "https://e.org/%24{OTHER}"),
        ("https://e.org/$x", "", "https://e.org/$x"),
    ],
)
def test_foreign_address_names_no_variable(url: str, own: str, safe: str) -> None:
    assert escape_variables(url, own) == safe


@pytest.mark.parametrize(
    ("url", "source", "whole"),
    [
        ("https://e.org/f", "https://u:p@e.org/f", "https://u:p@e.org/f"),
        ("https://x@e.org/f", "https://u:p@e.org/f", "https://x@e.org/f"),
        ("https://e.org/f", "https://e.org/f", "https://e.org/f"),
    ],
)
def test_address_gets_the_password_of_its_source(url: str, source: str, whole: str) -> None:
    assert with_credentials(url, source) == whole
    assert may_share_secrets("http://e.org/", "https://e.org/x")
    assert not may_share_secrets("https://e.org/", "http://e.org/x")
    assert not may_share_secrets("https://e.org/", "nonsense")


@pytest.mark.parametrize(
    ("moved", "url", "sent"),
    [
        ("", "https://u:p@e.org/f?k=se%2Fcret", True),
        ("https://e.org/new", "https://u:p@e.org/new", True),
        ("https://n.org/new", "https://n.org/new", False),
    ],
)
def test_secrets_stay_within_the_source_origin(moved: str, url: str, sent: bool) -> None:
    source = replace(PLAIN, url="https://u:p@e.org/f?k=${KEY}", headers=(("X-Key", "Bearer ${KEY}"),))
    health = Health(url=source.url, moved=moved, sightings=3 if moved else 0, etag='"e"', modified="m")
    request = request_of(RequestedSource(source=source, key="S"), health, {"KEY": "se/cret"})
    assert (request.url, request.etag, request.last_modified, request.key) == (url, '"e"', "m", "S")
    assert request.headers == ((("X-Key", "Bearer se/cret"),) if sent else ())
    whole = request_of(RequestedSource(source=source, key="S"), health, {"KEY": "se/cret"}, whole=True)
    assert (whole.etag, whole.last_modified) == (None, None)
    bare = request_of(RequestedSource(source=PLAIN, key="S"), Health(url=PLAIN.url), {})
    assert (bare.etag, bare.last_modified, bare.headers) == (None, None, ())


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OutputError("is full", where="x", hint="h"), ("", "FT307", "is full", "h")),
        (
            OSError(28, "No space left"),
            ("", "FT307", "cannot be written: No space left", "check the folder's permissions and the disk"),
        ),
        (OSError(), ("", "FT307", "cannot be written: OSError", "check the folder's permissions and the disk")),
        (ValueError("odd\n thing"), ("feed", "FT304", "it could not be read: ValueError: odd thing", FAULT)),
        (KeyError("k" * 300), ("feed", "FT304", "it could not be read: KeyError: '" + "k" * 167, FAULT)),
    ],
)
def test_exceptions_become_source_failures(error: Exception, expected: tuple[str, ...]) -> None:
    assert failure_of(error) == expected
