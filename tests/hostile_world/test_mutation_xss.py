"""Test that cleaned HTML stays inert and unchanged after other parsers have read and written it.

A sanitizer fails if its parser and that of a reader disagree (mXSS), so every parser is tried in between. Two rounds of
Chromium are in `test_xss.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from itertools import permutations
from xml.etree import ElementTree

import pytest
from lxml import etree
from lxml import html as lxml_html
from selectolax.lexbor import LexborHTMLParser

from feedtool.html import Policy, clean
from feedtool.html.policy import ATTRIBUTES, FORCED, TAGS
from tests.hostile_world.make import vectors

TRIED = vectors(every=8)
POLICY = Policy(base_url="https://example.org/")
ADDRESSES = frozenset({"href", "src", "poster", "cite", "srcset"})
GOOD = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
_VOID = frozenset(["br", "col", "hr", "img", "source", "track", "wbr"])


def cleaned(text: str) -> str:
    return str(clean(text, kind="html", policy=POLICY).html)


def by_lxml(text: str) -> str:
    root = lxml_html.document_fromstring(
        f"<html><body>{text}</body></html>", parser=lxml_html.HTMLParser(huge_tree=True)
    )
    return _inner(lxml_html.tostring(_body(root), encoding="unicode"))


def by_lxml_as_xml(text: str) -> str:
    root = lxml_html.document_fromstring(
        f"<html><body>{text}</body></html>", parser=lxml_html.HTMLParser(huge_tree=True)
    )
    return _inner(etree.tostring(_body(root), encoding="unicode"))


def _body(root: etree._Element) -> etree._Element:
    body = root.find("body")
    assert body is not None
    return body


def by_selectolax(text: str) -> str:
    body = LexborHTMLParser(f"<!DOCTYPE html><body>{text}</body>").body
    assert body is not None
    return _inner(body.html or "")


class _Writer(HTMLParser):
    """Write what Python's own parser, which builds no tree, reports."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = ElementTree.Element("div")
        self.open = [self.root]
        self.last: ElementTree.Element | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        text = ElementTree.SubElement(self.open[-1], tag, {name: value or "" for name, value in attrs})
        self.last = None if tag not in _VOID else text
        if tag not in _VOID:
            self.open.append(text)

    def handle_endtag(self, tag: str) -> None:
        if any(one.tag == tag for one in self.open[1:]):
            while self.open[-1].tag != tag:
                self.open.pop()
            self.last = self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.last is not None:
            self.last.tail = (self.last.tail or "") + data
        else:
            self.open[-1].text = (self.open[-1].text or "") + data


def by_python(text: str) -> str:
    writer = _Writer()
    writer.feed(text)
    writer.close()
    return _inner(ElementTree.tostring(writer.root, encoding="unicode", method="html"))


def _inner(element: str) -> str:
    return element[element.index(">") + 1 : element.rindex("<")] if "</" in element else ""


PARSERS: dict[str, Callable[[str], str]] = {
    "lxml": by_lxml,
    "lxml as XML": by_lxml_as_xml,
    "selectolax": by_selectolax,
    "Python": by_python,
}


class _Judge(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.findings: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in TAGS:
            self.findings.append(f"element {tag}")
        allowed = ATTRIBUTES["*"] | ATTRIBUTES.get(tag, frozenset()) | FORCED.get(tag, {}).keys()
        for name, value in attrs:
            if name not in allowed:
                self.findings.append(f"{tag} {name}")
            if name in ADDRESSES and not GOOD.match(value or ""):
                self.findings.append(f"{tag} {name}={value}")

    def handle_comment(self, data: str) -> None:
        self.findings.append(f"comment {data}")

    def handle_decl(self, decl: str) -> None:
        self.findings.append(f"declaration {decl}")

    def handle_pi(self, data: str) -> None:
        self.findings.append(f"instruction {data}")


def harm(text: str) -> list[str]:
    """Return the parts of HTML that are not in our table of allowed markup, as Python's parser reads it."""
    judge = _Judge()
    judge.feed(text)
    judge.close()
    return judge.findings


def through(text: str, names: tuple[str, ...]) -> Iterator[str]:
    for name in names:
        text = PARSERS[name](text)
        yield text


@pytest.mark.fault_class("markup.mutation")
@pytest.mark.parametrize("name", PARSERS)
def test_cleaned_html_stays_inert_after_reparsing(name: str, tally: Callable[[int], None]) -> None:
    for vector in TRIED:
        once = cleaned(vector)
        assert harm(once) == [], (vector, once)
        for text in through(once, (name, name)):
            assert harm(text) == [], (vector, once, text)
    tally(len(TRIED) * 2)


@pytest.mark.fault_class("markup.mutation")
def test_cleaned_html_stays_inert_across_parsers(tally: Callable[[int], None]) -> None:
    orders = list(permutations(PARSERS, 3))
    for number, vector in enumerate(TRIED):
        once = cleaned(vector)
        for text in through(once, orders[number % len(orders)]):
            assert harm(text) == [], (vector, once, text)
    tally(len(TRIED) * 3)


@pytest.mark.fault_class("markup.mutation")
def test_cleaning_is_idempotent_after_any_parser(tally: Callable[[int], None]) -> None:
    for number, vector in enumerate(TRIED):
        once = cleaned(vector)
        assert cleaned(once) == once, vector
        again = cleaned(PARSERS["selectolax"](once))
        # Another parser may close or move a tag; cleaning the result is idempotent, too.
        assert cleaned(again) == again, vector
        if number % 7 == 0:
            mangled = cleaned(PARSERS["lxml as XML"](once))
            assert cleaned(mangled) == mangled, vector
    tally(len(TRIED) * 2)


def test_harm_detector_flags_uncleaned_html() -> None:
    assert sum(bool(harm(vector)) for vector in TRIED) > 0.9 * len(TRIED)
