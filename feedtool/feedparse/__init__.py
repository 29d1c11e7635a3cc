"""Parse feeds, sanitize their entries and remove boilerplate from them, without fetching or writing anything."""

from __future__ import annotations

from feedtool.feedparse.clean import CleanEntry, clean_entries
from feedtool.feedparse.discovery import discover
from feedtool.feedparse.models import NotAFeedError, RemoteEntry, RemoteFeed
from feedtool.feedparse.parse import parse_feed
from feedtool.feedparse.worker import Job, Parsed, parse_and_clean, prepare

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
