"""Requests in, responses or failures out as each completes: HTTP, polite and bounded, that trusts no server.

Nothing here parses a feed, keeps state or decides when to visit; conditional headers come in with the request.
"""

from __future__ import annotations

from feedtool.http.client import fetch, fetch_all, poll
from feedtool.http.models import Failure, Kind, Limits, Request, Response

__all__ = ["Failure", "Kind", "Limits", "Request", "Response", "fetch", "fetch_all", "poll"]
