"""Test which article each entry of a feed matches, for every combination of likeness and for random sets of several.

The answers are in `data/tables/matches.txt` and `match_worlds.txt`; `pytest --accept` rewrites them: read the diff.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from itertools import product
from pathlib import Path

import pytest

from feedtool.ingesting.dedupe import match_entries
from feedtool.ingesting.matches import Candidate, ExistingArticle, Match
from tests.support.matching import MemoryLookup

TABLES = Path(__file__).parent / "data/tables"
HOUR = 3600
NOON = 19_000 * 86_400
TEXTS = {
    "same": "The weather of the day: rain in the north, sun in the south, and wind from the sea in the evening. " * 4,
    "edited": "The weather of the day: rain in the north, sun in the south, and winds from the sea in the morning. "
    * 4,
    "other": "An interview with the builder of the bridge, who tells of steel and stone and forty winters' work. " * 4,
    "none": "",
}
TITLES = {
    "same": "The title of it 5",
    "near": "The title of it, 5!",
    "like": "A title of it 5",
    "number": "The title of it 6",
    "other": "Quite another",
    "none": "",
}
DATES = {"same": NOON, "near": NOON + 6 * HOUR, "far": NOON + 6 * HOUR + 1, "none": None}
GUIDS = {"same": "g", "other": "n", "none": "", "url": "tag:x"}
LINKS = {"same": "https://e.org/a", "other": "https://e.org/b", "part": "https://e.org/a#c", "none": ""}


def constant(text: str) -> Callable[[], str]:
    return lambda: text


def shown(found: Match, one: Candidate) -> str:
    """Return a match in short: the first letter of `how` and the article's path, `+` if it has a link, and after a `/` the
    beginning of the id if it is not the entry's guid."""
    identity = "" if found.id == one.guid else f"/{found.id.removeprefix('urn:uuid:')[:4]}"
    return f"{found.how[0]}{found.article.path if found.article else ''}{'+' if found.link else ''}{identity}"


def of_one() -> Iterator[str]:
    """Yield the matches of one entry with one article, for every combination of likeness."""
    articles = [(source, guid, text) for source in ("s", "t", "") for guid in ("g", "") for text in ("same", "none")]
    yield "# guid link title text date of the entry: what it is beside an article, of these sources, guids and texts:"
    yield "# " + ", ".join(f"{source or '-'} {guid or '-'} {text}" for source, guid, text in articles)
    for guid, link, title, text, date in product(GUIDS, LINKS, TITLES, ("same", "other", "none"), DATES):
        one = Candidate(GUIDS[guid], LINKS[link], TITLES[title], constant(TEXTS[text]), DATES[date])
        answers = []
        for source, own, body in articles:
            own_guid = GUIDS["url"] if guid == "url" and own else own
            existing = ExistingArticle("", own_guid, "e.org/a", TITLES["same"], source, NOON)
            (found,) = match_entries([one], MemoryLookup(existing, texts={"": TEXTS[body]}), sources=("s",), host="h")
            answers.append(shown(found, one))
        yield f"{guid} {link} {title} {text} {date}: {' '.join(answers)}"


def of_worlds(count: int) -> Iterator[str]:
    """Yield the matches of several entries with several articles."""
    for seed in range(count):
        rng = random.Random(seed)

        def pick(some: Sequence[str], rng: random.Random = rng) -> str:
            return some[int(rng.random() * len(some))]

        guids, links = ["g", "n", "", "tag:x", "1"], ["https://e.org/a", "https://e.org/b", "https://e.org/a#c", ""]
        titles, texts = [*[*TITLES.values()][:4], "Quite another"], [*TEXTS.values()]
        dates = [NOON, NOON + 5 * HOUR, NOON + 9 * HOUR, NOON + 99 * HOUR]
        entries = [
            Candidate(
                pick(guids), pick(links), pick(titles), constant(pick(texts)),
                dates[int(rng.random() * 4)] if rng.random() < 0.8 else None,
            )
            for _ in range(1 + int(rng.random() * 4))
        ]  # fmt: skip
        # Some articles come from an earlier visit, and have the ids that it generated.
        first = match_entries(entries, MemoryLookup(), sources=("s",), host="h")
        existing, bodies = [], {}
        for number in range(int(rng.random() * 5)):
            like = int(rng.random() * len(entries))
            old, is_old = entries[like], rng.random() < 0.5
            guid = first[like].id if is_old else pick(guids)
            link = (old.link if is_old else pick(links)).partition("#")[0].removeprefix("https://")
            title = old.title if is_old and rng.random() < 0.8 else pick(titles)
            path = f"{number}"
            existing.append(
                ExistingArticle(path, guid, link, title, pick(["s", "s", "r", "t", ""]), dates[int(rng.random() * 4)])
            )
            bodies[path] = old.text() if is_old else pick(texts)
        found = match_entries(entries, MemoryLookup(*existing, texts=bodies), sources=("s", "r"), host="h")
        yield f"{seed}: {' '.join(shown(answer, one) for answer, one in zip(found, entries, strict=True))}"


@pytest.mark.parametrize(
    ("name", "lines"), [("matches.txt", of_one), ("match_worlds.txt", lambda: of_worlds(1500))], ids=["one", "worlds"]
)
def test_entries_match_the_articles_of_the_table(name: str, lines: Callable[[], Iterator[str]], accept: bool) -> None:
    text = "".join(f"{line}\n" for line in lines())
    path = TABLES / name
    if accept:
        path.write_text(text, "utf-8")
    expected = path.read_text("utf-8")
    different = [pair for pair in zip(expected.splitlines(), text.splitlines(), strict=False) if pair[0] != pair[1]]
    assert different[:5] == []
    assert text == expected
