"""Log which folders and files a build reads and writes anew, and why."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from feedtool import log

if TYPE_CHECKING:
    from feedtool.publish.plan import Assembly, Outputs


def log_folders(prefix: str, earlier: Mapping[str, bytes], present: Mapping[str, bytes], *, is_first: bool) -> None:
    """Log the folders of articles that differ from the last build's; `earlier` and `present` are their fingerprints."""
    if not log.is_informing("build"):
        return
    if not earlier:
        # In this case the folders are listed while they are read.
        reason = "there is no index yet" if is_first else "the settings or the rules of reading have changed"
        log.info("build", "read all folders of articles, because %s", reason)
        return
    changed = [path for path, fingerprint in present.items() if earlier.get(path) != fingerprint]
    gone = len(earlier.keys() - present.keys())
    log.info("build", "folders of articles: %d (%d to read, %d gone)", len(present), len(changed), gone)
    for path in changed:
        reason = "a file in it has changed" if path in earlier else "it is new"
        log.debug("build", "read %s%s, because %s", prefix, path, reason)


def log_outputs(outputs: Outputs, due: set[str], assembly: Assembly) -> None:
    """Log the files of the output that are made anew: those that are `due`."""
    log.info("build", "%d files in the output: %d to make", len(outputs), len(due))
    if not log.is_debugging("build"):
        return
    for path in outputs:
        if path in due:
            log.debug("build", "make %s, because %s", path, _reason(path, outputs, assembly))


def _reason(path: str, outputs: Outputs, assembly: Assembly) -> str:
    if assembly.is_new(path):
        return "it is new"
    is_same = assembly.is_same(path, outputs[path].fingerprint)
    return "the file is missing or was changed" if is_same else "its content has changed"
