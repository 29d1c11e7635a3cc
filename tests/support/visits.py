"""Ingest one source several times with given documents, for tests of identity."""

from __future__ import annotations

from datetime import timedelta

from tests.support.ingestworld import NOW, URL, counts, run
from tests.support.ingestworld import entry as numbered
from tests.support.site import tree

HOME = "https://news.example.org/"


SUBJECTS = [
    ("Harbour bridge opens to traffic", "Thousands walked across the new bridge on its first morning of service."),
    ("Election: polls close at nine", "Turnout was high in every district, officials of the commission told us."),
    ("Recipe for lentil soup", "Chop an onion, fry it slowly with cumin, then add stock and red lentils."),
    ("Orchestra names conductor", "Her debut will be a programme of Mahler and two premières next autumn."),
    ("Wolves return to the valley", "Camera traps caught a pair with cubs near the glacier's lower end."),
]


def one(number: int, *, hours: float, **more) -> dict:
    title, text = SUBJECTS[number]
    moment = (NOW + timedelta(hours=hours)).isoformat()
    return numbered(number, title=title, html=f"<p>{text}</p>", published=moment, **more)


def visits(site, world, *documents) -> int:
    """Ingest once for each document, then once more with the last one, and return the number of articles."""
    for document in documents:
        world.pages[URL] = document
        run(site, world, force=True, now=NOW + timedelta(days=9))
    assert "new" not in counts(run(site, world, force=True, now=NOW + timedelta(days=9)))
    return len(tree(site / "articles"))
