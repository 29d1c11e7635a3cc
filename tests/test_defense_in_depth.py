"""Test each of two guards against the same harm with the other one disabled."""

from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feedtool import storage
from feedtool.articles import Rules, read_article
from feedtool.errors import OutputError
from feedtool.feeds.entries import EntryRules, entry_of
from feedtool.feeds.values import address, web_address
from feedtool.html import Policy, clean, safe_url
from feedtool.html.repair import repair, scan_body
from feedtool.html.sanitize import sanitizer
from feedtool.http import Limits
from feedtool.http.addresses import why_not_public
from feedtool.http.exchange import Context, Visit
from feedtool.http.guard import Guard
from feedtool.http.models import RefusalError, Request
from feedtool.http.urls import read_address, read_host
from feedtool.models import Article, Author, Enclosure, Source
from feedtool.preview import files
from feedtool.publish import writer
from feedtool.publish.writer import MANIFEST, Publisher, manifest
from tests.support.site import write

OUTSIDE = (
    "../victim.md",
    "a/../../victim.md",
    "..",
    "a/..",
    ".",
    "",
    "a//victim.md",
    "/victim.md",
    "./victim.md",
    "a/",
    "a/.",
)


@pytest.fixture
def output(tmp_path: Path) -> Path:
    """Return an output folder beside a file that no build may change."""
    write(tmp_path / "victim.md", "mine")
    write(tmp_path / "out/a/atom.xml", "<feed/>")
    return tmp_path / "out"


def listed(output: Path, *paths: str) -> None:
    write(output / MANIFEST, "".join(f"{path}\n" for path in paths))


@pytest.mark.parametrize("path", [*OUTSIDE, "a\\..\\..\\victim.md", "C:victim.md", "a\0b", MANIFEST])
def test_manifest_names_no_file_outside(output: Path, path: str) -> None:
    listed(output, "a/atom.xml", path)
    assert manifest(str(output)) == {"a/atom.xml"}


@pytest.mark.parametrize("path", OUTSIDE)
def test_path_never_leaves_the_output(output: Path, path: str) -> None:
    with pytest.raises(OutputError):
        storage.path_inside(str(output), path)
    assert storage.path_inside(str(output), "a/atom.xml") == str(output / "a/atom.xml")


@pytest.mark.parametrize("path", OUTSIDE)
def test_path_guard_alone_stops_outside_deletion(output: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer, "_is_unfit", lambda path: False)
    listed(output, path)
    publisher = Publisher(str(output), {})
    publisher.claim(["a/x.xml"])
    with pytest.raises(OutputError):
        publisher.finish()
    assert (output.parent / "victim.md").read_text() == "mine"


@pytest.mark.parametrize("path", OUTSIDE)
def test_manifest_guard_alone_stops_outside_deletion(output: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage, "path_inside", lambda root, relative, safe=None: os.path.join(root, relative))
    listed(output, path, "a/atom.xml")
    Publisher(str(output), {}).finish()
    assert (output.parent / "victim.md").read_text() == "mine"
    assert not (output / "a").exists()


@pytest.mark.parametrize("target", ["folder", "nowhere", "output"])
def test_symlinked_folder_is_refused_at_every_step(output: Path, target: str) -> None:
    elsewhere = {"folder": output.parent / "other", "nowhere": output.parent / "none", "output": output}[target]
    write(output.parent / "other/atom.xml", "mine")
    (output / "b").symlink_to(elsewhere, target_is_directory=True)
    with pytest.raises(OutputError, match="is a link"):
        storage.path_inside(str(output), "b/atom.xml")
    with pytest.raises(OutputError, match="is a link"):
        Publisher(str(output), {}).claim(["b/atom.xml"])
    with pytest.raises(OutputError, match="is a link"):
        Publisher(str(output), {}).put("b/atom.xml", b"new")
    listed(output, "b/atom.xml")
    with pytest.raises(OutputError, match="is a link"):
        Publisher(str(output), {}).finish()
    assert Publisher(str(output), {}).ids() == {}
    assert (output.parent / "other/atom.xml").read_text() == "mine"


def test_safe_folder_is_cached_by_its_whole_path(output: Path) -> None:
    write(output / "x/b/atom.xml", "")
    (output / "b").symlink_to(output.parent, target_is_directory=True)
    safe: set[str] = set()
    storage.path_inside(str(output), "x/b/atom.xml", safe)
    with pytest.raises(OutputError):
        storage.path_inside(str(output), "b/atom.xml", safe)


@pytest.mark.parametrize("same", [True, False])
def test_symlinked_file_is_not_written_through(output: Path, same: bool) -> None:
    data = b"mine" if same else b"new"
    (output / "a/atom.xml").unlink()
    (output / "a/atom.xml").symlink_to(output.parent / "victim.md")
    listed(output, "a/atom.xml")
    publisher = Publisher(str(output), {})
    publisher.claim(["a/atom.xml"])
    with pytest.raises(OutputError, match="is a link"):
        publisher.put("a/atom.xml", data)
    # The function that writes files refuses it too, without an earlier check.
    with pytest.raises(OSError, match="it is a link"):
        storage.write(str(output / "a/atom.xml"), data)
    assert (output.parent / "victim.md").read_text() == "mine"


def test_symlinked_own_file_is_removed_without_target(output: Path) -> None:
    (output / "a/atom.xml").unlink()
    (output / "a/atom.xml").symlink_to(output.parent / "victim.md")
    listed(output, "a/atom.xml")
    Publisher(str(output), {}).finish()
    assert not (output / "a").exists()
    assert (output.parent / "victim.md").read_text() == "mine"


def test_name_of_a_foreign_file_is_refused(output: Path) -> None:
    with pytest.raises(OutputError, match="was not made by feedtool"):
        Publisher(str(output), {}).claim(["a/atom.xml"])
    (output / "b.xml").symlink_to("nowhere")
    with pytest.raises(OutputError, match="was not made by feedtool"):
        Publisher(str(output), {}).claim(["b.xml"])


PREVIEW_PATHS = ("/../victim.md", "/a/../../victim.md", "/%2e%2e/victim.md", "/..%2fvictim.md", "/link/victim.md")


@pytest.mark.parametrize("path", PREVIEW_PATHS)
def test_preview_checks_the_real_path(output: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (output / "link").symlink_to(output.parent, target_is_directory=True)
    assert files.answer_to(path, str(output), "/") is None
    monkeypatch.setattr(files, "_is_unfit", lambda part: False)
    assert files.answer_to(path, str(output), "/") is None
    assert files.answer_to("/a/atom.xml", str(output), "/") is not None


@pytest.mark.parametrize(
    "path", ["/.hidden", "/../victim.md", "/a/../a/atom.xml", "/a\\..\\atom.xml", "/a//atom.xml", "/a/\0"]
)
def test_preview_checks_the_path_names(output: Path, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write(output / ".hidden", "x")
    monkeypatch.setattr(os.path, "realpath", lambda path: str(path))
    assert files.answer_to(path, str(output), "/") is None


PRIVATE = ("127.0.0.1", "10.0.0.1", "169.254.169.254", "::1", "::ffff:127.0.0.1", "fd00::1", "0.0.0.0", "224.0.0.1")


@pytest.mark.parametrize("host", PRIVATE)
def test_private_address_is_refused_also_after_dns(host: str) -> None:
    async def resolve(name: str) -> tuple[str, ...]:
        return ("93.184.216.34", host)

    async def connect(address: str, port: int) -> object:
        raise AssertionError("a socket was opened")

    async def tried(name: str) -> None:
        guard = Guard((), resolve=resolve, connect=connect)  # type: ignore[arg-type]
        with pytest.raises(RefusalError) as refused:
            await guard.open(name, 80)
        assert refused.value.kind == "private"

    assert why_not_public(host)
    asyncio.run(tried(host))
    # One private address among public ones is enough for a refusal.
    asyncio.run(tried("mixed.example"))


@pytest.mark.parametrize("spelling", ["2130706433", "0x7f.1", "127.1", "0177.0.0.1", "127.0.0.1.", "１２７.0.0.1"])
def test_address_spellings_are_checked_twice(spelling: str) -> None:
    assert read_host(spelling) == "127.0.0.1"

    async def resolve(name: str) -> tuple[str, ...]:
        return ("127.0.0.1",)

    async def tried() -> None:
        # A resolver accepts these spellings too, so its results are checked even if the name passed.
        with pytest.raises(RefusalError):
            await Guard((), resolve=resolve, connect=None).addresses(spelling)

    asyncio.run(tried())


def test_allowed_host_is_refused_to_other_sources() -> None:
    guard = Guard(("inside.example",), resolve=None, connect=None)
    world = Context(session=None, guard=guard, limits=Limits(), clock=lambda: 0.0)  # type: ignore[arg-type]
    request = Request(url="http://inside.example/x", home="https://other.example/")
    outcome = asyncio.run(Visit(request, read_address(request.url)).step(world, last=True))
    assert getattr(outcome, "kind", "") == "private"


HARMFUL = (
    "javascript:alert(1)",
    "JaVaScRiPt:x",
    "data:text/html,x",
    "vbscript:x",
    "file:///etc/passwd",
    "java\tscript:x",
)


@pytest.mark.parametrize("url", HARMFUL)
def test_harmful_urls_are_removed_from_entries(url: str) -> None:
    assert safe_url(url, "https://example.org/") is None
    article = Article(
        path="a.md",
        id="urn:x:1",
        title="T",
        published=datetime(2024, 1, 1, tzinfo=UTC),
        updated=datetime(2024, 1, 1, tzinfo=UTC),
        body="",
        kind="html",
        link=None,
        thumbnail=url,
        enclosures=(Enclosure(url=url, type="audio/mpeg"),),
        authors=(Author(name="A", uri=url),),
        source=Source(title="S", url=url),
    )
    rules = EntryRules(policy=Policy(base_url="https://example.org/"), base_url="https://example.org/")
    entry, _ = entry_of(article, rules, url=None)
    assert (entry.image, entry.enclosures, entry.authors[0].uri) == (None, (), None)
    assert entry.source is not None
    assert entry.source.url is None


@pytest.mark.parametrize("url", HARMFUL)
def test_harmful_urls_are_removed_from_feeds(url: str) -> None:
    assert web_address(url) is None
    assert address(url) is None or not url.lower().startswith(("javascript", "data", "vbscript", "file"))


@pytest.mark.parametrize("url", HARMFUL)
def test_harmful_urls_are_removed_from_articles(url: str) -> None:
    text = f"---\ntitle: T\ndate: 2024-01-01\nlink: '{url}'\nenclosures: [{{url: '{url}'}}]\n---\n".replace("\t", "")
    article, problems = read_article("a.md", text.encode(), Rules(authority="example.org"))
    assert article is not None
    assert (article.link, article.enclosures) == (None, ())
    assert [one.code for one in problems] == ["FT017", "FT020"]


VECTORS = (
    "<script>alert(1)</script>x",
    "<img src=x onerror=alert(1)>",
    '<a href="javascript:alert(1)">x</a>',
    "<iframe src=https://evil.example/></iframe>",
    "<iframe srcdoc='<script>x</script>'></iframe>",
    "<svg onload=alert(1)><script>x</script></svg>",
    "<style>@import 'x'</style><p style='background:url(javascript:x)'>x</p>",
    "<object data=x></object><embed src=x><base href=//evil.example/>",
    "<form action=//evil.example/><input name=x><button>x</button></form>",
    "<math><mtext><script>x</script></mtext></math>",
    "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<meta http-equiv=refresh content='0;url=//evil.example/'>",
)
ACTIVE = (
    "<script",
    "onerror",
    "onload",
    "javascript:",
    "<iframe",
    "<style",
    "style=",
    "<object",
    "<embed",
    "<base",
    "<form",
    "<meta",
)


@pytest.mark.parametrize("body", VECTORS)
def test_sanitizer_is_safe_without_repair(body: str) -> None:
    html = sanitizer(Policy(base_url="https://example.org/"))(body).lower()
    assert [sign for sign in ACTIVE if sign in html.replace("&lt;", "")] == []


@pytest.mark.parametrize("body", VECTORS)
def test_repair_gives_the_sanitizer_nothing_harmful(body: str) -> None:
    policy = Policy(base_url="https://example.org/")
    repaired, _ = repair(body, scan_body(body), policy, [])
    html = sanitizer(policy)(repaired).lower()
    assert [sign for sign in ACTIVE if sign in html.replace("&lt;", "")] == []
    assert sanitizer(policy)(html) == html
    cleaned = clean(body, kind="html", policy=policy).html.lower()
    assert [sign for sign in ACTIVE if sign in cleaned.replace("&lt;", "")] == []
