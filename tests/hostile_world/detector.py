"""Open addresses or HTML in a browser page and report everything that ran or could run; block nothing.

`Finding.kind` is one of

    script      a script was compiled: an element, a handler, a `javascript:` address, `eval`, a worker
    dialog      alert, confirm, prompt, or a question before leaving
    navigation  a page or a frame went, or tried to go, elsewhere; a download
    frame       a frame that is not ours was attached
    target      a window, worker or frame in its own process
    request     a request to a host that is not ours, except for pictures, sound and video
    console     a message on the console
    blocked     the security policy of the page had to block something
    latent      nothing ran, but markup remains that could: a handler, a form, a style, a script address
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from tests.hostile_world.chromium import Chromium, Event

OURS = "detector"
"""The name of the detector's own scripts."""
FRAMES = 48
_SCRIPT = Path(__file__).with_suffix(".js").read_text("utf-8")
_LOADED = ("image", "media", "texttrack")
_EXPECTED_FAILURES = ("net::ERR_", "Failed to load resource")


class Finding(NamedTuple):
    """One alarm: its kind, the page or frame it came from, and its details."""

    kind: str
    where: str
    detail: str


class Detector:
    """A page at `home`, a blank page of an allowed host, from which all other pages are opened."""

    def __init__(
        self, browser: Chromium, home: str, *, allowed: Sequence[str] = (), banned: Sequence[str] = ()
    ) -> None:
        self.browser = browser
        self.home = home
        self.allowed = tuple(allowed)
        self.banned = tuple(banned)
        self._frames: dict[str, str] = {}
        target = browser.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log", "Debugger"):
            self._call(f"{domain}.enable")
        self._call("Page.setLifecycleEventsEnabled", enabled=True)
        self._call("Emulation.setFocusEmulationEnabled", enabled=True)
        browser.call("Target.setDiscoverTargets", discover=True)
        self._call("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True)
        browser.on_event(self._answer_dialogs)
        self._known_targets = {one["targetId"] for one in browser.call("Target.getTargets")["targetInfos"]}
        self._go_home()

    def visit(self, addresses: Iterable[str]) -> list[Finding]:
        """Open pages of the home's host, many at once in frames, inspect them, and return the alarms."""
        findings: list[Finding] = []
        left = iter(addresses)
        while batch := list(islice(left, FRAMES)):
            findings += self._batch(f"open_frames({json.dumps(batch)})")
        return findings

    def put(self, contents: Sequence[str], how: str) -> list[Finding]:
        """Put HTML into a page as web readers do, in one of WAYS; return the alarms."""
        findings: list[Finding] = []
        step = len(contents) if how in ("innerHTML", "again") else FRAMES
        for start in range(0, len(contents), max(step, 1)):
            part = contents[start : start + step]
            findings += self._batch(f"put({json.dumps(part)}, {json.dumps(how)}, {start})")
        return findings

    def ask(self, expression: str) -> Any:
        """Return the awaited value of an expression of ours in the home page."""
        return self._evaluate(expression)

    def _batch(self, expression: str) -> list[Finding]:
        self.browser.take()
        latent = self._evaluate(expression)
        self._wait_for_scripts()
        latent += self._evaluate("look()")
        findings = [Finding("latent", where, detail) for where, detail in latent]
        findings += self._judged(self.browser.take())
        self._go_home()
        return list(dict.fromkeys(findings))

    def _evaluate(self, expression: str) -> Any:
        answer = self._call(
            "Runtime.evaluate",
            expression=f"(async () => {{ {_SCRIPT}\nreturn await {expression}; }})()\n//# sourceURL={OURS}",
            awaitPromise=True,
            returnByValue=True,
        )
        if "exceptionDetails" in answer:
            raise RuntimeError(json.dumps(answer["exceptionDetails"])[:2000])
        return answer["result"].get("value")

    def _wait_for_scripts(self) -> None:
        """Give the pages time to act: tasks, timers, animations of a hundredth of a second."""
        time.sleep(0.05)
        self._evaluate("settled()")

    def _go_home(self) -> None:
        at = self._call("Page.navigate", url=self.home)["loaderId"]
        if not self.browser.wait(lambda event: _is_load(event, self.session, at)):
            raise TimeoutError(f"{self.home} did not load")
        self._frames.clear()
        self.browser.take()

    def _call(self, method: str, **params: Any) -> Any:
        return self.browser.call(method, self.session, **params)

    def _answer_dialogs(self, event: Event) -> None:
        if event["method"] == "Page.javascriptDialogOpening":
            self.browser.post("Page.handleJavaScriptDialog", event.get("sessionId", ""), accept=True)

    def _judged(self, events: Sequence[Event]) -> Iterator[Finding]:
        for event in events:
            name, params = event["method"], event["params"]
            if name == "Page.frameNavigated":
                frame = params["frame"]
                self._frames[frame["id"]] = frame["url"]
            judge = _JUDGES.get(name)
            finding = judge(self, params) if judge is not None else None
            if finding is not None:
                yield finding

    def script(self, params: Event) -> Finding | None:
        if params["url"] == OURS:
            return None
        frame = params.get("executionContextAuxData", {}).get("frameId", "")
        return Finding("script", self._frames.get(frame, frame), self._source(params["scriptId"]))

    def dialog(self, params: Event) -> Finding | None:
        return Finding("dialog", params.get("url", ""), f"{params['type']} {params['message']}"[:200])

    def navigation(self, params: Event) -> Finding | None:
        if params["reason"] == "initialFrameNavigation" and params["url"].startswith((*self.allowed, "about:")):
            return None
        return Finding(
            "navigation", self._frames.get(params["frameId"], ""), f"{params['reason']} {params['url']}"[:200]
        )

    def navigated(self, params: Event) -> Finding | None:
        frame = params["frame"]
        if frame["url"].startswith((*self.allowed, "about:")) and "unreachableUrl" not in frame:
            return None
        return Finding("navigation", frame.get("unreachableUrl", frame["url"])[:200], "navigated")

    def frame(self, params: Event) -> Finding | None:
        top = self._call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        if params["parentFrameId"] == top:
            return None
        return Finding("frame", self._frames.get(params["parentFrameId"], ""), "attached")

    def target(self, params: Event) -> Finding | None:
        info = params["targetInfo"]
        if info["targetId"] in self._known_targets or info["type"] in ("tab", "browser"):
            return None
        self._known_targets.add(info["targetId"])
        if info["type"] == "page":
            self.browser.post("Target.closeTarget", targetId=info["targetId"])
        return Finding("target", info["url"][:200], info["type"])

    def request(self, params: Event) -> Finding | None:
        url, kind = params["request"]["url"], params.get("type", "Other").lower()
        if url.startswith((*self.allowed, "data:image/", "about:")):
            return None
        if kind in _LOADED and url.startswith(("http:", "https:")) and urlsplit(url).hostname not in self.banned:
            return None
        return Finding("request", params.get("documentURL", "")[:200], f"{kind} {url}"[:200])

    def response(self, params: Event) -> Finding | None:
        answer = params["response"]
        if params.get("type") != "Document" or answer["status"] < 400 or not answer["url"].startswith(self.allowed):
            return None
        return Finding("navigation", answer["url"], f"answered with {answer['status']}")

    def console(self, params: Event) -> Finding | None:
        return Finding("console", "", json.dumps([one.get("value") for one in params["args"]])[:200])

    def log(self, params: Event) -> Finding | None:
        entry = params["entry"]
        if entry["source"] == "network" and any(failure in entry["text"] for failure in _EXPECTED_FAILURES):
            return None  # the request itself was judged already
        if entry["source"] == "security" or "Content Security Policy" in entry["text"]:
            return Finding("blocked", entry.get("url", ""), entry["text"][:200])
        return None

    def download(self, params: Event) -> Finding | None:
        return Finding("navigation", params["url"][:200], "download")

    def _source(self, script: str) -> str:
        try:
            return str(self._call("Debugger.getScriptSource", scriptId=script)["scriptSource"])[:200]
        except RuntimeError:
            return "(gone)"


_JUDGES = {
    "Debugger.scriptParsed": Detector.script,
    "Debugger.scriptFailedToParse": Detector.script,
    "Page.javascriptDialogOpening": Detector.dialog,
    "Page.frameRequestedNavigation": Detector.navigation,
    "Page.frameNavigated": Detector.navigated,
    "Page.frameAttached": Detector.frame,
    "Page.downloadWillBegin": Detector.download,
    "Target.targetCreated": Detector.target,
    "Network.requestWillBeSent": Detector.request,
    "Network.responseReceived": Detector.response,
    "Runtime.consoleAPICalled": Detector.console,
    "Log.entryAdded": Detector.log,
}

WAYS = ("innerHTML", "again", "srcdoc", "write")
"""The ways to put HTML into a page.

innerHTML in a div; the same after two rounds of serialising and parsing as HTML and XML; srcdoc of a frame;
document.write.
"""


def _is_load(event: Event, session: str, loader: str) -> bool:
    params = event["params"]
    return (
        event["method"] == "Page.lifecycleEvent"
        and event.get("sessionId") == session
        and params["loaderId"] == loader
        and params["name"] == "load"
    )
