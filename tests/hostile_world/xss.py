"""The hostile world's markup: vectors through `build`, and through `ingest` and `build`, then before a browser's eyes.

    python -m tests.hostile_world.xss                    all vectors that are made here, each in eight places
    python -m tests.hostile_world.xss PATH...            those found in files instead: lists, JSON, Markdown, sources of tests

Prints what was tried and every alarm; exits with 1 when there was any.
"""

from __future__ import annotations

import json
import re
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

from lxml import etree

from tests.hostile_world.chromium import Chromium, chromium
from tests.hostile_world.collect import collect
from tests.hostile_world.detector import WAYS, Detector, Finding
from tests.hostile_world.make import numbered, vectors
from tests.hostile_world.places import PLACES, empty_site, feeds_of, site_of
from tests.support import site as sites
from tests.support.server import Server, folder, page, serve

BLANK = page(b"<!DOCTYPE html>\n", type="text/html; charset=utf-8")
BANNED = ("evil.test",)
"""Hosts that none of our vectors names as a picture or sound: nothing at all may be asked of them."""
EVERY = 16
"""Of the vectors of others, which are tens of thousands, every so-manieth is opened as a page and tried in a whole document."""
Say = Callable[[str], None]


@dataclass
class World:
    """A browser, a server for the sites, and one for the page of a web reader, which is of another origin."""

    browser: Chromium
    sites: Server
    readers: Server
    site: Detector = field(init=False)
    reader: Detector = field(init=False)

    def __post_init__(self) -> None:
        ours = (self.sites.url("/"), self.readers.url("/"))
        self.site = Detector(self.browser, self.sites.url("/blank"), allowed=ours, banned=BANNED)
        self.reader = Detector(self.browser, self.readers.url("/blank"), allowed=ours, banned=BANNED)


@contextmanager
def world(program: str) -> Iterator[World]:
    """Run browser and servers until the block ends."""
    with (
        serve({"/blank": BLANK}, lifetime=3600) as one,
        serve({"/blank": BLANK}, lifetime=3600) as two,
        chromium(program) as browser,
    ):
        yield World(browser, one, two)


def published(world: World, site: Path, name: str) -> tuple[Path, str, int]:
    """Build a site and serve it below /name/; return its output, its address and the number of its articles."""
    url = world.sites.url(f"/{name}/")
    built = sites.build(site, "--base-url", url)
    assert built.finished, built.stderr[-4000:]
    world.sites.set(f"/{name}/", folder(site / "public"))
    # As GitHub Pages does; what is sent as application/feed+json a browser saves instead of showing it.
    for file, kind in (("feed.json", "application/json"), ("feeds.opml", "application/xml")):
        world.sites.set(f"/{name}/{file}", page((site / "public" / file).read_bytes(), type=kind))
    return site / "public", url, int(built.json["articles"])


def ingested(world: World, place: Path, tried: Sequence[str], name: str) -> Path:
    """Serve feeds that hold the vectors, ingest them into a new site and return it."""
    feeds = feeds_of(tried)
    for path, data in feeds.items():
        world.sites.set(f"/{name}{path}", page(data, type="application/xml" if "xml" in path else "application/json"))
    site = empty_site(place, [world.sites.url(f"/{name}{path}") for path in feeds])
    done = sites.run("ingest", "-C", str(site), "--json", timeout=600)
    assert done.exit_code == 0, (done.stdout[-2000:], done.stderr[-4000:])
    # Of those of others, some are no more than one address: one page, and so one entry.
    assert done.json["new"] > 0.9 * len(tried), done.stdout[-2000:]
    return site


def addresses(output: Path, url: str, *, every: int = 1, pages: int = 1) -> list[str]:
    """Return the address of every page and every XML feed of an output folder, of the site's JSON feed and of its OPML.

    Of the categories, every so-manieth: their feeds hold the same entries as the site's, byte for byte. Of the articles'
    pages, every so-manieth by `pages`: what they hold of an article is in the feeds, too.
    """
    files = [file.relative_to(output).as_posix() for file in sorted(output.rglob("*")) if file.is_file()]
    shown = [file for file in files if file.endswith((".html", ".xml")) or file in ("feed.json", "feeds.opml")]
    shelves = [file for file in shown if file.startswith("categories/")][::every]
    articles = [file for file in shown if file.startswith("articles/")][::pages]
    rest = [file for file in shown if not file.startswith(("categories/", "articles/"))]
    return [url + quote(file) for file in (*rest, *articles, *shelves)]


def contents(output: Path, *, every: int = 1) -> list[str]:
    """Return what a reader takes for HTML in the site's feeds: contents, descriptions, and titles where they are said to be.

    And what stands at the head of the feeds of its categories, of every so-manieth.
    """
    feed = json.loads((output / "feed.json").read_bytes())
    folders = [output, *sorted((output / "categories").iterdir())[::every]]
    found = [
        one for folder_ in folders for one in (*_said_html(folder_ / "atom.xml"), *_guessed_html(folder_ / "rss.xml"))
    ]
    found += [item["content_html"] for item in feed["items"] if "content_html" in item]
    return list(dict.fromkeys(found))


def _said_html(atom: Path) -> Iterator[str]:
    for one in _root(atom).iter("{*}*"):
        if one.get("type") in ("html", "xhtml"):
            yield one.text or ""


def _guessed_html(rss: Path) -> Iterator[str]:
    """Yield what readers take for HTML, whatever RSS 2.0 leaves open: every text that is no address, date or number."""
    for one in _root(rss).iter("{*}*"):
        if not len(one) and one.text and etree.QName(one).localname in _TEXTS:
            yield one.text


_TEXTS = ("title", "description", "encoded", "category", "creator", "source", "copyright", "author", "name")


def _root(file: Path) -> etree._Element:
    return etree.fromstring(file.read_bytes(), etree.XMLParser(huge_tree=True))


def links(output: Path) -> list[str]:
    """Return every address that the site's feeds carry, as the links and pictures a reader makes of them.

    And every id: a reader that finds no link may take that for one.
    """
    found: dict[str, None] = {}
    ids: dict[str, None] = {}
    for name in ("atom.xml", "rss.xml"):
        for one in _root(output / name).iter("{*}*"):
            found |= {value: None for key, value in one.items() if key in ("href", "url", "src", "domain", "scheme")}
            local = etree.QName(one).localname
            if local in ("link", "uri", "url", "docs", "comments") and one.text:
                found[one.text] = None
            if local in ("id", "guid") and one.text:
                ids[one.text] = None
    for item in json.loads((output / "feed.json").read_bytes())["items"]:
        found |= {item[key]: None for key in ("url", "external_url", "image", "banner_image") if key in item}
        found |= {one["url"]: None for one in item.get("attachments", ())}
        found |= {one["url"]: None for one in item.get("authors", ()) if "url" in one}
        ids[item["id"]] = None
    return [_link({"href": one}) for one in found] + [_link({"href": one, "data-id": ""}) for one in ids]


def _link(attributes: dict[str, str]) -> str:
    holder = etree.Element("a", attributes)
    holder.text = "link"
    return etree.tostring(holder, encoding="unicode", method="html")


def look(world: World, output: Path, url: str, say: Say, *, every: int = 1, pages: int = 1) -> list[Finding]:
    """Open everything of a site, and put what its feeds hold into pages in every way; return the alarms."""
    found: list[Finding] = []
    at = time.monotonic()
    visited = addresses(output, url, every=every, pages=pages)
    found += world.site.visit(visited)
    say(f"  {len(visited)} pages and feeds opened: {len(found)} alarms ({time.monotonic() - at:.1f} s)")
    held = contents(output, every=every)
    for how in WAYS:
        at, before = time.monotonic(), len(found)
        # A document for each takes its time, and what is no body reads the same in it as in a div.
        part = held if how in ("innerHTML", "again") else held[::every]
        found += world.reader.put(part, how)
        say(f"  {len(part)} contents by {how}: {len(found) - before} alarms ({time.monotonic() - at:.1f} s)")
    leading = links(output)
    found += world.reader.put(leading, "innerHTML")
    say(f"  {len(leading)} addresses as links")
    return found


def main(paths: Sequence[str]) -> int:
    """Try everything; return the exit code."""
    import shutil

    found = {path: list(dict.fromkeys(collect([Path(path)]))) for path in paths}
    for path, held in found.items():
        print(f"{len(held):,} in {path}")
    tried = numbered(dict.fromkeys(one for held in found.values() for one in held)) if paths else vectors()
    program = (
        shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or "chromium"
    )
    print(f"{len(tried)} vectors in {len(PLACES)} places, twice: {len(tried) * len(PLACES) * 2:,} placements")
    alarms: list[Finding] = []
    every = EVERY if paths else 1
    for start in range(0, len(tried), 1000):
        part = tried[start : start + 1000]
        with tempfile.TemporaryDirectory() as scratch, world(program) as here:
            place = Path(scratch)
            for name in ("built", "ingested"):
                at = time.monotonic()
                folder_of = place / name
                site = site_of(folder_of, part) if name == "built" else ingested(here, folder_of, part, "feeds")
                output, url, articles = published(here, site, name)
                print(
                    f"vectors {start} to {start + len(part) - 1}, {name}: {articles} articles ({time.monotonic() - at:.1f} s)"
                )
                alarms += look(here, output, url, print, every=every, pages=every)
    for kind, count in Counter(one.kind for one in alarms).items():
        print(f"{count} {kind}")
    for one in alarms[:200]:
        print(re.sub(r"\s+", " ", repr(one)))
    print(f"{len(alarms)} alarms")
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
