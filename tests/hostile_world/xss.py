"""The hostile world's markup: vectors through `build`, and through `ingest` and `build`, then before a browser's eyes.

    python -m tests.hostile_world.xss                    all vectors that are made here, each in eight places
    python -m tests.hostile_world.xss PATH...            those found in files besides: lists, JSON, Markdown, sources of tests

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

from tests import site as sites
from tests.hostile_world.chromium import Chromium, chromium
from tests.hostile_world.collect import collect
from tests.hostile_world.detector import WAYS, Detector, Finding
from tests.hostile_world.make import numbered, vectors
from tests.hostile_world.places import PLACES, empty_site, feeds_of, site_of
from tests.server import Server, folder, page, serve

BLANK = page(b"<!DOCTYPE html>\n", type="text/html; charset=utf-8")
BANNED = ("evil.test",)
"""Hosts that none of our vectors names as a picture or sound: nothing at all may be asked of them."""
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
    world.sites.set(f"/{name}/feed.json", page((site / "public" / "feed.json").read_bytes(), type="application/json"))
    return site / "public", url, int(built.json["articles"])


def ingested(world: World, place: Path, tried: Sequence[str], name: str) -> Path:
    """Serve feeds that hold the vectors, ingest them into a new site and return it."""
    feeds = feeds_of(tried)
    for path, data in feeds.items():
        world.sites.set(f"/{name}{path}", page(data, type="application/xml" if "xml" in path else "application/json"))
    site = empty_site(place, [world.sites.url(f"/{name}{path}") for path in feeds])
    done = sites.run("ingest", "-C", str(site), "--json", timeout=600)
    assert done.exit_code == 0, (done.stdout[-2000:], done.stderr[-4000:])
    assert done.json["new"] == len(tried), done.stdout[-2000:]
    return site


def addresses(output: Path, url: str, *, every: int = 1) -> list[str]:
    """Return the address of every page and every XML feed of an output folder, and of the site's JSON feed.

    Of the categories, every so-manieth: their feeds hold the same entries as the site's, byte for byte.
    """
    files = [file.relative_to(output).as_posix() for file in sorted(output.rglob("*")) if file.is_file()]
    shown = [file for file in files if file.endswith((".html", ".xml")) or file == "feed.json"]
    shelves = [file for file in shown if file.startswith("categories/")]
    return [url + quote(file) for file in shown if file not in shelves] + [
        url + quote(file) for file in shelves[::every]
    ]


def contents(output: Path) -> list[str]:
    """Return what a reader takes for HTML in the site's feeds: contents, descriptions, and titles where they are said to be."""
    atom = etree.fromstring((output / "atom.xml").read_bytes(), etree.XMLParser(huge_tree=True))
    rss = etree.fromstring((output / "rss.xml").read_bytes(), etree.XMLParser(huge_tree=True))
    feed = json.loads((output / "feed.json").read_bytes())
    found = [one.text or "" for one in atom.iter("{*}*") if one.get("type") in ("html", "xhtml")]
    # Readers take all of these for HTML, whatever RSS 2.0 leaves open.
    for path in ("title", "description", "{*}encoded", "category", "{*}creator", "source"):
        found += [one.text or "" for one in rss.iterfind(f"channel/item/{path}")]
    found += [item["content_html"] for item in feed["items"] if "content_html" in item]
    return list(dict.fromkeys(found))


def links(output: Path) -> list[str]:
    """Return every address that the site's feeds carry, as the links and pictures a reader makes of them."""
    found: dict[str, None] = {}
    for name in ("atom.xml", "rss.xml"):
        root = etree.fromstring((output / name).read_bytes(), etree.XMLParser(huge_tree=True))
        for one in root.iter("{*}*"):
            found |= {value: None for key, value in one.items() if key in ("href", "url", "src", "domain", "scheme")}
            if etree.QName(one).localname in ("link", "uri", "url", "guid", "docs", "comments") and one.text:
                found[one.text] = None
    for item in json.loads((output / "feed.json").read_bytes())["items"]:
        found |= {item[key]: None for key in ("url", "external_url", "image", "banner_image") if key in item}
        found |= {one["url"]: None for one in item.get("attachments", ())}
        found |= {one["url"]: None for one in item.get("authors", ()) if "url" in one}
    made = []
    for address in found:
        holder = etree.Element("a", {"href": address})
        holder.text = "link"
        made.append(etree.tostring(holder, encoding="unicode", method="html"))
    return made


def look(world: World, output: Path, url: str, say: Say, *, every: int = 1) -> list[Finding]:
    """Open everything of a site, and put what its feeds hold into pages in every way; return the alarms."""
    found: list[Finding] = []
    at = time.monotonic()
    pages = addresses(output, url, every=every)
    found += world.site.visit(pages)
    say(f"  {len(pages)} pages and feeds opened: {len(found)} alarms ({time.monotonic() - at:.1f} s)")
    held = contents(output)
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

    tried = numbered(dict.fromkeys([*vectors(), *collect(map(Path, paths))]))
    program = (
        shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or "chromium"
    )
    print(f"{len(tried)} vectors in {len(PLACES)} places, twice: {len(tried) * len(PLACES) * 2:,} placements")
    alarms: list[Finding] = []
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
                alarms += look(here, output, url, print)
    for kind, count in Counter(one.kind for one in alarms).items():
        print(f"{count} {kind}")
    for one in alarms[:200]:
        print(re.sub(r"\s+", " ", repr(one)))
    print(f"{len(alarms)} alarms")
    return 1 if alarms else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
