"""Test the small parts of a build one by one: fingerprints, versions, plans, the packed selection and the output folder."""

from __future__ import annotations

import errno
import marshal
import os
from datetime import UTC, datetime
from hashlib import blake2b
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from feedtool import registry, storage
from feedtool.articles import Rules
from feedtool.articles.dialect import NO_FOLDER_VALUES, FolderValues
from feedtool.articles.rules import Head
from feedtool.catalog import fingerprints
from feedtool.catalog.environment import code_fingerprint
from feedtool.catalog.fingerprints import FolderFingerprint, fingerprint_of, is_racy
from feedtool.config import Select, load_settings
from feedtool.errors import FeedtoolError
from feedtool.feeds.entries import EntryRules
from feedtool.feeds.selection import FeedSelection, SelectedArticle
from feedtool.html import Policy
from feedtool.models import Article, Problem
from feedtool.publish import pipeline, places, rules, writer
from feedtool.publish.heads import heads_of, is_transient, packed, unpacked, unreadable, unreadable_head
from feedtool.publish.outputs import _chunks
from feedtool.publish.plan import Assembly, digest_of
from feedtool.publish.render import RenderedEntry, has_page, key_of, renditions, url_of
from feedtool.publish.rules import making_rules, overrides, page_rules, versions
from feedtool.publish.scan import Listing, Place
from feedtool.publish.sections import LARGEST, Sections
from feedtool.publish.select import SelectionResult, clash_problem, unpacked_selection
from feedtool.publish.writer import MANIFEST, Publisher, manifest
from feedtool.site.models import PageRules
from tests.support.site import make_site, write

SECOND = 1_000_000_000
NOW = 1_800_000_000 * SECOND + 5
WHOLE = 1_800_000_000 * SECOND
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def error_of(call: Any, *given: Any, **more: Any) -> str:
    """Return the text of the error that a call raises."""
    with pytest.raises(FeedtoolError) as failure:
        call(*given, **more)
    return str(failure.value)


# Fingerprints of folders and files.


@pytest.mark.parametrize(
    ("changed", "since", "now", "racy"),
    [
        # A ctime with nanoseconds: within 20 ms.
        (NOW - 20_000_000, NOW, NOW, False),
        (NOW - 19_999_999, NOW, NOW, True),
        (NOW, NOW, NOW, True),
        (NOW + 19_999_999, NOW, NOW, True),
        (NOW + 20_000_000, NOW, NOW, False),
        (NOW + SECOND, NOW, NOW + 2 * SECOND, True),
        # A ctime in whole seconds: within two seconds.
        (WHOLE - 2 * SECOND, WHOLE, WHOLE, False),
        (WHOLE - SECOND, WHOLE, WHOLE, True),
        (WHOLE - 2 * SECOND, WHOLE - 1, WHOLE - 1, True),
        (WHOLE + SECOND, WHOLE, WHOLE, True),
        (WHOLE + 2 * SECOND, WHOLE, WHOLE, False),
        (WHOLE + 1, WHOLE, WHOLE, True),
        (WHOLE + 1 - 20_000_000, WHOLE, WHOLE, True),
        (WHOLE + SECOND + 1, WHOLE, WHOLE, False),
    ],
)
def test_file_changed_just_now_may_change_again(
    changed: int, since: int, now: int, racy: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fingerprints.time, "time_ns", lambda: now)
    assert is_racy(changed, since) is racy


def test_folder_fingerprint_covers_all_its_files(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints.time, "time_ns", lambda: NOW)
    files = [(f"{number:04}.md", number, 1, 2) for number in range(fingerprints.PART + 2)]
    digest = blake2b(digest_size=16, key=b"rules")
    digest.update(marshal.dumps(files[: fingerprints.PART], 2))
    digest.update(marshal.dumps(files[fingerprints.PART :], 2))
    assert fingerprint_of(files, b"rules", NOW) == digest.digest()
    for number in (0, fingerprints.PART - 1, fingerprints.PART, fingerprints.PART + 1):
        racy = [*files]
        racy[number] = (files[number][0], number, 1, NOW)
        found = fingerprint_of(racy, b"rules", NOW)
        assert (len(found), found[16:]) == (24, NOW.to_bytes(8, "big"))
    assert fingerprint_of(files, b"other", NOW) != digest.digest()


def test_latest_change_decides_if_a_folder_is_racy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fingerprints.time, "time_ns", lambda: NOW)
    for order in ([NOW, 2], [2, NOW]):
        marking = FolderFingerprint(b"", NOW)
        for newest in order:
            marking.add(b"x", newest)
        assert len(marking.digest()) == 24


class Giving:
    """A dialect whose folders give the text of their files, and the values of the folders above."""

    inherits = True
    start = NO_FOLDER_VALUES

    def __init__(self) -> None:
        self.read: list[tuple[Any, ...]] = []

    def section(self, above: FolderValues, path: str, data: bytes, zone: Any) -> FolderValues:
        self.read.append((path, len(data), zone))
        return FolderValues((("", {path: "x"}), *above.values), digest=above.digest + data[:4])


def test_folders_give_values_to_their_subfolders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for path in ("_index.md", "a/_index.md"):
        write(tmp_path / path, path.encode())
        os.utime(tmp_path / path)
    own, zone = Giving(), ZoneInfo("Asia/Shanghai")
    monkeypatch.setattr(fingerprints.time, "time_ns", lambda: 0)
    sections = Sections(str(tmp_path), own, 0, zone)  # type: ignore[arg-type]
    both = ("_index.md", "a/_index.md")
    given = FolderValues((("", {"a/_index.md": "x"}), ("", {"_index.md": "x"})), digest=b"_inda/_i")
    assert sections.values_in("a/") == NO_FOLDER_VALUES
    assert sections.fingerprint("a/", both, b"mark") == b"mark_inda/_i"
    assert sections.values_in("a/") == sections.values_of("a/", both) == given
    assert sections.values_in("b/") == NO_FOLDER_VALUES
    assert sections.values_of("b/", ()) == NO_FOLDER_VALUES
    assert sections.fingerprint("b/", (), b"mark") == b"mark"
    assert own.read == [("_index.md", 9, zone), ("a/_index.md", 11, zone)]
    sections.values_of("c/", both)
    assert sections.values_in("c/") == given


def test_fingerprint_of_fresh_section_matches_nothing(tmp_path: Path) -> None:
    for path in ("_index.md", "a/_index.md"):
        write(tmp_path / path, path.encode())
    changed = (tmp_path / "_index.md").stat().st_ctime_ns
    stamp = changed.to_bytes(8, "big")
    racy = Sections(str(tmp_path), Giving(), changed)  # type: ignore[arg-type]
    assert racy.fingerprint("", ("_index.md",), b"m") == b"m_ind" + stamp
    assert racy.fingerprint("a/", ("_index.md", "a/_index.md"), b"m") == b"m_inda/_i" + stamp
    gone = Sections(str(tmp_path), Giving(), 7)  # type: ignore[arg-type]
    assert gone.fingerprint("b/", ("_none.md",), b"m") == b"m" + (7).to_bytes(8, "big")
    assert gone.values_in("b/") == NO_FOLDER_VALUES


def test_one_megabyte_of_a_section_file_is_read(tmp_path: Path) -> None:
    write(tmp_path / "_index.md", b"x" * (LARGEST + 1))
    own = Giving()
    Sections(str(tmp_path), own).values_of("", ("_index.md",))  # type: ignore[arg-type]
    assert own.read == [("_index.md", 1024 * 1024, UTC)]


def test_listing_uses_its_sections() -> None:
    place = Place("/r", "", b"", 0)
    plain = Listing(place)
    assert plain.folder_values("a/", ("x",)) == plain.folder_values_in("a/") == NO_FOLDER_VALUES
    assert (plain.fingerprint("a/", (), b"own"), plain.fingerprint("a/", (), None)) == (b"own", None)
    calls: list[Any] = []
    sections = SimpleNamespace(
        values_of=lambda *given: calls.append(given) or "of",
        values_in=lambda *given: calls.append(given) or "in",
        fingerprint=lambda *given: calls.append(given) or b"marked",
    )
    full = Listing(place, sections=sections)  # type: ignore[arg-type]
    assert (full.folder_values("a/", ("x",)), full.folder_values_in("b/")) == ("of", "in")
    assert (full.fingerprint("c/", ("y",), b"own"), full.fingerprint("c/", ("y",), None)) == (b"marked", None)
    assert calls == [("a/", ("x",)), ("b/",), ("c/", ("y",), b"own")]


# Packed heads and problems.

PROBLEM = Problem(file="articles/a.md", code="FT001", message="m", hint="h", severity="warning", line=3, column=4)


def test_packed_problem_is_unpacked_unchanged() -> None:
    assert packed(PROBLEM) == ("articles/a.md", "FT001", "m", "h", "warning", 3, 4)
    assert unpacked(packed(PROBLEM)) == PROBLEM


def test_unreadable_article_has_a_head_with_a_problem() -> None:
    assert unreadable_head("a.md", PROBLEM) == Head("a.md", "", 0, 0, (), (), (), "", "", 0, False, (PROBLEM,))
    assert heads_of("f/", [("a.md", 1), ("b.md", 2)], [("i", 1), ("j", 2)]) == [("f/a.md", "i", 1), ("f/b.md", "j", 2)]
    with pytest.raises(ValueError, match="zip"):
        heads_of("f/", [("a.md", 1)], [])


@pytest.mark.parametrize(
    ("error", "text", "passes"),
    [
        (OSError(errno.EACCES, "Permission denied"), "a.md: cannot be read: Permission denied; check its permissions", True),
        (OSError(errno.EIO, "Input/output error"), "a.md: cannot be read: Input/output error; check the disk", True),
        (OSError(errno.EFBIG, "File too large"),
         "a.md: cannot be read: File too large; it is larger than allowed; make it smaller", False),
        (OSError(errno.EINVAL, "Invalid argument"), "a.md: cannot be read: Invalid argument; remove it", False),
        (OSError(errno.EISDIR, "Is a directory"),
         "a.md: cannot be read: Is a directory; there is a folder in place of a file; move it away", False),
        (OSError("odd"), "a.md: cannot be read: odd; check the disk and the permissions", True),
    ],
)  # fmt: skip
def test_unreadable_file_is_reported_with_a_remedy(error: OSError, text: str, passes: bool) -> None:
    problem = unreadable("a.md", error)
    assert (str(problem), problem.code, problem.severity) == (text, "FT001", "error")
    assert is_transient(error) is passes


def test_clash_names_both_articles_and_the_id() -> None:
    assert clash_problem("articles/", "a.md", "b.md", "i" * 81) == Problem(
        file="articles/a.md",
        code="FT014",
        message=f"claims the same id as articles/b.md ({'i' * 80}); the newer one is published",
        hint="give it a `guid` of its own, or delete one of them",
        severity="warning",
        line=1,
    )


def test_packed_selection_is_unpacked_unchanged(tmp_path: Path) -> None:
    query = '[feeds.select.s]\ntags = ["t"]\n'
    settings = load_settings(str(make_site(tmp_path, {}, query)), environment={})
    articles = [SelectedArticle(2, "i", "a.md"), SelectedArticle(1, "j", "b.md")]
    every = [SelectedArticle(0, "k", "c.md"), *articles[::-1]]
    feeds = [
        FeedSelection("site", "", 2, None, 3, articles, every, ""),
        FeedSelection("category", "s", 4, None, 1, articles[:1], [], "categories/s"),
        FeedSelection("select", "s", 5, settings.feeds.select[0], 2, articles, [], "feeds/s"),
    ]

    def fields(chosen: SelectionResult) -> list[Any]:
        kept = [[getattr(one, name) for name in FeedSelection.__slots__] for one in chosen.feeds]
        others = ("articles", "next_change", "problems", "days", "paged", "published_ids", "is_new")
        return [kept, *(getattr(chosen, name) for name in others)]

    def published_ids(ids: set[str]) -> set[str]:
        return ids

    chosen = SelectionResult(feeds, 3, 99, [PROBLEM], {19000: 3}, articles, published_ids)
    assert chosen.is_new
    assert isinstance(settings.feeds.select[0], Select)
    row = marshal.loads(marshal.dumps(chosen.packed()))
    again = unpacked_selection(row, settings, published_ids)
    assert fields(again) == [*fields(chosen)[:-1], False]


# Rules and versions.


@pytest.fixture
def settings(tmp_path: Path) -> Any:
    return load_settings(str(make_site(tmp_path / "site", {})), environment={})


def test_versions_cover_all_that_decides_the_output(settings: Any, tmp_path: Path) -> None:
    place = make_site(tmp_path / "other", {}, "[html]\ndrop_trackers = false\n")
    others = load_settings(str(place), environment={})
    formats = load_settings(str(make_site(tmp_path / "f", {}, '[feeds]\nformats = ["atom"]\n')), environment={})
    output = load_settings(str(place), environment={}, options={"output": "elsewhere"})

    def versions_of(
        settings: Any = settings, own: Any = None, environment: str = "code", templates: Any = (), **more: bool
    ) -> Any:
        options = {"drafts": False, "future": False, **more}
        return versions(settings, own or Rules(), environment, templates, **options)

    plain = versions_of()
    assert ([type(one) for one in plain], [len(one) for one in plain]) == ([str, bytes, bytes], [32, 16, 16])
    assert versions_of() == plain
    changes = {
        "environment": versions_of(environment="other"),
        "rules": versions_of(own=Rules(hierarchy=True)),
        "settings": versions_of(others),
        "formats": versions_of(formats),
        "output": versions_of(output),
        "templates": versions_of(templates=(("a.html", ""),)),
        "drafts": versions_of(drafts=True),
        "future": versions_of(future=True),
    }
    different = {name: tuple(a != b for a, b in zip(one, plain, strict=True)) for name, one in changes.items()}
    assert different == {
        "environment": (True, True, True),
        "rules": (False, True, True),
        "settings": (True, False, False),
        "formats": (True, False, True),
        "output": (True, False, False),
        "templates": (True, False, False),
        "drafts": (True, False, False),
        "future": (True, False, False),
    }
    assert changes["output"][0] != versions_of(others)[0]


def test_code_fingerprint_covers_the_contents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"a.py": b"1", "d/b.css": b"2", "d/e/c.toml": b"3", "d/f.html": b"4"}
    others = {"x.txt": b"5", "__pycache__/y.py": b"6", "d/__pycache__/z.py": b"7", "d/w.pyc": b"8"}
    for name, data in {**files, **others}.items():
        write(tmp_path / "package" / name, data)
    package = str(tmp_path / "package")
    monkeypatch.setattr(fingerprints.time, "time_ns", lambda: 0)
    found = code_fingerprint(None, package)
    assert (len(found[0]), found[1]) == (16, blake2b(b"1234", digest_size=16).hexdigest())
    assert code_fingerprint((b"look of others", "x"), package) == found
    kept = (found[0], "as it was kept")
    assert code_fingerprint(kept, package) is kept
    write(tmp_path / "package/x.txt", b"changed")
    assert code_fingerprint(kept, package) is kept
    write(tmp_path / "package/d/f.html", b"5")
    assert code_fingerprint(kept, package)[1] == blake2b(b"1235", digest_size=16).hexdigest()
    monkeypatch.undo()
    write(tmp_path / "package/a.py", b"9")
    assert code_fingerprint(kept, package) == (b"", blake2b(b"9235", digest_size=16).hexdigest())


def test_settings_decide_how_entries_are_rendered(settings: Any, tmp_path: Path) -> None:
    base = "https://example.org/"
    html = settings.html
    policy = Policy(
        tags=html.tags, attributes=html.attributes, iframe_hosts=html.iframe_hosts, remove=(), drop_trackers=html.drop_trackers,
        proxies=html.proxies,
    )  # fmt: skip
    assert making_rules(settings, base) == EntryRules(
        policy, base, full=True, summary_length=240, permalink="", pages="linkless", distrust_thumbnails=False,
        prefix="articles/",
    )  # fmt: skip
    text = """
[feeds]
content = "summary"
summary_length = 99
[articles]
path = "./posts/../texts/"
permalink = "/p/{slug}/"
[pages]
articles = "none"
[html]
remove = [".ad"]
distrust_thumbnails = true
iframe_hosts = ["v.example"]
"""
    own = load_settings(str(make_site(tmp_path / "own", {}, text)), environment={})
    found = making_rules(own, "https://b.example/")
    assert found._replace(policy=policy) == EntryRules(
        policy, "https://b.example/", full=False, summary_length=99, permalink="/p/{slug}/", pages="none",
        distrust_thumbnails=True, prefix="texts/",
    )  # fmt: skip
    assert (found.policy.remove, found.policy.iframe_hosts) == ((".ad",), ("v.example",))


@pytest.mark.parametrize(
    ("text", "line"),
    [('[html]\nremove = ["p", "a[["]\n', "feedtool.toml:7"), (None, "feedtool.toml")],
)
def test_invalid_selector_is_refused(tmp_path: Path, text: str | None, line: str) -> None:
    site = make_site(tmp_path, {}, text or "")
    own = load_settings(str(site), environment={})
    if text is None:
        html = SimpleNamespace(remove=("a[[",), tags=(), attributes=(), iframe_hosts=())
        own = SimpleNamespace(html=html, origins={}, file="")  # type: ignore[assignment]
    expected = '[html] remove: "a[[" is not a CSS selector; write it as ".ad" or "div > p.note"'
    where = f"{site}/{line}" if text else line
    assert error_of(rules._check_selectors, own) == f"{where}: {expected}"


def test_templates_of_a_site_are_read_as_text(tmp_path: Path) -> None:
    assert overrides(str(tmp_path)) == ()
    for name, data in {
        "index.html": b"a\r\nb\rc\n", "site.css": b"p{}\xff", ".#index.html": b"", "notes.txt": b"", "x.html.bak": b"",
    }.items():  # fmt: skip
        write(tmp_path / "templates" / name, data)
    assert overrides(str(tmp_path)) == (("index.html", "a\nb\nc\n"), ("site.css", "p{}\ufffd"))


def test_unreadable_template_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path / "templates/index.html", b"")
    place = str(tmp_path / "templates")
    for filename, where in ((f"{place}/index.html", f"{place}/index.html"), (None, place)):

        def read(path: str, filename: str | None = filename) -> bytes:
            raise OSError(errno.EACCES, "Permission denied", *([filename] if filename else []))

        monkeypatch.setattr(storage, "read", read)
        assert (
            error_of(overrides, str(tmp_path)) == f"{where}: cannot be read: Permission denied; check its permissions"
        )


def test_settings_decide_how_pages_are_rendered(settings: Any, tmp_path: Path) -> None:
    def moved() -> tuple[tuple[str, str], ...]:
        return (("News", "news-2"),)

    base = "https://example.org/"
    assert page_rules(settings, base, moved) == PageRules(
        title="Test", base_url=base, language="en", moved=(("News", "news-2"),), index=True,
        theme=settings.pages.theme, formats=("atom", "rss", "json"),
    )  # fmt: skip
    head = '[site]\ntitle = "T"\nurl = "https://e.example/"\ndescription = "D"\nlanguage = "de"\nrights = "R"\nicon = "https://e.example/i.png"\n'
    text = f"""{head}author = {{ name = "Ada" }}
[feeds]
formats = ["json"]
[pages]
index = false
articles = "all"
theme = {{ accent = "#123456" }}
"""
    place = make_site(tmp_path / "own", {}, text)
    write(place / "templates/site.css", b"x")
    own = load_settings(str(place), environment={})
    found = page_rules(own, "https://e.example/", moved)
    assert found == PageRules(
        title="T", base_url="https://e.example/", description="D", language="de", author="Ada", rights="R",
        icon="https://e.example/i.png", theme=own.pages.theme, formats=("json",), moved=(("News", "news-2"),), index=False,
        overrides=(("site.css", "x"),),
    )  # fmt: skip
    assert found.theme


@pytest.mark.parametrize(
    ("pages", "has"),
    [
        ('index = false\narticles = "none"\n', False),
        ('index = true\narticles = "none"\n', True),
        ("index = false\n", True),
    ],
)
def test_page_rules_exist_if_there_are_pages(tmp_path: Path, pages: str, has: bool) -> None:
    calls: list[int] = []
    own = load_settings(str(make_site(tmp_path, {}, f"[pages]\n{pages}")), environment={})
    assert (page_rules(own, "https://example.org/", lambda: calls.append(1) or ()) is not None) is has
    assert calls == [1] * has


# Plans.


def test_parts_of_a_digest_are_separated() -> None:
    assert digest_of("a", "bc") == blake2b(b"a\0bc", digest_size=16).digest()
    assert len({digest_of("a", "bc"), digest_of("ab", "c"), digest_of("abc"), digest_of("a", "bc", "")}) == 4
    assert digest_of("\ud800") != digest_of("?")


def entry_of(**sizes: int) -> RenderedEntry:
    return RenderedEntry(1, False, {form: (b"x" * (size - 1), b"y") for form, size in sizes.items()}, (), ())


def assembly(
    entries: dict[str, RenderedEntry], settings: Any = None, earlier: dict[str, bytes] | None = None
) -> Assembly:
    renderer: Any = SimpleNamespace(
        rendered=entries.__getitem__,
        states={path: (0, 0, 0, b"k", one.updated, one.audio, (), b"") for path, one in entries.items()},
        keys=dict.fromkeys(entries, b"k"),
    )
    return Assembly(settings, renderer, {}, earlier)


@pytest.mark.parametrize(
    ("most", "frame", "kept"),
    [
        (0, {"atom": 10, "json": 10}, 3),
        (46, {"atom": 10, "json": 10}, 3),
        (45, {"atom": 10, "json": 10}, 2),
        (34, {"atom": 10, "json": 10}, 2),
        (33, {"atom": 10, "json": 10}, 1),
        (1, {"atom": 10, "json": 10}, 1),
        (46, {"atom": 5, "json": 11}, 2),
        (46, {"atom": 11, "json": 5}, 2),
        (46, {"atom": 10}, 3),
    ],
)
def test_newest_entries_that_fit_are_kept(most: int, frame: dict[str, int], kept: int) -> None:
    settings = SimpleNamespace(feeds=SimpleNamespace(max_bytes=most))
    entries = {name: entry_of(atom=10, json=10, page=10_000) for name in "abc"}
    articles = [SelectedArticle(1, name, name) for name in "abc"]
    before = dict(frame)
    assert assembly(entries, settings).fitting(articles, frame) == articles[:kept]
    assert frame == before


def test_assembly_compares_file_fingerprints() -> None:
    own = assembly({}, earlier={"a": b"1", "b": b"2"})
    assert [own.is_same("a", b"1"), own.is_same("b", b"1"), own.is_same("c", b"3")] == [True, False, False]
    assert own.fingerprints == {"a": b"1", "b": b"1", "c": b"3"}
    assert not assembly({}).is_same("a", b"1")


def test_unreadable_articles_are_left_out() -> None:
    entries = {"a": entry_of(atom=2), "b": entry_of(atom=2)._replace(updated=-(1 << 60)), "c": entry_of(atom=3)}
    articles = [SelectedArticle(1, name, name) for name in "abc"]
    own = assembly(entries)
    assert own.readable(articles) == [articles[0], articles[2]]
    assert own.entries([articles[2], articles[0]], "atom") == [(b"xx", b"y"), (b"x", b"y")]


@pytest.mark.parametrize(
    ("count", "size", "shown", "chunks"),
    [
        (0, 3, 0, []),
        (3, 3, 3, []),
        (4, 3, 3, ["abc"]),
        (6, 3, 3, ["abc"]),
        (7, 3, 3, ["abc", "def"]),
        (7, 3, 1, ["abc", "def"]),
        (7, 3, 0, ["abc", "def", "g"]),
        (5, 4, 1, ["abcd"]),
        (6, 4, 1, ["abcd", "ef"]),
        (2, 3, 5, []),
    ],
)
def test_archives_hold_what_the_feed_does_not(count: int, size: int, shown: int, chunks: list[str]) -> None:
    articles = [SelectedArticle(number, name, name) for number, name in enumerate("abcdefg"[:count])]
    found = _chunks(articles, size, shown)
    assert ["".join(article.path for article in chunk) for chunk in found] == chunks


# Entries.


@pytest.mark.parametrize(
    ("link", "address", "permalink", "pages", "url"),
    [
        ("https://a.example/x", "", "/p/{slug}/", "all", "https://a.example/x"),
        (None, "", "/p/{slug}/", "all", "https://b.example/p/a/"),
        (None, "/q/{slug}.html", "/p/{slug}/", "all", "https://b.example/q/a.html"),
        (None, "/q/{slug}.html", "", "all", "https://b.example/articles/a-dbe15df2/"),
        (None, "", "", "linkless", "https://b.example/articles/a-dbe15df2/"),
        (None, "", "", "none", None),
    ],
)
def test_entry_gets_the_address_of_its_article(
    link: str | None, address: str, permalink: str, pages: str, url: str | None
) -> None:
    article = Article(path="a.md", id="urn:a", title="A", published=EPOCH, updated=EPOCH, link=link, address=address)
    own = EntryRules(Policy(), "https://b.example/", permalink=permalink, pages=pages)
    assert url_of(article, own) == url


@pytest.mark.parametrize(
    ("pages", "link", "permalink", "has"),
    [
        ("all", "https://a.example/", "/p/", True),
        ("linkless", None, "", True),
        ("linkless", "https://a.example/", "", False),
        ("linkless", None, "/p/", False),
        ("none", None, "", False),
    ],
)
def test_article_without_an_address_has_a_page(pages: str, link: str | None, permalink: str, has: bool) -> None:
    article = Article(path="a.md", id="i", title="A", published=EPOCH, updated=EPOCH, link=link)
    assert has_page(article, EntryRules(Policy(), "", permalink=permalink, pages=pages)) is has


def test_key_of_an_entry_covers_all_it_depends_on() -> None:
    def key(path: str = "a", data: bytes = b"b", version: bytes = b"v", given: bytes = b"") -> bytes:
        return key_of(path, data, SimpleNamespace(version=version), given)  # type: ignore[arg-type]

    assert key() == blake2b(b"b\0a", digest_size=16, key=b"v").digest()
    assert key(given=b"g") == blake2b(b"b\0a\0g", digest_size=16, key=b"v").digest()
    keys = [key(), key("ab"), key("", b"ba"), key(version=b"w"), key(given=b"g"), key("ag"), key("\udcff")]
    assert len(set(keys)) == len(keys)


def test_size_of_an_entry_counts_every_format() -> None:
    assert entry_of(atom=5, json=7).size == 12
    assert renditions(None, ()) == {}  # type: ignore[arg-type]


# The output folder.


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


def publish(out: Path, files: dict[str, bytes], earlier: Any = None, **choices: bool) -> tuple[Publisher, Any]:
    publisher = Publisher(str(out), earlier or {}, **choices)
    publisher.claim(files)
    for path, data in files.items():
        publisher.put(path, data)
    return publisher, publisher.finish()


def looks(out: Path, *paths: str) -> dict[str, tuple[int, int]]:
    return {path: ((out / path).stat().st_size, (out / path).stat().st_mtime_ns) for path in paths}


FIRST_LINE = b"# feedtool manifest, format 1\n"


def test_only_changed_files_are_written(out: Path) -> None:
    publisher, kept = publish(out, {"a": b"1", "d/b": b"2", "d/e/c": b"3"})
    assert (publisher.written, publisher.unchanged, publisher.removed) == (["a", "d/b", "d/e/c"], 0, [])
    assert kept == looks(out, "a", "d/b", "d/e/c")
    assert (out / MANIFEST).read_bytes() == FIRST_LINE + b"a\nd/b\nd/e/c\n"
    write(out / "mine", b"m")
    publisher, kept = publish(out, {"a": b"1", "x": b"5"})
    assert (publisher.written, publisher.unchanged, publisher.removed) == (["x"], 1, ["d/b", "d/e/c"])
    assert kept == looks(out, "a", "x")
    assert (out / MANIFEST).read_bytes() == FIRST_LINE + b"a\nx\n"
    assert sorted(path.name for path in out.iterdir()) == sorted([MANIFEST, "a", "x", "mine"])
    publisher, _ = publish(out, {"a": b"2", "x": (b"", b"5")})  # type: ignore[dict-item]
    assert (publisher.written, publisher.unchanged, (out / "a").read_bytes()) == (["a"], 1, b"2")


def test_dry_run_counts_what_a_run_would_do(out: Path) -> None:
    publish(out, {"a": b"1", "b": b"2", "c": b"3"})
    (out / "c").unlink()
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    publisher, kept = publish(out, {"a": b"2", "d": b"4"}, dry=True)
    assert (publisher.written, publisher.unchanged, publisher.removed, kept) == (["a", "d"], 0, ["b"], {})
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_manifest_names_files_before_they_exist(out: Path) -> None:
    publish(out, {"a": b"1"})
    publisher = Publisher(str(out), {})
    publisher.claim(["b", "a"])
    assert (out / MANIFEST).read_bytes() == FIRST_LINE + b"a\nb\n"
    assert manifest(str(out)) == {"a", "b"}
    publisher.close()


def test_incomplete_manifest_is_written_again(out: Path) -> None:
    publish(out, {"a": b"1", "b": b"2"})
    publisher = Publisher(str(out), {})
    publisher.claim(["a", "b"])
    for path, data in (("a", b"1"), ("b", b"2")):
        publisher.put(path, data)
    (out / MANIFEST).write_bytes(b"a\n")
    publisher.finish()
    assert (out / MANIFEST).read_bytes() == FIRST_LINE + b"a\nb\n"
    stamp = (out / MANIFEST).stat().st_ino
    publish(out, {"a": b"1", "b": b"2"})
    assert (out / MANIFEST).stat().st_ino == stamp


def test_files_of_others_are_not_overwritten(out: Path) -> None:
    write(out / "b", b"mine")
    write(out / "c", b"mine")
    expected = (
        f"{out}/b: was not made by feedtool, and the build would overwrite it; "
        "move it away, or choose another output folder"
    )
    assert error_of(Publisher(str(out), {}).claim, ["c", "b", "a"]) == expected
    assert error_of(Publisher(str(out), {}, dry=True).claim, ["c", "b", "a"]) == expected
    os.symlink("nowhere", out / "a")
    assert error_of(Publisher(str(out), {}).claim, ["a"]).startswith(f"{out}/a: was not made by feedtool")
    assert not (out / MANIFEST).exists()


def test_link_in_place_of_a_file_is_refused(out: Path) -> None:
    publish(out, {"a": b"1"})
    (out / "a").unlink()
    os.symlink("b", out / "a")
    publisher = Publisher(str(out), {})
    publisher.claim(["a"])
    assert (
        error_of(publisher.put, "a", b"2") == f"{out}/a: is a link; feedtool does not write through it; remove the link"
    )


def test_file_is_intact_while_its_stat_is_unchanged(out: Path) -> None:
    _, kept = publish(out, {"a": b"1", "b": b"2", "c": b"3", "d": b"4"})
    write(out / "b", b"22")
    os.utime(out / "c", ns=(1, 1))
    (out / "d").unlink()
    write(out / "x", b"x")
    publisher = Publisher(str(out), {**kept, **looks(out, "x")})
    assert {path: publisher.is_intact(path) for path in "abcdxy"} == {
        "a": True, "b": False, "c": False, "d": False, "x": False, "y": False,
    }  # fmt: skip
    publisher.claim("a")
    publisher.keep_unchanged("a")
    assert (publisher.unchanged, publisher.finish()) == (1, {"a": kept["a"]})


def test_leftover_temporary_files_are_removed(out: Path) -> None:
    for name in (f"a{storage.TEMPORARY_SUFFIX}", f"d/b{storage.TEMPORARY_SUFFIX}", "d/c"):
        write(out / name, b"")
    Publisher(str(out), {}).remove_leftovers()
    assert [path.name for path in out.rglob("*") if path.is_file()] == ["c"]


def test_unwritable_manifest_stops_the_run(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage, "write", refuse)
    expected = f"{out}: cannot be written: No space left on device; free some space"
    assert error_of(Publisher(str(out), {}).claim, ["a"]) == expected
    assert (
        str(writer.cannot_write("p", OSError("odd"))) == "p: cannot be written: odd; check the disk and the permissions"
    )


def test_many_files_are_written_by_threads(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    names: dict[str, str] = {}
    real = storage.write

    def note(path: str, data: Any, **more: Any) -> None:
        names[os.path.basename(path)] = threading.current_thread().name
        real(path, data, **more)

    monkeypatch.setattr(storage, "write", note)
    for count, is_main in ((writer.INLINE, True), (writer.INLINE + 1, False)):
        publisher = Publisher(str(out / str(count)), {})
        publisher.claim(["a"])
        publisher.expect(count)
        publisher.put("a", b"1")
        assert publisher.finish() == looks(out / str(count), "a")
        assert (names["a"] == threading.main_thread().name) is is_main


def test_error_of_a_write_thread_is_raised(out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    publisher = Publisher(str(out), {})
    publisher.claim(["a", "b"])
    publisher.expect(100)

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(storage, "write", refuse)
    publisher.put("a", b"1")
    with pytest.raises(OSError, match="No space"):
        publisher.finish()
    publisher.close()


ATOM = b'<feed xmlns="http://www.w3.org/2005/Atom"><id>f</id><entry><id>a</id></entry><entry><id/></entry></feed>'
RSS = b"<rss><channel><guid>f</guid><item><guid>a</guid></item><item><guid>b</guid></item></channel></rss>"


@pytest.mark.parametrize(
    ("name", "data", "ids"),
    [
        ("feed.json", b'{"items": [{"id": "a"}, {"id": 5}]}', ["a", "5"]),
        ("feed.json", b"{}", []),
        ("feed.json", b"[]", []),
        ("feed.json", b'{"items": [{}]}', []),
        ("feed.json", b'{"items": 1}', []),
        ("feed.json", b"{", []),
        ("feed.json", b"", []),
        ("atom.xml", ATOM, ["a"]),
        ("atom.xml", ATOM[:-10], ["a"]),
        ("atom.xml", RSS, []),
        ("atom.xml", b"", []),
        ("atom.xml", b"no xml", []),
        ("rss.xml", RSS, ["a", "b"]),
        ("rss.xml", ATOM, []),
        (
            "rss.xml",
            b'<!DOCTYPE r [<!ENTITY e "x">]><rss><channel><item><guid>a&e;</guid></item></channel></rss>',
            ["a"],
        ),
    ],
)
def test_ids_are_read_back_from_feeds(name: str, data: bytes, ids: list[str]) -> None:
    form = registry.format_of_file(name)
    assert form is not None
    assert (form.ids(data) or []) == ids


def test_one_format_gives_the_published_ids(out: Path) -> None:
    json = b'{"items": [{"id": "a"}]}'
    publish(out, {"feed.json": json, "rss.xml": RSS, "atom.xml": ATOM, "d/feed.json": json, "e/f/rss.xml": RSS})
    assert Publisher(str(out), {}).ids() == {"a": ("", ["d", ""])}
    publish(out, {"rss.xml": RSS, "atom.xml": ATOM, "e/f/rss.xml": RSS})
    assert Publisher(str(out), {}).ids() == {"a": ("", ["e/f", ""]), "b": ("", ["e/f", ""])}
    publish(out, {"atom.xml": ATOM, "e/atom.xml": ATOM, "x/not-atom.xml": ATOM})
    os.rename(out / "e/atom.xml", out / "elsewhere")
    os.symlink("../elsewhere", out / "e/atom.xml")
    assert Publisher(str(out), {}).ids() == {"a": ("", [""])}
    publish(out / "none", {"x": b""})
    assert Publisher(str(out / "none"), {}).ids() == {}


@pytest.mark.parametrize(
    ("path", "folder", "inside"),
    [
        ("/a", "/a", True),
        ("/a/b", "/a", True),
        ("/ab", "/a", False),
        ("/a", "/a/b", False),
        ("/a", "/", True),
        ("/", "/", True),
    ],
)
def test_path_is_inside_a_folder_by_whole_names(path: str, folder: str, inside: bool) -> None:
    assert places._is_inside(path, folder) is inside


def test_category_with_a_shared_slug_is_moved() -> None:
    feeds = [
        FeedSelection(kind, name, 1, path=path)
        for kind, name, path in (
            ("site", "", ""),
            ("category", "News", "categories/news"),
            ("category", "news", "categories/news-2"),
            ("select", "x", "feeds/y"),
        )
    ]
    assert pipeline._moved(feeds) == (("news", "news-2"),)
