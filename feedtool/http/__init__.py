"""Fetch many addresses over HTTP, with limits on time, size and connections, and without trusting any server.

The package does not parse feeds, keep state or decide when to fetch. The request carries the conditional headers.
"""

from __future__ import annotations

from feedtool.http.client import fetch, fetch_all, poll
from feedtool.http.models import Failure, Kind, Limits, Request, Response

__all__ = ["Failure", "Kind", "Limits", "Request", "Response", "fetch", "fetch_all", "poll"]
