"""Test that files written by `check --fix`, `new` and `ingest` keep the real generator's output of a site."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.generators import GENERATORS, Post
from tests.generators.corpus import COUNT, FOLDERS, articles, broken, make, settings
from tests.support.site import run, write
from tests.support.upgrade import facts_of, output_of, settings_of

pytestmark = pytest.mark.slow

ZONES = ("Asia/Shanghai", "America/New_York", "UTC", "")
FEED = """<?xml version="1.0" encoding="utf-8"?>
<rss version="2.0"><channel><title>F</title><link>https://f.example/</link><description>F</description>
<item><title>Late one</title><link>https://f.example/1</link><guid isPermaLink="false">1</guid>
<pubDate>Mon, 04 Mar 2024 22:30:00 GMT</pubDate><description>Begins with text.</description></item>
<item><title>[x] y: "it's" @home #1</title><link>https://f.example/2</link><guid isPermaLink="false">2</guid>
<pubDate>Tue, 05 Mar 2024 23:30:00 -0500</pubDate><description>&lt;p&gt;{{ a }} {% b %}&lt;/p&gt;</description></item>
<item><title>中文：标题</title><link>https://f.example/3</link><guid isPermaLink="false">3</guid>
<pubDate>Thu, 07 Mar 2024 00:10:00 +0800</pubDate><category>One</category>
<description>&lt;p&gt;Text.&lt;/p&gt;</description></item>
</channel></rss>
"""
ENTRIES = {
    "Late one": "2024-03-04T22:30:00.000Z",
    '[x] y: "it\'s" @home #1': "2024-03-06T04:30:00.000Z",
    "中文：标题": "2024-03-06T16:10:00.000Z",
}
DAYS = {
    "Asia/Shanghai": ("2024/03/05", "2024/03/06", "2024/03/07"),
    "America/New_York": ("2024/03/04", "2024/03/05", "2024/03/06"),
}
"""The days of ENTRIES in a site's zone, as they stand in addresses."""
NEW = {"Asia/Shanghai": "2024-03-04T16:30:00.000Z", "America/New_York": "2024-03-05T05:30:00.000Z"}
"""The instants of 2024-03-05 00:30."""


SHIFTED = re.compile(
    r"^date: \d{4}-\d\d?-\d\d?[Tt ]\d\d?:\d\d:\d\d(?:\.\d*)? ?(?:Z|[+-]\d\d(?::\d\d)?)\s*$", re.MULTILINE
)
"""What YAML takes for a moment with an offset, which Hexo ignores: a feed says the instant that is written there, and leads
to the page where Hexo has it."""


def differences(before: dict[str, Post], after: dict[str, Post]) -> Iterator[str]:
    """Yield the differences of articles, except for dates that the generator can only read now."""
    for path in sorted(before.keys() | after.keys()):
        if path not in before or path not in after:
            yield f"{path}: {'gone' if path in before else 'new'}"
            continue
        for name, was, now in zip(Post._fields, before[path], after[path], strict=True):
            is_readable_now = not was and (name in ("date", "updated") or (name == "address" and not before[path].date))
            if was != now and not is_readable_now:
                yield f"{path}: {name} was {was!r}, is {now!r}"


def initialised(site: Path) -> Path:
    """Run `init` on a generator's site."""
    result = run("init", str(site))
    assert result.exit_code == 0, result.stderr
    return site


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("generator", GENERATORS)
def test_check_fix_keeps_the_generator_output(generator: str, zone: str, tmp_path: Path) -> None:
    site = make(generator, tmp_path / "site", zone=zone)
    before = GENERATORS[generator](site)
    assert len(before) >= COUNT
    initialised(site)
    texts = {path: (site / path).read_bytes() for path, _ in articles(generator)}
    result = run("check", "-C", str(site), "--json", "--fix")
    assert result.exit_code in (0, 1), result.stderr
    assert any((site / path).read_bytes() != text for path, text in texts.items()), "nothing was fixed"
    changes = list(differences(before, GENERATORS[generator](site)))
    assert not changes, "\n" + "\n".join(changes)


@pytest.mark.parametrize("generator", [name for name in GENERATORS if name != "pelican"])
def test_check_fix_makes_broken_yaml_readable(generator: str, tmp_path: Path) -> None:
    settings(generator, tmp_path, zone="Asia/Shanghai")
    titles = {}
    for path, text, title in broken(generator):
        write(tmp_path / path, text)
        titles[path] = title
    initialised(tmp_path)
    run("check", "-C", str(tmp_path), "--json", "--fix")
    posts = GENERATORS[generator](tmp_path)
    assert {path: post.title for path, post in posts.items()} == titles
    for number, path in enumerate(titles, 1):
        # Jekyll reads a date without a zone as UTC.
        hour = "12" if generator == "jekyll" else "04"
        assert (posts[path].date, posts[path].categories) == (f"2024-04-{number:02}T{hour}:00:00.000Z", ("One",))


@pytest.mark.parametrize("zone", DAYS)
@pytest.mark.parametrize("generator", GENERATORS)
def test_new_writes_posts_at_the_right_instant(generator: str, zone: str, tmp_path: Path) -> None:
    settings(generator, tmp_path, zone=zone)
    initialised(tmp_path)
    for title in ("Made now", '[x] a: "b" it\'s'):
        result = run("new", title, "-C", str(tmp_path), "--date", "2024-03-05 00:30", "--category", "One")
        assert result.exit_code == 0, result.stderr
    posts = GENERATORS[generator](tmp_path)
    assert sorted(post.title for post in posts.values()) == ["Made now", '[x] a: "b" it\'s']
    for path, post in posts.items():
        assert path.endswith(".md")
        assert (post.date, post.published, post.categories) == (NEW[zone], True, ("One",))
        assert "/2024/03/05/" in post.address


@pytest.mark.parametrize("zone", DAYS)
@pytest.mark.parametrize(
    ("generator", "extra"), [*((name, "") for name in GENERATORS), ("hexo", "post_asset_folder: true\n")]
)
def test_ingest_writes_posts_at_the_right_instant(generator: str, extra: str, zone: str, tmp_path: Path) -> None:
    settings(generator, tmp_path, zone=zone, extra=extra)
    initialised(tmp_path)
    write(tmp_path / "feed.xml", FEED)
    result = run("ingest", "-C", str(tmp_path), "--json", "--name", "F", str(tmp_path / "feed.xml"))
    assert result.exit_code == 0, result.stderr
    posts = GENERATORS[generator](tmp_path)
    assert {post.title: post.date for post in posts.values()} == ENTRIES
    assert all(post.published for post in posts.values())
    if generator in ("hexo", "jekyll"):  # the other generators take the day of the address from the date's own offset
        addresses = [next(post.address for post in posts.values() if post.title == title) for title in ENTRIES]
        assert [address[1:11] for address in addresses] == list(DAYS[zone])


@pytest.mark.parametrize("zone", DAYS)
@pytest.mark.parametrize("generator", GENERATORS)
def test_feeds_link_to_pages_of_the_generator(generator: str, zone: str, tmp_path: Path) -> None:
    site = make(generator, tmp_path / "site", zone=zone)
    initialised(site)
    text = (site / "feedtool.toml").read_text("utf-8")
    write(site / "feedtool.toml", text.replace("limit = 50 ", "limit = 500 "))
    result = run("build", "-C", str(site), "--json")
    assert result.exit_code == 0, result.stderr
    posts = GENERATORS[generator](site)
    changes = list(feed_differences(posts, site, FOLDERS[generator]))
    assert not changes, "\n" + "\n".join(changes)


def feed_differences(posts: dict[str, Post], site: Path, folder: str) -> Iterator[str]:
    """Yield differences between the site's Atom feed and its generator, for articles that both read alike."""
    facts = facts_of(output_of(site), settings_of(site)["site"]["url"])
    entries = {unquote(key).rpartition(":")[2]: entry for key, entry in facts.items() if "published" in entry}
    for path, post in sorted(posts.items()):
        text = (site / path).read_text("utf-8")
        entry = entries.get(path.removeprefix(f"{folder}/").rpartition(".")[0].rpartition("/")[2])
        if entry is not None and not post.published:
            yield f"{path}: in the feed, and the generator keeps it back"
        if not post.published or not post.date or _is_read_otherwise(text, folder):
            continue
        if entry is None:
            yield f"{path}: in no feed"
            continue
        instant = entry["published"].replace("+00:00", ".000Z")
        link = unquote(entry["link"].removeprefix("https://notes.example"))
        if instant != post.date and not (folder == FOLDERS["hexo"] and SHIFTED.search(text)):
            yield f"{path}: published {instant}, the generator says {post.date}"
        if link != post.address:
            yield f"{path}: leads to {link}, the generator's page is {post.address}"


def _is_read_otherwise(text: str, folder: str) -> bool:
    """Return True if feedtool reads more than the generator.

    These are keys in capitals, `draft`, and GMT, which Hugo reads as its own zone.
    """
    if folder == FOLDERS["pelican"]:
        return False
    return "Date:" in text or "draft: true" in text or (folder == FOLDERS["hugo"] and " GMT" in text)
