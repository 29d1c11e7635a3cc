"""Publish vectors by `build`, and by `ingest` and `build`, and open the results in a browser.


    python -m tests.hostile_world.xss                    all generated vectors, each in eight places
    python -m tests.hostile_world.xss PATH...            the vectors in files: lists, JSON, Markdown, source code of tests

The program prints its progress and every alarm, and exits with 1 if there was any.
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
"""Hosts that our vectors never use for pictures or sound: any request to them is an alarm."""
EVERY = 16
"""For the tens of thousands of collected vectors, only every EVERY-th is opened as a page and tried in a whole document."""
Progress = Callable[[str], None]


@dataclass
class World:
    """A browser, a server of the sites, and a server for the page of a web reader, which has another origin."""

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
    """Run the browser and the servers until the block ends."""
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
    # As GitHub Pages does; a browser would save application/feed+json instead of showing it.
    for file, kind in (("feed.json", "application/json"), ("feeds.opml", "application/xml")):
        world.sites.set(f"/{name}/{file}", page((site / "public" / file).read_bytes(), type=kind))
    return site / "public", url, int(built.json["articles"])


def ingested(world: World, place: Path, tried: Sequence[str], name: str) -> Path:
    """Serve feeds with the vectors, ingest them into a new site and return it."""
    feeds = feeds_of(tried)
    for path, data in feeds.items():
        world.sites.set(f"/{name}{path}", page(data, type="application/xml" if "xml" in path else "application/json"))
    site = empty_site(place, [world.sites.url(f"/{name}{path}") for path in feeds])
    done = sites.run("ingest", "-C", str(site), "--json", timeout=600)
    assert done.exit_code == 0, (done.stdout[-2000:], done.stderr[-4000:])
    # Some collected vectors are only the same address: one page, and so one entry.
    assert done.json["new"] > 0.9 * len(tried), done.stdout[-2000:]
    return site


def addresses(output: Path, url: str, *, every: int = 1, pages: int = 1) -> list[str]:
    """Return the addresses of all pages and XML feeds of an output folder, and of the site's JSON feed and OPML.

    Only every `every`-th category is included, because category feeds have the same entries as the site's feed, byte
    for byte. Only every `pages`-th article page is included, because its content is in the feeds too.
    """
    files = [file.relative_to(output).as_posix() for file in sorted(output.rglob("*")) if file.is_file()]
    shown = [file for file in files if file.endswith((".html", ".xml")) or file in ("feed.json", "feeds.opml")]
    categories = [file for file in shown if file.startswith("categories/")][::every]
    articles = [file for file in shown if file.startswith("articles/")][::pages]
    rest = [file for file in shown if not file.startswith(("categories/", "articles/"))]
    return [url + quote(file) for file in (*rest, *articles, *categories)]


def contents(output: Path, *, every: int = 1) -> list[str]:
    """Return the texts that a reader treats as HTML in the site's feeds: contents, descriptions, and HTML titles.

    The heads of the feeds of every `every`-th category are included.
    """
    feed = json.loads((output / "feed.json").read_bytes())
    folders = [output, *sorted((output / "categories").iterdir())[::every]]
    texts = [
        one for folder_ in folders for one in (*_typed_html(folder_ / "atom.xml"), *_guessed_html(folder_ / "rss.xml"))
    ]
    texts += [item["content_html"] for item in feed["items"] if "content_html" in item]
    return list(dict.fromkeys(texts))


def _typed_html(atom: Path) -> Iterator[str]:
    for one in _root(atom).iter("{*}*"):
        if one.get("type") in ("html", "xhtml"):
            yield one.text or ""


def _guessed_html(rss: Path) -> Iterator[str]:
    """Yield the texts of an RSS feed that readers may treat as HTML: all except addresses, dates and numbers."""
    for one in _root(rss).iter("{*}*"):
        if not len(one) and one.text and etree.QName(one).localname in _TEXTS:
            yield one.text


_TEXTS = ("title", "description", "encoded", "category", "creator", "source", "copyright", "author", "name")


def _root(file: Path) -> etree._Element:
    return etree.fromstring(file.read_bytes(), etree.XMLParser(huge_tree=True))


def links(output: Path) -> list[str]:
    """Return every address in the site's feeds as links and pictures of a reader.

    Ids are included, because a reader without a link may use the id.
    """
    values: dict[str, None] = {}
    ids: dict[str, None] = {}
    for name in ("atom.xml", "rss.xml"):
        for one in _root(output / name).iter("{*}*"):
            values |= {value: None for key, value in one.items() if key in ("href", "url", "src", "domain", "scheme")}
            local = etree.QName(one).localname
            if local in ("link", "uri", "url", "docs", "comments") and one.text:
                values[one.text] = None
            if local in ("id", "guid") and one.text:
                ids[one.text] = None
    for item in json.loads((output / "feed.json").read_bytes())["items"]:
        values |= {item[key]: None for key in ("url", "external_url", "image", "banner_image") if key in item}
        values |= {one["url"]: None for one in item.get("attachments", ())}
        values |= {one["url"]: None for one in item.get("authors", ()) if "url" in one}
        ids[item["id"]] = None
    return [_link({"href": one}) for one in values] + [_link({"href": one, "data-id": ""}) for one in ids]


def _link(attributes: dict[str, str]) -> str:
    holder = etree.Element("a", attributes)
    holder.text = "link"
    return etree.tostring(holder, encoding="unicode", method="html")


def inspect_site(
    world: World, output: Path, url: str, progress: Progress, *, every: int = 1, pages: int = 1
) -> list[Finding]:
    """Open everything of a site, put its feed contents into pages in every way, and return the alarms."""
    findings: list[Finding] = []
    at = time.monotonic()
    visited = addresses(output, url, every=every, pages=pages)
    findings += world.site.visit(visited)
    progress(f"  {len(visited)} pages and feeds opened: {len(findings)} alarms ({time.monotonic() - at:.1f} s)")
    texts = contents(output, every=every)
    for how in WAYS:
        at, before = time.monotonic(), len(findings)
        # Writing documents is slow, and texts other than bodies parse the same there as in a div.
        part = texts if how in ("innerHTML", "again") else texts[::every]
        findings += world.reader.put(part, how)
        progress(f"  {len(part)} contents by {how}: {len(findings) - before} alarms ({time.monotonic() - at:.1f} s)")
    leading = links(output)
    findings += world.reader.put(leading, "innerHTML")
    progress(f"  {len(leading)} addresses as links")
    return findings


def main(paths: Sequence[str]) -> int:
    """Try all vectors; return the exit code."""
    import shutil

    by_path = {path: list(dict.fromkeys(collect([Path(path)]))) for path in paths}
    for path, strings in by_path.items():
        print(f"{len(strings):,} in {path}")
    tried = numbered(dict.fromkeys(one for strings in by_path.values() for one in strings)) if paths else vectors()
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
                alarms += inspect_site(here, output, url, print, every=every, pages=every)
    for kind, count in Counter(one.kind for one in alarms).items():
        print(f"{count} {kind}")
    for one in alarms[:200]:
        print(re.sub(r"\s+", " ", repr(one)))
    print(f"{len(alarms)} alarms")
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
