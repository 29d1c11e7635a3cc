"""Measure how long each step of a cold build takes in one process, without the steps inside it."""

from __future__ import annotations

import functools
import importlib
import json
import shutil
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

BUILD = "feedtool.publish"
STEPS = (
    ("list folders, stat files", "feedtool.storage", "walk_articles"),
    ("list folders: fingerprints", "feedtool.catalog.fingerprints", "FolderFingerprint.add"),
    ("heads: read the first bytes of files", "feedtool.storage", "read_prefixes"),
    ("heads: by the pattern of earlier heads", "feedtool.articles.similar_heads", "SimilarHeadReader.rows"),
    ("heads: one by one", "feedtool.articles.reader", "read_head"),
    ("heads: pack", f"{BUILD}.heads", "_read_batch"),
    ("heads: unpack, stream, store in the index", f"{BUILD}.heads", "Heads.stream"),
    ("select: for every feed", "feedtool.feeds.selection", "Selection.add"),
    ("select: the rest", f"{BUILD}.select", "select"),
    ("bodies: find earlier entries", f"{BUILD}.render", "EntryRenderer.identify"),
    ("bodies: read, hash, pack", f"{BUILD}.render", "_render"),
    ("bodies: parse articles", "feedtool.articles.reader", "read_article"),
    ("bodies: check the limits", "feedtool.html.limits", "refusal"),
    ("bodies: repair", "feedtool.html.repair", "repair"),
    ("bodies: sanitize", "feedtool.html.sanitize", "sanitizer"),
    ("bodies: check that HTML is stable", "feedtool.html.stability", "is_stable"),
    ("bodies: plain text and picture", "feedtool.html.text", "leading_text"),
    ("bodies: the rest of cleaning", "feedtool.html.pipeline", "clean"),
    ("bodies: make entries", "feedtool.feeds.entries", "entry_of"),
    ("bodies: render entries", f"{BUILD}.render", "renditions"),
    ("bodies: store entries in the index", "feedtool.catalog.index", "Index.keep_entries"),
    ("feeds: plan", f"{BUILD}.outputs", "outputs_of"),
    ("feeds: assemble", f"{BUILD}.outputs", "_render"),
    ("feeds: compare, pass to the writers", f"{BUILD}.writer", "Publisher.put"),
    ("feeds: wait for the writers, clean up", f"{BUILD}.writer", "Publisher.finish"),
    ("store facts in the index", "feedtool.catalog.index", "Index.keep_fact"),
    ("commit the index", "feedtool.catalog.index", "Index.commit"),
    ("the rest of the build", f"{BUILD}.pipeline", "build"),
)
"""The label of a step, and the module and name of its function."""


class Stopwatch:
    """Seconds and calls of each step; the time of an inner step counts only for the inner step."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.calls: dict[str, int] = {}
        self._open: list[float] = []

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a timed version of the function; a returned iterator or function is timed too."""
        self.seconds[name] = 0.0
        self.calls[name] = 0

        @functools.wraps(function)
        def watched(*args: Any, **options: Any) -> Any:
            self.calls[name] += 1
            result = self._watch(name, functools.partial(function, *args, **options))
            if isinstance(result, types.FunctionType):
                return functools.partial(self._watch_call, name, result)
            return self._steps(name, result) if isinstance(result, Iterator) else result

        return watched

    def _watch_call(self, name: str, function: Callable[..., Any], *args: Any) -> Any:
        return self._watch(name, functools.partial(function, *args))

    def _steps(self, name: str, items: Iterator[Any]) -> Iterator[Any]:
        end = object()
        while (item := self._watch(name, functools.partial(next, items, end))) is not end:
            yield item

    def _watch(self, name: str, call: Callable[[], Any]) -> Any:
        self._open.append(0.0)
        started = time.perf_counter()
        try:
            return call()
        finally:
            took = time.perf_counter() - started
            inner = self._open.pop()
            self.seconds[name] += took - inner
            if self._open:
                self._open[-1] += took


def main() -> None:
    """Build the site cold and print {"seconds": …, "steps": [[name, seconds, calls], …], "missing": […]}."""
    folder = Path(sys.argv[1])
    for derived in ("public", ".feedtool"):
        shutil.rmtree(folder / derived, ignore_errors=True)
    started = time.perf_counter()
    from feedtool.config import load_settings
    from feedtool.protocols import in_order

    publish = importlib.import_module(BUILD)
    for _, module, _ in STEPS:
        importlib.import_module(module)
    imported = time.perf_counter()
    watch = Stopwatch()
    missing = [name for name, module, path in STEPS if not _wrap(watch, name, module, path)]
    build_started = time.perf_counter()
    report = publish.build(load_settings(str(folder)), mapper=in_order, clock=publish.utc_now)
    total = time.perf_counter() - build_started
    steps = [["import", imported - started, 1]]
    steps += [[name, watch.seconds[name], watch.calls[name]] for name, _, _ in STEPS if name in watch.seconds]
    facts = {"articles": report.articles, "seconds": total + imported - started, "steps": steps, "missing": missing}
    print(json.dumps(facts))


def _wrap(watch: Stopwatch, name: str, module: str, path: str) -> bool:
    """Replace the function by a timed version in every module that binds it; return False if it does not exist."""
    owner: Any = importlib.import_module(module)
    *parts, last = path.split(".")
    for part in parts:
        owner = getattr(owner, part, None)
    function = getattr(owner, last, None)
    if function is None:
        return False
    watched = watch.timed(name, function)
    setattr(owner, last, watched)
    for loaded in [each for key, each in sys.modules.items() if key.startswith("feedtool")]:
        for bound in [bound for bound, value in vars(loaded).items() if value is function]:
            setattr(loaded, bound, watched)
    return True


if __name__ == "__main__":
    main()
