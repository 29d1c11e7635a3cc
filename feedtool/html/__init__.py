"""An untrusted article body goes in, HTML that is safe to publish comes out; the only maker of `SafeHtml`."""

from __future__ import annotations

from feedtool.html.clean import clean
from feedtool.html.policy import Cleaned, Policy, Removal
from feedtool.html.text import legal_text, plain_text, summarize
from feedtool.html.urls import is_placeholder, is_tracker, safe_url, unwrap_proxy

__all__ = [
    "Cleaned",
    "Policy",
    "Removal",
    "clean",
    "is_placeholder",
    "is_tracker",
    "legal_text",
    "plain_text",
    "safe_url",
    "summarize",
    "unwrap_proxy",
]
