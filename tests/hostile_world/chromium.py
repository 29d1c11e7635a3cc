"""Drive a headless Chromium through its debugging pipe (Chrome DevTools Protocol), and collect every event.

The pipe needs no driver, no port and no library, and unlike WebDriver it reports scripts, frames, requests and dialogs
as they happen. Only addresses of loopback resolve: requests to other hosts fail.
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-popup-blocking",
    # One of two pages is always in the background, where timers would be slowed to a second.
    "--disable-background-timer-throttling",
    "--disable-backgrounding-occluded-windows",
    "--disable-renderer-backgrounding",
    # Keep frames of other origins in the process of the page, where one session sees them all.
    "--disable-site-isolation-trials",
    "--disable-features=IsolateOrigins,site-per-process,Translate,OptimizationHints,MediaRouter",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
    "--autoplay-policy=no-user-gesture-required",
    "--remote-debugging-pipe",
    "--window-size=1100,900",
)
Event = dict[str, Any]


class Chromium:
    """One browser process that stores the events of all its pages until `take` is called."""

    def __init__(self, process: subprocess.Popen[bytes], into: int, out_of: int) -> None:
        self._process = process
        self._into = into
        self._out_of = out_of
        self._answers: dict[int, queue.SimpleQueue[Event]] = {}
        self._lock = threading.Lock()
        self._count = 0
        self._events: list[Event] = []
        self._listeners: list[Callable[[Event], None]] = []
        threading.Thread(target=self._listen, daemon=True).start()

    def call(self, method: str, session: str = "", **params: Any) -> Any:
        """Send a command and return its result.

        Raises RuntimeError if the browser refuses it, and TimeoutError after a minute.
        """
        waiting: queue.SimpleQueue[Event] = queue.SimpleQueue()
        number = self._send(method, session, params, waiting)
        try:
            answer = waiting.get(timeout=60)
        except queue.Empty:
            raise TimeoutError(f"{method} was not answered") from None
        finally:
            self._answers.pop(number, None)
        if "error" in answer:
            raise RuntimeError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]

    def post(self, method: str, session: str = "", **params: Any) -> None:
        """Send a command without waiting for the result, which is the only way inside a listener."""
        self._send(method, session, params, None)

    def on_event(self, listener: Callable[[Event], None]) -> None:
        """Call `listener` with every event from now on, as it arrives."""
        self._listeners.append(listener)

    def take(self) -> list[Event]:
        """Return the events since the last call."""
        with self._lock:
            events, self._events = self._events, []
        return events

    def wait(self, is_match: Callable[[Event], bool], since: int = 0, *, seconds: float = 30) -> Event | None:
        """Return the first stored or future event that `is_match` accepts; None after `seconds`."""
        until = time.monotonic() + seconds
        at = since
        while time.monotonic() < until:
            with self._lock:
                fresh = self._events[at:]
            for event in fresh:
                if is_match(event):
                    return event
            at += len(fresh)
            time.sleep(0.002)
        return None

    def _send(self, method: str, session: str, params: dict[str, Any], waiting: Any) -> int:
        with self._lock:
            self._count += 1
            number = self._count
            if waiting is not None:
                self._answers[number] = waiting
            message = {"id": number, "method": method, "params": params} | ({"sessionId": session} if session else {})
            data = json.dumps(message).encode() + b"\0"
            while data:
                data = data[os.write(self._into, data) :]
        return number

    def _listen(self) -> None:
        rest = b""
        with contextlib.suppress(OSError):
            while data := os.read(self._out_of, 1 << 20):
                *messages, rest = (rest + data).split(b"\0")
                for message in messages:
                    self._hear(json.loads(message))

    def _hear(self, message: Event) -> None:
        if "id" in message:
            waiting = self._answers.get(message["id"])
            if waiting is not None:
                waiting.put(message)
            return
        with self._lock:
            self._events.append(message)
        for listener in self._listeners:
            listener(message)


@contextlib.contextmanager
def chromium(program: str) -> Iterator[Chromium]:
    """Run a browser with a fresh profile until the block ends."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        commands, into = os.pipe()
        out_of, answers = os.pipe()
        # Chromium reads commands from descriptor 3 and answers on 4.
        words = ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "chromium", program, *FLAGS]
        process = subprocess.Popen(
            [*words, f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(commands, answers),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env={**os.environ, "HOME": profile},
        )
        os.close(commands)
        os.close(answers)
        try:
            yield Chromium(process, into, out_of)
        finally:
            os.close(into)
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            with contextlib.suppress(OSError):
                os.close(out_of)
