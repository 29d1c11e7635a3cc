"""Copy golden sites of earlier releases, read their published output, and compare it with the output of today."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from lxml import etree

from feedtool.publish.writer import manifest
from tests.support.site import ROOT

GOLDEN = ROOT / "tests/golden"
SITES = sorted(path.name for path in GOLDEN.iterdir() if path.is_dir())
SIGNS = {"%22": '"', "%3F": "?"}
"""The codes in file names for characters that some systems do not allow in file names."""
ATOM = "{http://www.w3.org/2005/Atom}"
TOMBSTONES = "{http://purl.org/atompub/tombstones/1.0}"
FORMATS = ("rss.xml", "feed.json")

Facts = dict[str, dict[str, str]]
"""Facts by the key under which readers and servers know something: an entry's id, `feed PATH`, `path PATH`, `list URL`."""


class Change(NamedTuple):
    """A fact whose value changed to `now`.

    `what` names the fact; it is "gone" or "new" if all facts of `id` are.
    """

    site: str
    id: str
    what: str
    now: str

    def table(self) -> str:
        """Return the change as a table of changes.toml."""
        rows = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in self._asdict().items()]
        return "\n".join(["[[change]]", *rows, 'reason = ""', 'changelog = ""', ""])


def listed() -> dict[Change, dict[str, str]]:
    """Return the deliberate changes with the other keys of their tables.

    Raises KeyError if a table lacks a key.
    """
    tables = tomllib.loads((GOLDEN / "changes.toml").read_text("utf-8")).get("change", [])
    return {Change(*(table.pop(key) for key in Change._fields)): table for table in tables}


def checkout(name: str, place: Path) -> Path:
    """Copy a golden site and its published output to `place`, restore its file names, and return the site."""
    root = GOLDEN / name
    for path in sorted(root.rglob("*")):
        if path.is_file():
            relative = path.relative_to(root).as_posix()
            for code, sign in SIGNS.items():
                relative = relative.replace(code, sign)
            target = place / relative
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
    return place / "site"


def settings_of(site: Path) -> dict[str, Any]:
    """Return the settings of a site."""
    return tomllib.loads((site / "feedtool.toml").read_text("utf-8"))


def output_of(site: Path) -> Path:
    """Return the output folder of a site."""
    return site / str(settings_of(site)["output"])


def differences(site: str, old: Facts, new: Facts) -> Iterator[Change]:
    """Yield the changes between two outputs.

    An entry that is new in RSS or JSON only because another one left the feed is not a change.
    """
    for key in sorted(old.keys() | new.keys()):
        if key not in new or key not in old:
            yield Change(site, key, "gone" if key in old else "new", "")
            continue
        for name in sorted(old[key].keys() | new[key].keys()):
            was, now = old[key].get(name, ""), new[key].get(name, "")
            if was != now and not (name in FORMATS and not was):
                yield Change(site, key, name, now)


def facts_of(folder: Path, base: str, *, but: Collection[str] = ()) -> Facts:
    """Return the facts of an output folder that is served at `base`, without the tombstones of the ids in `but`."""
    paths = manifest(str(folder))
    entries: Facts = {}
    feeds: Facts = {}
    holders: dict[str, set[str]] = {}
    for path in sorted(paths):
        feed, is_archive = _feed(path)
        if feed is None:
            continue
        root = etree.fromstring((folder / path).read_bytes())
        if not is_archive:
            feeds[f"feed {feed}"] = _head(root, but)
        for element in root.iterfind(f"{ATOM}entry"):
            identity, facts = _text(element, "id"), _entry(element)
            assert entries.setdefault(identity, facts) == facts, f"{path}: {identity} is not as in another feed"
            holders.setdefault(identity, set()).add(feed or ".")
    for identity, facts in entries.items():
        facts["feeds"] = " ".join(sorted(holders[identity]))
        paths.discard(_page(facts["link"], base))
    _add_formats(entries, folder)
    outlines = etree.fromstring((folder / "feeds.opml").read_bytes()).iter("outline")
    lists = {f"list {one.get('xmlUrl')}": {"title": str(one.get("title"))} for one in outlines}
    return entries | feeds | lists | {f"path {path}": {} for path in paths}


def _feed(path: str) -> tuple[str | None, bool]:
    """Return the folder of the feed of an Atom document (None for other files), and True if it is an archive."""
    *folders, name = path.split("/")
    if folders[-1:] == ["archive"] and name.endswith(".xml"):
        return "/".join(folders[:-1]), True
    return ("/".join(folders) if name == "atom.xml" else None), False


def _head(root: Any, but: Collection[str]) -> dict[str, str]:
    links = {one.get("rel"): one.get("href") for one in root.iterfind(f"{ATOM}link")}
    tombstones = root.iterfind(f"{TOMBSTONES}deleted-entry")
    deleted = sorted(f"{one.get('ref')} {one.get('when')}" for one in tombstones if one.get("ref") not in but)
    facts = {"id": _text(root, "id"), "title": _text(root, "title"), "self": links["self"]}
    return facts | {"page": links["alternate"], "deleted": ", ".join(deleted)}


def _entry(entry: Any) -> dict[str, str]:
    links = [one.get("href") for one in entry.iterfind(f"{ATOM}link") if one.get("rel", "alternate") == "alternate"]
    return {
        "title": _text(entry, "title"),
        "link": links[0] if links else "",
        "published": _instant(_text(entry, "published")),
        "updated": _instant(_text(entry, "updated")),
        "categories": json.dumps(
            sorted(one.get("term") for one in entry.iterfind(f"{ATOM}category")), ensure_ascii=False
        ),
    }


def _page(link: str, base: str) -> str:
    """Return the path of an entry's own page; "" if the output does not contain it."""
    return f"{unquote(link.removeprefix(base))}index.html" if link.startswith(f"{base}articles/") else ""


def _add_formats(entries: Facts, folder: Path) -> None:
    """Add the ids of entries in the RSS and JSON feeds of the site, which are matched by link and date."""
    by_link_and_date = {(facts["link"], facts["published"]): facts for facts in entries.values()}
    for item in etree.fromstring((folder / "rss.xml").read_bytes()).iterfind("channel/item"):
        date = parsedate_to_datetime(item.findtext("pubDate")).isoformat()
        by_link_and_date[item.findtext("link") or "", _instant(date)]["rss.xml"] = item.findtext("guid")
    for item in json.loads((folder / "feed.json").read_bytes())["items"]:
        by_link_and_date[item.get("url", ""), _instant(item["date_published"])]["feed.json"] = item["id"]


def _text(parent: Any, name: str) -> str:
    return "".join(parent.find(f"{ATOM}{name}").itertext())


def _instant(text: str) -> str:
    return datetime.fromisoformat(text).astimezone(UTC).isoformat()


def amend(published: Path, changes: list[Change]) -> None:
    """Change the feeds in a copy of the published output as if the changes had been published already."""
    by_id: dict[str, list[Change]] = {}
    for change in changes:
        by_id.setdefault(change.id, []).append(change)
        if change.what == "gone" and change.id.startswith("feed "):
            (published / change.id.removeprefix("feed ") / "atom.xml").unlink()
    for path in published.rglob("atom.xml"):
        tree = etree.parse(path)
        for entry in tree.getroot().findall(f"{ATOM}entry"):
            for change in by_id.get(_text(entry, "id"), []):
                if change.what == "gone":
                    tree.getroot().remove(entry)
                elif change.what in ("published", "updated"):
                    entry.find(f"{ATOM}{change.what}").text = change.now
        tree.write(path)
