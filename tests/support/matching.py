"""Entries, articles and a lookup in memory for tests of matching."""

from __future__ import annotations

from feedtool.ingesting.dedupe import match_entries
from feedtool.ingesting.matches import Candidate, ExistingArticle

CHINESE = "上海市疫情防控工作领导小组召开专题会议：以快制快处置新发疫情，把各项工作抓细抓实，确保社会面平稳有序。" * 3


ENGLISH = (
    "The figures were better than most people had feared, and nobody in the room expected the vote to be close. " * 3
)


class MemoryLookup:
    """A lookup of articles in a list, with their texts by path; `counts` are the numbers of recent articles that were requested."""

    def __init__(self, *articles, texts=None):
        self.articles = list(articles)
        self.texts = texts or {}
        self.counts = []

    def by_guid(self, guid):
        return [one for one in self.articles if one.guid == guid]

    def existing_guids(self, guids):
        return {one.guid for one in self.articles}.intersection(guids)

    def by_link(self, key):
        return [one for one in self.articles if one.link == key and key]

    def recent(self, source, count):
        self.counts.append(count)
        return [one for one in self.articles if one.source == source][:count]

    def text(self, article):
        return self.texts.get(article.path, "")


def stored(path="a.md", guid="g", link="example.org/a", title="Title of it", source="s", published=0):
    return ExistingArticle(path, guid, link, title, source, published)


def entry(guid="g", link="https://example.org/a", title="Title of it", text="", published=0):
    return Candidate(guid, link, title, lambda: text, published)


def matched(entries, lookup, source="s"):
    return [
        (one.how, one.article.path if one.article else None)
        for one in match_entries(entries, lookup, sources=(source,), host="h")
    ]
