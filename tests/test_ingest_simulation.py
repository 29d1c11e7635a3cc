"""Test days of simulated hourly visits: sources that change ids, vanish and return, and a user who deletes articles.

In the end each entry that a feed ever had has exactly one article, except for those that the user deleted.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest

from feedtool.articles import Rules, read_article
from tests.support.ingestworld import NOW, World, run
from tests.support.site import make_site

WORDS = ("harbour", "bridge", "election", "recipe", "orchestra", "wolves", "ferry", "glacier", "council", "market")
HOURS = 60


@dataclass
class Story:
    """One story, independent of how feeds present it."""

    feed: str
    number: int
    title: str
    text: str
    published: datetime
    edits: int = 0


@dataclass
class Feed:
    """A publisher; `form` returns the ids of a story in the feed at one visit."""

    name: str
    form: Callable[[Story, int], dict]
    stories: list[Story] = field(default_factory=list)
    published: set[int] = field(default_factory=set)
    window: int = 12

    @property
    def url(self) -> str:
        return f"https://{self.name}.example.org/feed"


def own(story: Story) -> str:
    return f"https://{story.feed}.example.org/{story.number}"


def stable(story: Story, visit: int) -> dict:
    return {"guid": f"urn:x:{story.number}", "link": own(story)}


def churned(story: Story, visit: int) -> dict:
    return {"guid": f"{visit}-{story.number}", "link": own(story)}


def no_guid(story: Story, visit: int) -> dict:
    return {"guid": "", "link": own(story)}


def one_link(story: Story, visit: int) -> dict:
    return {"guid": f"urn:y:{story.number}", "link": "https://one.example.org/"}


def moved(story: Story, visit: int) -> dict:
    host = "moved.example.org" if visit < HOURS // 2 else "new.example.net"
    return {"guid": f"urn:z:{story.number}", "link": f"https://{host}/a/{story.number}"}


def renumbered(story: Story, visit: int) -> dict:
    return {"guid": f"{'http' if visit < HOURS // 2 else 'https'}://g.example.org/{story.number}", "link": own(story)}


def decorated(story: Story, visit: int) -> dict:
    return {
        "guid": "",
        "link": f"{'http' if visit % 2 else 'https'}://www.example.org/{story.number}/?utm_source={visit}#top",
    }


def neither(story: Story, visit: int) -> dict:
    return {"guid": f"{visit}-{story.number}", "link": None}


FORMS = (stable, churned, no_guid, one_link, moved, renumbered, decorated, neither)


def story(rng: random.Random, feed: str, number: int, now: datetime) -> Story:
    # Columns share one title, and some titles differ only in a number.
    title = rng.choice(("Notes of the day", f"Notes {number}", " ".join(rng.sample(WORDS, 5)).capitalize()))
    text = " ".join(rng.choices(WORDS, k=60)) + f" {number}."
    return Story(feed, number, title, text, now)


def document(feed: Feed, visit: int, rng: random.Random) -> list[dict]:
    newest = sorted(feed.stories, key=lambda one: one.number, reverse=True)[: feed.window]
    if rng.random() < 0.05:
        newest = []
    elif rng.random() < 0.1:
        newest = newest[: rng.randint(1, feed.window)]
    feed.published |= {one.number for one in newest}
    return [
        {
            "title": one.title,
            "html": f"<p>{one.text}</p>" + f"<p>Edit {one.edits}.</p>" * bool(one.edits),
            "published": one.published.isoformat(),
            **feed.form(one, visit),
        }
        for one in newest
    ]


def happen(feed: Feed, rng: random.Random, now: datetime) -> None:
    for _ in range(rng.choice((0, 0, 1, 1, 2))):
        feed.stories.append(story(rng, feed.name, len(feed.stories), now - timedelta(minutes=rng.randint(0, 59))))
    if feed.stories and rng.random() < 0.15 and feed.form is not neither:
        rng.choice(feed.stories[-feed.window :]).edits += 1


def articles(site) -> Iterator[tuple]:
    for path in sorted((site / "articles").rglob("*.md")):
        article, problems = read_article(path.name, path.read_bytes(), Rules())
        assert article is not None
        assert not problems, problems
        yield path, article


def edit_and_host(data: bytes) -> tuple:
    return re.findall(rb"Edit \d+", data), re.findall(rb"^link: '(https?://[^/]*)", data, re.MULTILINE)


def number_of(article) -> int:
    match = re.search(r"(\d+)\.", article.body)
    assert match
    return int(match[1])


@pytest.mark.parametrize("seed", range(4))
def test_simulated_visits_lose_or_repeat_nothing(tmp_path, seed):
    rng = random.Random(seed)
    world = World()
    feeds = [Feed(form.__name__, form) for form in FORMS]
    tables = "".join(f'[[sources]]\nname = "{feed.name}"\nurl = "{feed.url}"\n' for feed in feeds)
    site = make_site(tmp_path, {}, '[site]\ntitle = "T"\n' + tables)
    deleted: set[tuple[str, int]] = set()
    before: dict[str, bytes] = {}
    for visit in range(HOURS):
        now = NOW + timedelta(hours=visit)
        expected = 0
        for feed in feeds:
            happen(feed, rng, now)
            if rng.random() < 0.08:
                world.pages[feed.url] = {"kind": "http", "message": "500"}
                continue
            edits = {one.number: one.edits for one in feed.stories}
            world.pages[feed.url] = document(feed, visit, rng)
            expected += sum(edits.values())
        run(site, world, now=now, force=True)
        doubles = Counter((path.parent.name, number_of(article)) for path, article in articles(site))
        assert max(doubles.values()) == 1, doubles.most_common(2)
        after = {str(path): path.read_bytes() for path, _ in articles(site)}
        for path, article in articles(site):
            was = before.get(str(path))
            if was is not None and was != after[str(path)]:
                # A file is rewritten only for an edit or a move of its publisher.
                assert edit_and_host(was) != edit_and_host(after[str(path)]), (was, after[str(path)])
                assert not (b"link: 'https:" in was and b"link: 'http:" in after[str(path)])
            if rng.random() < 0.02:
                deleted.add((path.parent.name, number_of(article)))
                path.unlink()
                after.pop(str(path))
        before = after
    articles_by_story = Counter((path.parent.name, number_of(article)) for path, article in articles(site))
    assert max(articles_by_story.values()) == 1
    everything = {(feed.name, number) for feed in feeds for number in feed.published}
    assert set(articles_by_story) == everything - deleted
    ids = [article.id for _, article in articles(site)]
    assert len(set(ids)) == len(ids)
