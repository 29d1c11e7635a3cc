"""Simulated publishers who change, contradict themselves, fail and return: the document that each serves at a visit."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape

WORDS = ("harbour", "bridge", "election", "recipe", "orchestra", "wolves", "ferry", "glacier", "council", "market")
MORE = ("新闻", "éclair")


@dataclass
class Story:
    """One event; `token` is part of its text in every version of the feed."""

    token: str
    number: int
    title: str
    text: str
    published: datetime


@dataclass
class Item:
    """The item of a story in a feed at one visit."""

    guid: str
    link: str
    title: str
    html: str
    published: datetime


Shown = Callable[[Item, Story, int], None]


@dataclass
class Publisher:
    """A source with its habits: `shown` changes the item of a story, the other fields the document around it."""

    name: str
    shown: Shown = lambda item, story, visit: None
    charset: Callable[[int], str] = lambda visit: "utf-8"
    window: int = 10
    order: Callable[[list[Story], int, random.Random], list[Story]] = lambda stories, visit, rng: stories
    fails: float = 0.0
    moves: int = 0
    stories: list[Story] = field(default_factory=list)

    def url(self) -> str:
        """Return the address in the settings."""
        return f"https://{self.name}.example.org/feed"

    def happen(self, now: datetime, rng: random.Random, pace: float) -> None:
        """Add some stories; `pace` is the share of hours in which any happen."""
        for _ in range(rng.choice((0, 0, 1, 1, 2)) if rng.random() < pace else 0):
            number = len(self.stories)
            token = f"token{self.name}x{number}x"
            # Columns use one title for all issues, and some titles differ only in a number.
            title = rng.choice(("Notes of the day", f"Notes {number}", " ".join(rng.sample(WORDS, 5)).capitalize()))
            text = " ".join(rng.choices((*WORDS, *MORE), k=60))
            moment = now - timedelta(minutes=rng.randint(0, 59))
            self.stories.append(Story(token, number, title, text, moment))

    def stories_at(self, visit: int, rng: random.Random) -> list[Story]:
        """Return the stories in the document of a visit."""
        return self.order(self.stories[::-1][: self.window], visit, rng)

    def document(self, stories: list[Story], visit: int) -> tuple[bytes, str]:
        """Return the bytes of the document and its charset."""
        items = [item_of(self, story, visit) for story in stories]
        charset = self.charset(visit)
        text = "".join(
            f"<item><title>{escape(item.title)}</title><link>{escape(item.link)}</link>"
            + (f'<guid isPermaLink="false">{escape(item.guid)}</guid>' if item.guid else "")
            + f"<pubDate>{format_datetime(item.published)}</pubDate><description>{escape(item.html)}</description></item>"
            for item in items
        )
        head = f'<?xml version="1.0" encoding="{charset}"?><rss version="2.0"><channel><title>{self.name}</title>'
        xml = f"{head}{text}</channel></rss>"
        return xml.encode(charset, "xmlcharrefreplace"), charset


def item_of(publisher: Publisher, story: Story, visit: int) -> Item:
    """Return the item of a story in the feed of a publisher at a visit."""
    link = f"https://{publisher.name}.example.org/{story.number}"
    html = f'<p>{story.text} {story.token}</p><img src="https://pics.example.org/{story.token}.jpg" alt="">'
    item = Item(f"urn:{publisher.name}:{story.number}", link, story.title, html, story.published)
    publisher.shown(item, story, visit)
    return item


def churned(item: Item, story: Story, visit: int) -> None:
    item.guid = f"{visit}-{story.number}"


def without(item: Item, story: Story, visit: int) -> None:
    item.guid = ""


def reused(item: Item, story: Story, visit: int) -> None:
    item.guid = f"slot-{story.number % 7}"


def retitled(item: Item, story: Story, visit: int) -> None:
    item.title = f"{story.title} (update {visit // 5})" if story.number % 2 and visit % 7 == 3 else story.title


def stamped(item: Item, story: Story, visit: int) -> None:
    item.html = item.html.replace(".jpg", f".jpg?t={1_700_000_000 + 3600 * visit}")


def redated(item: Item, story: Story, visit: int) -> None:
    # Never into the future, where an article is not published yet.
    item.published = story.published - timedelta(minutes=visit)


def decorated(item: Item, story: Story, visit: int) -> None:
    item.link = f"{'http' if visit % 2 else 'https'}://www.example.org/{story.number}/?utm_source={visit}#top"
    item.guid = ""


def rehosted(item: Item, story: Story, visit: int) -> None:
    item.link = item.link.replace(".org/", ".org/" if visit < 12 else ".net/")


def everything(item: Item, story: Story, visit: int) -> None:
    for shown in (churned, stamped, redated):
        shown(item, story, visit)


def shuffled(stories: list[Story], visit: int, rng: random.Random) -> list[Story]:
    return rng.sample(stories, len(stories))


def sometimes_none(stories: list[Story], visit: int, rng: random.Random) -> list[Story]:
    return [] if rng.random() < 0.3 else stories


def coming_back(stories: list[Story], visit: int, rng: random.Random) -> list[Story]:
    return stories[:3] if visit % 3 == 1 else stories[4:] if visit % 5 == 2 else stories


def publishers() -> list[Publisher]:
    """Return one publisher for each bad habit, and one without any."""
    charsets = ("utf-8", "gb18030", "utf-16", "iso-8859-1")
    return [
        Publisher("steady"),
        Publisher("churned", churned),
        Publisher("without", without),
        Publisher("reused", reused),
        Publisher("retitled", retitled),
        Publisher("stamped", stamped),
        Publisher("redated", redated),
        Publisher("decorated", decorated),
        Publisher("rehosted", rehosted),
        Publisher("shuffled", order=shuffled),
        Publisher("emptied", order=sometimes_none),
        Publisher("returning", order=coming_back, window=14),
        Publisher("recoded", charset=lambda visit: charsets[visit % 4]),
        Publisher("failing", fails=0.4),
        Publisher("moving", moves=4),
        Publisher("all", everything, order=shuffled, fails=0.2, moves=8),
    ]
