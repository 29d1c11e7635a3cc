"""Add to a page of the preview the script that reloads it and a banner of problems.

The additions are built as elements, never as text. The page's Content-Security-Policy then allows this one script.
"""

from __future__ import annotations

import base64
import hashlib
import re
from xml.etree import ElementTree  # elements are made here, nothing is parsed

from feedtool.html import legal_text
from feedtool.preview.rebuild import Outcome
from feedtool.site import CONTENT_SECURITY_POLICY

EVENTS = "/.feedtool/events"
STYLE = "/.feedtool/serve.css"
SHOWN = 20
"""The number of problems in the banner; the terminal shows all."""

# A hidden tab closes its connection, because browsers allow six to one host.
SCRIPT = """
(() => {
  const here = document.currentScript.dataset;
  let source = null;
  const listen = () => {
    if (document.hidden) { if (source) { source.close(); source = null; } return; }
    if (source) return;
    source = new EventSource(here.events);
    source.addEventListener("build", (event) => { if (event.data !== here.version) location.reload(); });
  };
  document.addEventListener("visibilitychange", listen);
  listen();
})();
"""
_HASH = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
POLICY = f"{CONTENT_SECURITY_POLICY}; script-src 'sha256-{_HASH}'; connect-src 'self'"

CSS = """
#feedtool-problems { position: fixed; inset: auto 0 0 0; z-index: 9; max-height: 40vh; overflow: auto; padding: .75rem 1rem;
  background: #7a1212; color: #fff; font: 14px/1.5 ui-monospace, monospace; overflow-wrap: anywhere; }
#feedtool-problems.warning { background: #5c4500; }
#feedtool-problems strong { font-weight: 700; }
#feedtool-problems ul { margin: .25rem 0 0; padding-left: 1.25rem; }
body:has(#feedtool-problems) { padding-bottom: 8rem; }
"""


def with_reload(page: bytes, outcome: Outcome, version: str) -> bytes:
    """Return a page with the banner and the script at the end of its body."""
    # Only at the very end of a page can an addition not fall into an attribute or a comment, whatever the site's own
    # template contains.
    end = _END.search(page)
    at = end.start() if end else len(page)
    page = page[:at] + _banner(outcome) + _script(version) + page[at:]
    return page.replace(CONTENT_SECURITY_POLICY.encode(), POLICY.encode(), 1)


def message_page(title: str, text: str, outcome: Outcome, version: str) -> bytes:
    """Return a page of `serve` itself, such as the one for an address without a file; it reloads too."""
    root = ElementTree.Element("html", {"lang": "en"})
    head = ElementTree.SubElement(root, "head")
    ElementTree.SubElement(head, "meta", {"charset": "utf-8"})
    ElementTree.SubElement(head, "title").text = legal_text(title)
    ElementTree.SubElement(head, "meta", {"http-equiv": "Content-Security-Policy", "content": POLICY})
    body = ElementTree.SubElement(root, "body")
    ElementTree.SubElement(body, "h1").text = legal_text(title)
    ElementTree.SubElement(body, "p").text = legal_text(text)
    return with_reload(b"<!DOCTYPE html>\n" + _bytes(root), outcome, version)


_END = re.compile(rb"</body>\s*(?:</html>\s*)?\Z", re.IGNORECASE)


def _script(version: str) -> bytes:
    script = ElementTree.Element("script", {"data-events": EVENTS, "data-version": version})
    script.text = SCRIPT
    return _bytes(script)


def _banner(outcome: Outcome) -> bytes:
    lines = [outcome.error] if outcome.error else [f"{one} [{one.code}]" for one in outcome.problems]
    if not lines:
        return b""
    errors = bool(outcome.error) or any(problem.severity == "error" for problem in outcome.problems)
    link = ElementTree.Element("link", {"rel": "stylesheet", "href": STYLE})
    banner = ElementTree.Element("div", {"id": "feedtool-problems", "role": "status"})
    banner.set("class", "error" if errors else "warning")
    heading = ElementTree.SubElement(banner, "strong")
    heading.text = "The build failed; this is the last good build." if outcome.error else f"{len(lines):,} to fix"
    listed = ElementTree.SubElement(banner, "ul")
    for line in lines[:SHOWN]:
        ElementTree.SubElement(listed, "li").text = legal_text(line)
    if len(lines) > SHOWN:
        ElementTree.SubElement(listed, "li").text = f"and {len(lines) - SHOWN:,} more, in the terminal"
    return _bytes(link) + _bytes(banner)


def _bytes(element: ElementTree.Element) -> bytes:
    return ElementTree.tostring(element, encoding="unicode", method="html").encode("utf-8", "replace")
