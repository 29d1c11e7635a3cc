"""Turn untrusted article bodies into HTML that is safe to publish.

`SafeHtml` is made only in this package. Submodules are imported on first use, because a build that has nothing to do
needs none of them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from feedtool.html.pipeline import clean, clean_html
    from feedtool.html.policy import Cleaned, Policy, Removal
    from feedtool.html.text import legal_text, line_of, plain_text, summarize
    from feedtool.html.urls import is_placeholder, is_tracker, safe_url, unwrap_proxy

_HOMES = {
    "Cleaned": "feedtool.html.policy",
    "Policy": "feedtool.html.policy",
    "Removal": "feedtool.html.policy",
    "clean": "feedtool.html.pipeline",
    "clean_html": "feedtool.html.pipeline",
    "is_placeholder": "feedtool.html.urls",
    "is_tracker": "feedtool.html.urls",
    "legal_text": "feedtool.html.text",
    "line_of": "feedtool.html.text",
    "plain_text": "feedtool.html.text",
    "safe_url": "feedtool.html.urls",
    "summarize": "feedtool.html.text",
    "unwrap_proxy": "feedtool.html.urls",
}

__all__ = [
    "Cleaned",
    "Policy",
    "Removal",
    "clean",
    "clean_html",
    "is_placeholder",
    "is_tracker",
    "legal_text",
    "line_of",
    "plain_text",
    "safe_url",
    "summarize",
    "unwrap_proxy",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value  # the next access does not call __getattr__
    return value
