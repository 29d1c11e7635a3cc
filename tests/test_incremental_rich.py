"""Test incremental builds of a site with every feature: after any edit, they write the same as a full build."""

from __future__ import annotations

import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from feedtool.catalog import fingerprints
from feedtool.config import load_settings
from feedtool.models import Report
from feedtool.protocols import in_order
from feedtool.publish import Choices, build, heads
from tests.support.richsite import RichSite
from tests.support.site import article, make_site, stamps, tree, write

NOW = datetime(2022, 9, 1, tzinfo=UTC)


def built(folder: Path) -> Report:
    """Build a site in this process."""
    return build(load_settings(str(folder)), mapper=in_order, clock=lambda: NOW, choices=Choices())


def from_nothing(folder: Path, place: Path) -> tuple[Report, dict[str, bytes]]:
    """Return the report and the output of the same site built without output and index."""
    shutil.copytree(folder, place, ignore=shutil.ignore_patterns("public", ".feedtool"))
    report = built(place)
    output = tree(place / "public")
    shutil.rmtree(place)
    return report, output


@pytest.mark.parametrize("seed", range(8))
def test_edits_build_like_a_full_build(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for part in (heads, fingerprints):
        monkeypatch.setattr(part, "PART", 3)
    site = RichSite(tmp_path / "site", seed)
    done: list[str] = []
    for step in range(9):
        report = built(site.folder)
        expected, output = from_nothing(site.folder, tmp_path / "fresh")
        output_files = tree(site.folder / "public")
        assert sorted(output_files) == sorted(output), (step, done)
        assert [name for name in output_files if output_files[name] != output[name]] == [], (step, done)
        facts = (report.articles, report.feeds, report.problems)
        assert facts == (expected.articles, expected.feeds, expected.problems), (step, done)
        before = stamps(site.folder / "public")
        time.sleep(0.03)  # otherwise the files are so new that no fingerprint of them is trusted
        built(site.folder)
        assert stamps(site.folder / "public") == before, (step, done)
        done = [site.change() for _ in range(site.rng.choice((1, 1, 1, 2, 4)))]


FRONT = (
    "categories: [A, B]\ntags: [x]\nauthor: Ada\nsource: The Times\nlang: fr\nenclosure: {url: https://e.org/a.mp3}\n"
)
OTHER = "categories: [C, A]\ntags: [y]\nauthor: Bo\nthumbnail: https://picsum.photos/1\nlink: https://e.org/l\n"
SETTINGS = """[site]
title = "One"
url = "https://example.org/"
language = "en"
author = { name = "Ada", email = "ada@e.org" }
[articles]
[feeds]
limit = 2
podcast_category = "News"
[html]
[pages]
[feeds.select.some]
title = "Some"
tags = ["x"]
[categories."A"]
title = "Of A"
"""
EDITS = (
    ('title = "One"', 'title = "Two"'),
    ('language = "en"', 'language = "de"'),
    ("ada@e.org", "bo@e.org"),
    ('url = "https://example.org/"', 'url = "https://example.com/feeds/"'),
    ("[articles]", '[articles]\npermalink = "/{slug}/"'),
    ("[articles]", '[articles]\nflavour = "jekyll"'),
    ("limit = 2", "limit = 3"),
    ("limit = 2", "limit = 2\nmax_bytes = 2500"),
    ("limit = 2", 'limit = 2\ncontent = "summary"'),
    ("limit = 2", 'limit = 2\ncategories = "hierarchy"'),
    ("limit = 2", "limit = 2\narchive = false"),
    ("limit = 2", "limit = 2\nttl = 7"),
    ("limit = 2", 'limit = 2\nformats = ["atom"]'),
    ("limit = 2", "limit = 2\nsummary_length = 10"),
    ('"News"', '"Arts"'),
    ("[html]", '[html]\nremove = ["b"]'),
    ("[html]", '[html]\ntags = ["x-y"]'),
    ("[html]", '[html]\nattributes = { p = ["data-a"] }'),
    ("[html]", "[html]\niframe_hosts = []"),
    ("[html]", "[html]\ndrop_trackers = false"),
    ("[html]", '[html]\nproxies = ["https://p.example/?"]'),
    ("[html]", "[html]\ndistrust_thumbnails = true"),
    ("[pages]", '[pages]\narticles = "all"'),
    ("[pages]", '[pages]\narticles = "none"'),
    ("[pages]", "[pages]\nindex = false"),
    ("[pages]", '[pages]\ntheme = { accent = "#0a5" }'),
    ('"Some"', '"Others"'),
    ('tags = ["x"]', 'tags = ["y"]'),
    ('tags = ["x"]', 'authors = ["Bo"]'),
    ('tags = ["x"]', 'sources = ["The Times"]'),
    ('tags = ["x"]', 'since = "2022-03-01"'),
    ('tags = ["x"]', 'title_match = "2"'),
    ('tags = ["x"]', 'tags = ["x"]\nlimit = 1'),
    ('tags = ["x"]', 'tags = ["x"]\nnot = { categories = ["C"] }'),
    ('tags = ["x"]', 'tags = ["x"]\ndescription = "D"'),
    ("select.some", "select.any"),
    ('"Of A"', '"A"'),
    ('"Of A"', '"Of A"\nslug = "eh"'),
    ('"Of A"', '"Of A"\nlimit = 1'),
    ('"Of A"', '"Of A"\ndescription = "D"'),
    ('"Of A"', '"Of A"\nimage = "https://e.org/a.png"'),
    ('categories."A"', 'categories."B"'),
    *(
        ('title = "One"', f'title = "One"\n{line}')
        for line in (
            'description = "D"',
            'timezone = "Asia/Shanghai"',
            'rights = "R"',
            'icon = "https://e.org/i.png"',
            'authority = "old.example"',
            'image = "https://e.org/i.jpg"',
            'hub = "https://hub.example/"',
        )
    ),
)


def test_changed_settings_build_like_a_full_build(tmp_path: Path) -> None:
    bodies = (
        '<p data-a="1">One <b>bold</b></p><img src="https://p.example/?https://e.org/a.png">',
        "<x-y>Two</x-y><iframe src='https://www.youtube.com/embed/x'></iframe><img src='https://www.google-analytics.com/x'>",
        "Three", "Four " * 40,
    )  # fmt: skip
    articles = {
        f"{n}.md": article(f"T{n}", date=f"2022-0{n + 1}-10", front=FRONT if n % 2 else OTHER, body=body)
        for n, body in enumerate(bodies)
    }
    site = make_site(tmp_path / "site", articles, SETTINGS)
    built(site)
    plain = tree(site / "public")
    for old, new in EDITS:
        assert old in SETTINGS
        write(site / "feedtool.toml", SETTINGS.replace(old, new, 1))
        time.sleep(0.02)
        report = built(site)
        expected, output = from_nothing(site, tmp_path / "fresh")
        output_files = tree(site / "public")
        assert [
            name for name in sorted({*output_files, *output}) if output_files.get(name) != output.get(name)
        ] == [], new
        assert output != plain, f"{new} changes nothing here"
        assert report.problems == expected.problems, new
