"""Test that feeds built from articles give the same feeds again when they are ingested into a new site and built."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from lxml import etree

from tests.bench.corpus import generate
from tests.support.site import ROOT, build, run, tree, write

SETTINGS = """[site]
title = "Round trip"
url = "https://example.org/"
language = "zh-CN"
timezone = "Asia/Shanghai"
[feeds]
limit = 1000
archive = false
"""
PODCAST = """---
title: 'An episode & more'
date: 2021-05-06T07:08:09+02:00
updated: 2021-05-07T07:08:09+02:00
categories: [Audio]
author: {name: Ada, email: ada@example.org}
link: https://example.org/pod/1
guid: urn:uuid:60a76c80-d399-11d9-b93c-0003939e0af6
enclosures:
 - {url: https://example.org/1.mp3, type: audio/mpeg, length: 1234, duration: 61}
rights: © Ada
---

<p>Listen: 1 &lt; 2 &amp; “quotes”.</p>
<pre><code class="language-html">&lt;b&gt; {{ x }}

 end</code></pre>
"""
A = "{http://www.w3.org/2005/Atom}"
M = "{http://search.yahoo.com/mrss/}"


@pytest.fixture(scope="module")
def first(tmp_path_factory) -> Path:
    """Return a built site with an example article, a podcast episode and sixty generated articles."""
    site = tmp_path_factory.mktemp("first")
    generate(site, 60, seed=3, categories=12, body=(500, 6000))
    write(site / "feedtool.toml", SETTINGS)
    write(site / "articles/episode.md", PODCAST)
    seed = next((ROOT / "feeds/articles").rglob("*.md"))
    shutil.copy(seed, site / "articles" / seed.name)
    assert build(site).exit_code in (0, 1)
    return site


def facts(site: Path) -> dict[str, dict[str, object]]:
    """Return the facts of each entry in the built Atom feed, by its id."""
    by_id = {}
    for entry in etree.parse(site / "public/atom.xml").iter(f"{A}entry"):
        links = [
            (link.get("rel"), link.get("href"), link.get("type"), link.get("length")) for link in entry.iter(f"{A}link")
        ]
        by_id[entry.findtext(f"{A}id")] = {
            "title": entry.findtext(f"{A}title"),
            "published": entry.findtext(f"{A}published"),
            "updated": entry.findtext(f"{A}updated"),
            "categories": [one.get("term") for one in entry.iter(f"{A}category")],
            "authors": [one.findtext(f"{A}name") for one in entry.findall(f"{A}author")],
            "thumbnail": [one.get("url") for one in entry.iter(f"{M}thumbnail")],
            "enclosures": sorted(link for link in links if link[0] == "enclosure"),
            "link": [href for rel, href, *_ in links if rel == "alternate"],
            "summary": entry.findtext(f"{A}summary"),
            "content": entry.findtext(f"{A}content"),
        }
    return by_id


POOR = "https://picsum.photos/"
QR = "343233024.png"


def surviving(entry: dict[str, object], name: str) -> dict[str, object]:
    """Return the facts of an entry that must survive: all that its format carries and that ingest keeps."""
    kept = dict(entry)
    if name == "rss.xml":
        del kept["updated"]  # RSS has only one date
    picture = "".join(kept["thumbnail"])
    if POOR in picture or QR in picture:
        del kept["thumbnail"]  # ingest ignores placeholders and QR cards as pictures
    if name == "feed.json" and QR in str(kept["content"]):
        # JSON Feed cannot name its generator, so ingest finds the QR cards by their repetition and removes them.
        del kept["content"]
        kept.pop("thumbnail", None)
    return kept


@pytest.mark.parametrize("name", ["atom.xml", "rss.xml", "feed.json"])
def test_own_feed_round_trips_unchanged(first, tmp_path, name):
    write(tmp_path / "feedtool.toml", SETTINGS)
    done = run("ingest", "-C", str(tmp_path), str(first / "public" / name), "--json")
    assert done.exit_code == 0, done.stderr
    expected = facts(first)
    assert done.json["new"] == len(expected) >= 55
    assert build(tmp_path).exit_code == 0
    result = facts(tmp_path)
    assert result.keys() == expected.keys()
    for identity, entry in expected.items():
        kept_facts = surviving(entry, name)
        assert {key: result[identity][key] for key in kept_facts} == kept_facts
    order = [json.loads((site / "public/feed.json").read_text())["items"] for site in (first, tmp_path)]
    assert [item["id"] for item in order[1]] == [item["id"] for item in order[0]]
    before = tree(tmp_path)
    again = run("ingest", "-C", str(tmp_path), str(first / "public" / name), "--force", "--json")
    assert (again.json["unchanged"], again.json["new"], again.json["updated"]) == (len(expected), 0, 0)
    after = tree(tmp_path)
    tracked = [path for path in after if not path.startswith(".feedtool/")]
    assert [path for path in tracked if before.get(path) != after[path]] == []


CASES = ROOT / "tests/ingest_cases"


@pytest.mark.parametrize("case", sorted(path.name for path in CASES.iterdir()))
def test_feed_gives_the_expected_files(case, tmp_path, accept):
    """Each folder of `ingest_cases` has a feed, and in `expected` the articles that are made from it."""
    write(tmp_path / "feedtool.toml", '[site]\ntitle = "T"\nlanguage = "zh-CN"\n[articles]\nflavour = "hexo"\n')
    names = ("金融", "新浪财经", "新浪财经－国內")
    more = [word for name in names for word in ("-c", name)]
    done = run("ingest", "-C", str(tmp_path), str(CASES / case / "feed.xml"), *more, "--json")
    assert done.exit_code == 0, done.stderr
    files = tree(tmp_path / "articles")
    expected = CASES / case / "expected"
    if accept:
        shutil.rmtree(expected, ignore_errors=True)
        for path, data in files.items():
            write(expected / path, data)
    assert files == tree(expected)
