"""A feed's bytes go in, its entries come out, clean and without boilerplate; nothing here fetches or writes."""

from __future__ import annotations

from feedtool.remote.clean import CleanEntry, clean_entries
from feedtool.remote.discovery import discover
from feedtool.remote.nouns import NotAFeedError, RemoteEntry, RemoteFeed
from feedtool.remote.parse import parse_feed
from feedtool.remote.worker import Job, Parsed, parse_and_clean, prepare

__all__ = [
    "CleanEntry",
    "Job",
    "NotAFeedError",
    "Parsed",
    "RemoteEntry",
    "RemoteFeed",
    "clean_entries",
    "discover",
    "parse_and_clean",
    "parse_feed",
    "prepare",
]
