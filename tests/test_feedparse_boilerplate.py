"""Test which text repeated in a feed's entries is removed, and that one more entry changes nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest

from feedtool.config import Html, SourceSettings
from feedtool.feedparse import clean_entries, parse_feed
from feedtool.feedparse.boilerplate import count_repeated, find_boilerplate
from feedtool.feedparse.text_runs import runs_of

OWN = [
    f"The article number {number} says at some length what no other one says. {'More. ' * 9}" for number in range(24)
]
FOOTER = "<p>Subscribe to our weekly travel newsletter for more like this</p>"
LEAD = "<p>The earthquake struck at 06:12 local time and killed at least 40 people in the region.</p>"
CHINESE_LEAD = "<p>据新华社报道，当地时间今天清晨发生七点一级地震，造成至少四十人遇难，引发广泛关注。</p>"
QUOTE = "<blockquote>“We will not raise taxes this year,” the minister said on Monday evening.</blockquote>"
LINKS = '<p><a href="https://e.org/a">Facebook</a> | <a href="https://e.org/b">Twitter</a></p>'
BLOCKS_IN_LINK = '<a href="https://e.org/a"><p>Our shop has shirts and posters and mugs for all of you</p></a>'
SIGNATURE = "<p>— the editors</p>"
DISCLAIMER = "<p>This text gives the opinion of its author and not that of the house that printed it.</p>"
PICTURE = '<p><img src="https://e.org/flag.jpg"></p>'


def _count_kept(block: str, many: int, of: int, *, where: str = "tail") -> int:
    """Return the number of clean bodies, out of `of`, that keep a block that `many` of them contain."""
    pages = []
    for number, text in enumerate(OWN[:of]):
        own, extra = f"<p>{text}</p>", block if number < many else ""
        pages.append(
            {"head": extra + own, "tail": own + extra, "middle": own + extra + own.replace("says", "said")}[where]
        )
    items = "".join(
        f"<item><title>{n}</title><description><![CDATA[{page}]]></description></item>" for n, page in enumerate(pages)
    )
    feed = parse_feed(
        f"<rss version='2.0'><channel><title>x</title>{items}</channel></rss>".encode(), url="https://e.org/f"
    )
    entries = clean_entries(feed, SourceSettings(name="x", url="https://e.org/f"), Html())
    needle = "flag.jpg" if "<img" in block else runs_of(block)[-1].text
    return sum(needle in entry.html or any(run.text == needle for run in runs_of(entry.html)) for entry in entries)


@pytest.mark.parametrize("block", [LEAD, CHINESE_LEAD, QUOTE, DISCLAIMER, SIGNATURE])
@pytest.mark.parametrize(("many", "of"), [(4, 10), (3, 8), (5, 10), (8, 10), (4, 4), (10, 10)])
def test_text_at_the_beginning_is_kept(block: str, many: int, of: int) -> None:
    assert _count_kept(block, many, of, where="head") == many


@pytest.mark.parametrize("block", [LEAD, QUOTE, DISCLAIMER])
@pytest.mark.parametrize(("many", "of"), [(4, 10), (3, 8), (9, 10)])
def test_text_in_the_middle_is_kept(block: str, many: int, of: int) -> None:
    assert _count_kept(block, many, of, where="middle") == many


@pytest.mark.parametrize("block", [LINKS, BLOCKS_IN_LINK, FOOTER, PICTURE])
@pytest.mark.parametrize("where", ["head", "tail"])
@pytest.mark.parametrize(
    ("many", "of", "kept"), [(3, 3, 3), (3, 10, 3), (4, 10, 4), (4, 8, 0), (4, 4, 0), (5, 10, 0), (5, 11, 5)]
)
def test_repeated_links_and_images_are_removed(block: str, where: str, many: int, of: int, kept: int) -> None:
    assert _count_kept(block, many, of, where=where) == kept


@pytest.mark.parametrize(("many", "of", "kept"), [(4, 4, 4), (3, 5, 3), (4, 5, 0), (5, 10, 5), (6, 10, 0)])
def test_repeated_prose_is_removed_from_the_end(many: int, of: int, kept: int) -> None:
    assert _count_kept(DISCLAIMER, many, of) == kept
    assert _count_kept(QUOTE, many, of) == kept


@pytest.mark.parametrize("block", [FOOTER, LINKS, PICTURE, LEAD])
@pytest.mark.parametrize(("many", "of"), [(3, 10), (3, 9), (8, 10), (10, 10), (14, 20)])
def test_neighbours_seldom_change_an_article(block: str, many: int, of: int) -> None:
    kept = _count_kept(block, many, of)
    assert _count_kept(block, many, of + 1) == kept
    assert _count_kept(block, many, of - 1 if of > many else of) == kept


def test_text_in_the_lead_is_kept() -> None:
    bodies = [runs_of(f"{LEAD}<p>{text}</p>{LEAD}") for text in OWN]
    assert not find_boilerplate(bodies[0], count_repeated(bodies)).runs


@pytest.mark.parametrize("text", ["", " 1", " with a line"])
def test_every_entry_keeps_some_text(text: str) -> None:
    bodies = [runs_of(f"<p>{number}{text}</p>{FOOTER}{LINKS}{DISCLAIMER}") for number in range(9)]
    for body in bodies:
        removed = find_boilerplate(body, count_repeated(bodies)).runs
        assert any(run.text for run in body if run.key not in removed)


def test_entry_inside_a_share_bar_keeps_its_text() -> None:
    body = '<div class="sharedaddy"><p>All that this article says.</p></div>'
    xml = f"<rss version='2.0'><channel><title>x</title><item><description><![CDATA[{body}]]></description></item></channel></rss>"
    source = SourceSettings(name="x", url="https://e.org/f")
    feed = parse_feed(xml.encode(), url="https://e.org/f")
    assert "All that" in clean_entries(feed, source, Html())[0].html
    assert not clean_entries(feed, replace(source, remove=(".sharedaddy",)), Html())[0].html


@pytest.mark.parametrize(
    ("html", "linked"),
    [
        ('<p><a href="/x">all of it</a></p>', True),
        ('<p>a long line of text with <a href="/x">one link</a> in it</p>', False),
        ('<a href="/x"><p>all</p><p>of it</p></a>', True),
        ("<p>none</p>", False),
    ],
)
def test_line_of_mostly_links_is_a_link_line(html: str, linked: bool) -> None:
    assert {run.linked for run in runs_of(html)} == {linked}


def test_image_entry_loses_its_share_bar() -> None:
    body = '<p><img src="https://e.org/1.jpg"></p><div class="sharedaddy"><p>Tweet it</p></div>'
    xml = f"<rss version='2.0'><channel><title>x</title><item><description><![CDATA[{body}]]></description></item></channel></rss>"
    entry = clean_entries(
        parse_feed(xml.encode(), url="https://e.org/f"), SourceSettings(name="x", url="https://e.org/f"), Html()
    )[0]
    assert "1.jpg" in entry.html
    assert "Tweet" not in entry.html


def test_digest_ignores_other_entries() -> None:
    def digest(neighbours: int, body: str = FOOTER, *, picture: str = "", remove: tuple[str, ...] = ()) -> str:
        bodies = [f"<p>{text}</p>{FOOTER}" for text in OWN[1 : 1 + neighbours]]
        items = "".join(f"<item><description><![CDATA[{one}]]></description></item>" for one in bodies)
        first = f"<item>{picture}<description><![CDATA[<p>{OWN[0]}</p>{body}]]></description></item>"
        xml = f"<rss version='2.0'><channel><title>x</title>{first}{items}</channel></rss>"
        source = SourceSettings(name="x", url="https://e.org/f", remove=remove)
        return clean_entries(parse_feed(xml.encode(), url="https://e.org/f"), source, Html())[0].digest

    enclosure = "<enclosure url='https://e.org/a.jpg' type='image/jpeg' length='1'/>"
    assert digest(0) == digest(9)
    assert len({digest(0), digest(0, LEAD), digest(0, picture=enclosure), digest(0, remove=(".x",))}) == 4
