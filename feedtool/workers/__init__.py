"""Run work on other processes: a pool that shares memory, and a sandbox whose workers can be killed."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedtool.workers.pool import Pool
    from feedtool.workers.sandbox import Sandbox


def mapper(jobs: int | None = None) -> AbstractContextManager[Pool]:
    """Return a Mapper over `jobs` processes (None or 0: one a core), to be used in a `with`."""
    from feedtool.workers.pool import Pool, cores

    return closing(Pool(jobs or cores()))


def sandboxed(jobs: int | None, prepare: Callable[[], None], *, early: bool = False) -> Sandbox:
    """Return the engine that runs each job where it can be killed, `jobs` at a time (None or 0: one a core).

    `early` says that jobs are sure to come.
    """
    from feedtool.workers.pool import cores
    from feedtool.workers.sandbox import Sandbox

    return Sandbox(jobs or cores(), prepare=prepare, early=early)
