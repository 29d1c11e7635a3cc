"""Test that names and addresses of people are separated in every form that feeds use."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedtool.feedparse import parse_feed
from feedtool.feedparse.people import people_in

PEOPLE = {
    "anna@letters.example (Anna Berg)": [("Anna Berg", "anna@letters.example")],
    "Paul Hill <paul@news.example>": [("Paul Hill", "paul@news.example")],
    "kim@studio.example": [("", "kim@studio.example")],
    "mailto:kim@studio.example?subject=x": [("", "kim@studio.example")],
    "Rosa Stein (mailto:rosa@stein.example.org)": [("Rosa Stein", "rosa@stein.example.org")],
    '"Jon Lake" <jon@lake.example.org>': [("Jon Lake", "jon@lake.example.org")],
    '"Lake, Jon \\"J\\"" <jon@lake.example.org>': [('Lake, Jon "J"', "jon@lake.example.org")],
    "'Jon Lake' <jon@lake.photography>": [("Jon Lake", "jon@lake.photography")],
    "ivan@xn--e1aybc.xn--p1ai (Иван)": [("Иван", "ivan@xn--e1aybc.xn--p1ai")],
    "jon@lake.online (Jon (Editor) Lake)": [("Jon (Editor) Lake", "jon@lake.online")],
    "Jon Lake (Editor)": [("Jon Lake (Editor)", "")],
    "Jon (Editor) <jon@lake.online>": [("Jon (Editor)", "jon@lake.online")],
    "Jon Lake [jon@lake.online]": [("Jon Lake", "jon@lake.online")],
    "O'Neil <o'neil@lake.ie>": [("O'Neil", "o'neil@lake.ie")],
    "Müller, Hans <hans@mueller.koeln>": [("Müller, Hans", "hans@mueller.koeln")],
    "A <a@one.example>, B <b@two.example>": [("A", "a@one.example"), ("B", "b@two.example")],
    "a@one.example (A); b@two.example (B)": [("A", "a@one.example"), ("B", "b@two.example")],
    "@anna@social.example": [("@anna@social.example", "")],
    "Ann @ The Verge": [("Ann @ The Verge", "")],
    "jon@localhost": [("jon@localhost", "")],
    '"Weird" Al': [('"Weird" Al', "")],
    "": [],
    "  ": [],
}
LETTERS = st.characters(categories=["L"], codec="utf-8")
NAMES = st.lists(st.text(LETTERS, min_size=1, max_size=8), min_size=1, max_size=3).map(" ".join)
ADDRESSES = st.builds(
    "{}@{}.{}".format,
    st.from_regex(r"[a-z0-9_+-]{1,12}(\.[a-z0-9]{1,5}){0,2}", fullmatch=True),
    st.from_regex(r"[a-z0-9]{1,10}(-[a-z0-9]{1,4})?(\.[a-z]{1,5})?", fullmatch=True),
    st.from_regex(r"[a-z]{2,20}|xn--[a-z0-9]{3,12}", fullmatch=True),
)
FORMS = (
    "{1} ({0})",
    "{0} <{1}>",
    '"{0}" <{1}>',
    "{0} ({1})",
    "{0} (mailto:{1})",
    "{0} <mailto:{1}>",
    "mailto:{1} ({0})",
)


@pytest.mark.parametrize("text", PEOPLE)
def test_a_text_names_people_and_their_addresses(text: str) -> None:
    assert people_in(text) == PEOPLE[text]


@given(NAMES, ADDRESSES, st.sampled_from(FORMS))
def test_name_and_address_are_read_from_every_form(name: str, address: str, form: str) -> None:
    assert people_in(form.format(name, address)) == [(name, address)]


@given(st.text(max_size=60))
def test_any_text_gives_people_or_none(text: str) -> None:
    assert all(name or address for name, address in people_in(text))


@given(NAMES, ADDRESSES, st.sampled_from(["author", "dc:creator", "itunes:author"]))
def test_every_person_element_is_read_alike(name: str, address: str, element: str) -> None:
    feed = parse_feed(
        '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"'
        ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd">'
        f"<channel><item><title>t</title><{element}>{address} ({name})</{element}></item></channel></rss>".encode(),
        url="",
    )
    (author,) = feed.entries[0].authors
    assert (author.name, author.email) == (name, address)


@given(
    st.lists(st.tuples(NAMES, st.none() | ADDRESSES), min_size=1, max_size=4, unique_by=lambda one: one[0].casefold())
)
def test_each_atom_author_has_its_own_address(people: list[tuple[str, str | None]]) -> None:
    authors = "".join(
        f"<author><name>{name}</name>{f'<email>{address}</email>' if address else ''}</author>"
        for name, address in people
    )
    for text in (
        f"<title>0 1</title><entry><title>t</title>{authors}</entry>",
        f"<title>0 1</title>{authors}<entry/><entry><title>t</title></entry>",
    ):
        feed = parse_feed(f'<feed xmlns="http://www.w3.org/2005/Atom">{text}</feed>'.encode(), url="")
        assert [(one.name, one.email) for one in feed.entries[-1].authors] == people
