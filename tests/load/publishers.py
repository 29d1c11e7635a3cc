"""Publishers who change, lie, vanish and return, as plain data: a visit's number in, the document that a server gives out."""

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
    """One thing that happened; `token` stands in its text, whatever a feed says of it."""

    token: str
    number: int
    title: str
    text: str
    published: datetime


@dataclass
class Item:
    """What a feed says of a story at one visit."""

    guid: str
    link: str
    title: str
    html: str
    published: datetime


Shown = Callable[[Item, Story, int], None]


@dataclass
class Publisher:
    """A source with its habits: `shown` changes what is said of a story, the others what of it is in the document."""

    name: str
    shown: Shown = lambda item, story, visit: None
    charset: Callable[[int], str] = lambda visit: "utf-8"
    window: int = 10
    order: Callable[[list[Story], int, random.Random], list[Story]] = lambda stories, visit, rng: stories
    fails: float = 0.0
    moves: int = 0
    stories: list[Story] = field(default_factory=list)

    def url(self) -> str:
        """Return the address that the settings name."""
        return f"https://{self.name}.example.org/feed"

    def happen(self, now: datetime, rng: random.Random, pace: float) -> None:
        """Let some stories happen; `pace` is the share of hours in which any do."""
        for _ in range(rng.choice((0, 0, 1, 1, 2)) if rng.random() < pace else 0):
            number = len(self.stories)
            token = f"token{self.name}x{number}x"
            # Columns have one title for all, and some titles differ in a number only.
            title = rng.choice(("Notes of the day", f"Notes {number}", " ".join(rng.sample(WORDS, 5)).capitalize()))
            text = " ".join(rng.choices((*WORDS, *MORE), k=60))
            moment = now - timedelta(minutes=rng.randint(0, 59))
            self.stories.append(Story(token, number, title, text, moment))

    def held(self, visit: int, rng: random.Random) -> list[Story]:
        """Return the stories that the document of a visit holds."""
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
        made = f"{head}{text}</channel></rss>"
        return made.encode(charset, "xmlcharrefreplace"), charset


def item_of(publisher: Publisher, story: Story, visit: int) -> Item:
    """Return what a publisher says of a story at a visit."""
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
    # Never into the future: there an article waits for its time.
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
    """Return one publisher for each bad habit, and one who has none."""
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
