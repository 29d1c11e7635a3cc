"""A browser's page with every alarm armed: addresses or HTML in, what ran or could run out; it judges, and stops nothing.

`Finding.kind` is one of
    script      a script was compiled: an element, a handler, a `javascript:` address, `eval`, a worker
    dialog      alert, confirm, prompt, or a question before leaving
    navigation  a page or a frame went, or tried to go, elsewhere; a download
    frame       a frame that was not ours was attached
    target      a window, worker or frame in a process of its own
    request     something was asked of a host that is not ours, pictures, sound and video apart
    console     a message on the console
    blocked     the page's security policy had to stop something
    latent      nothing ran, but markup stands there that would: a handler, a form, a style, an address that is a script
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
"""Scripts of this name are the detector's own."""
FRAMES = 48
_SCRIPT = Path(__file__).with_suffix(".js").read_text("utf-8")
_LOADED = ("image", "media", "texttrack")
_KNOWN_FAILURES = ("net::ERR_", "Failed to load resource")


class Finding(NamedTuple):
    """One alarm: its kind, the page or frame it came from, and what is known of it."""

    kind: str
    where: str
    detail: str


class Detector:
    """A page at `home`, a blank page of an allowed host, from which all others are opened."""

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
        self._known = {one["targetId"] for one in browser.call("Target.getTargets")["targetInfos"]}
        self._go_home()

    def visit(self, addresses: Iterable[str]) -> list[Finding]:
        """Open pages of the home's host, many at once, each in a frame; look at what is on them; return the alarms."""
        found: list[Finding] = []
        left = iter(addresses)
        while batch := list(islice(left, FRAMES)):
            found += self._batch(f"open_frames({json.dumps(batch)})")
        return found

    def put(self, contents: Sequence[str], how: str) -> list[Finding]:
        """Put HTML into a page as web readers do; `how` is one of WAYS; return the alarms."""
        found: list[Finding] = []
        step = len(contents) if how in ("innerHTML", "again") else FRAMES
        for start in range(0, len(contents), max(step, 1)):
            part = contents[start : start + step]
            found += self._batch(f"put({json.dumps(part)}, {json.dumps(how)}, {start})")
        return found

    def ask(self, expression: str) -> Any:
        """Return what an expression of ours gives in the home page, awaited."""
        return self._evaluate(expression)

    def _batch(self, expression: str) -> list[Finding]:
        self.browser.take()
        latent = self._evaluate(expression)
        self._settle()
        latent += self._evaluate("look()")
        found = [Finding("latent", where, detail) for where, detail in latent]
        found += self._judged(self.browser.take())
        self._go_home()
        return list(dict.fromkeys(found))

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

    def _settle(self) -> None:
        """Give what is on the pages the time to act: tasks, timers, animations of a hundredth of a second."""
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
            name, told = event["method"], event["params"]
            if name == "Page.frameNavigated":
                frame = told["frame"]
                self._frames[frame["id"]] = frame["url"]
            judge = _JUDGES.get(name)
            finding = judge(self, told) if judge is not None else None
            if finding is not None:
                yield finding

    def script(self, told: Event) -> Finding | None:
        if told["url"] == OURS:
            return None
        frame = told.get("executionContextAuxData", {}).get("frameId", "")
        return Finding("script", self._frames.get(frame, frame), self._source(told["scriptId"]))

    def dialog(self, told: Event) -> Finding | None:
        return Finding("dialog", told.get("url", ""), f"{told['type']} {told['message']}"[:200])

    def navigation(self, told: Event) -> Finding | None:
        if told["reason"] == "initialFrameNavigation" and told["url"].startswith((*self.allowed, "about:")):
            return None
        return Finding("navigation", self._frames.get(told["frameId"], ""), f"{told['reason']} {told['url']}"[:200])

    def navigated(self, told: Event) -> Finding | None:
        frame = told["frame"]
        if frame["url"].startswith((*self.allowed, "about:")) and "unreachableUrl" not in frame:
            return None
        return Finding("navigation", frame.get("unreachableUrl", frame["url"])[:200], "navigated")

    def frame(self, told: Event) -> Finding | None:
        top = self._call("Page.getFrameTree")["frameTree"]["frame"]["id"]
        if told["parentFrameId"] == top:
            return None
        return Finding("frame", self._frames.get(told["parentFrameId"], ""), "attached")

    def target(self, told: Event) -> Finding | None:
        info = told["targetInfo"]
        if info["targetId"] in self._known or info["type"] in ("tab", "browser"):
            return None
        self._known.add(info["targetId"])
        if info["type"] == "page":
            self.browser.post("Target.closeTarget", targetId=info["targetId"])
        return Finding("target", info["url"][:200], info["type"])

    def request(self, told: Event) -> Finding | None:
        url, kind = told["request"]["url"], told.get("type", "Other").lower()
        if url.startswith((*self.allowed, "data:image/", "about:")):
            return None
        if kind in _LOADED and url.startswith(("http:", "https:")) and urlsplit(url).hostname not in self.banned:
            return None
        return Finding("request", told.get("documentURL", "")[:200], f"{kind} {url}"[:200])

    def response(self, told: Event) -> Finding | None:
        answer = told["response"]
        if told.get("type") != "Document" or answer["status"] < 400 or not answer["url"].startswith(self.allowed):
            return None
        return Finding("navigation", answer["url"], f"answered with {answer['status']}")

    def console(self, told: Event) -> Finding | None:
        return Finding("console", "", json.dumps([one.get("value") for one in told["args"]])[:200])

    def log(self, told: Event) -> Finding | None:
        entry = told["entry"]
        if entry["source"] == "network" and any(known in entry["text"] for known in _KNOWN_FAILURES):
            return None  # what was asked for is judged where it was asked for
        if entry["source"] == "security" or "Content Security Policy" in entry["text"]:
            return Finding("blocked", entry.get("url", ""), entry["text"][:200])
        return None

    def download(self, told: Event) -> Finding | None:
        return Finding("navigation", told["url"][:200], "download")

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
"""innerHTML into a div; the same after two rounds of serialising and parsing, HTML and XML; a frame's srcdoc; document.write."""


def _is_load(event: Event, session: str, loader: str) -> bool:
    told = event["params"]
    return (
        event["method"] == "Page.lifecycleEvent"
        and event.get("sessionId") == session
        and told["loaderId"] == loader
        and told["name"] == "load"
    )
