"""Run work in other processes: in a pool for trusted work, or in a sandbox whose workers can be killed."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedtool.workers.pool import Pool
    from feedtool.workers.sandbox import Sandbox


def mapper(jobs: int | None = None) -> AbstractContextManager[Pool]:
    """Return a context manager with a Mapper over `jobs` processes (None or 0: one per core)."""
    from feedtool.workers.pool import Pool, cores

    return closing(Pool(jobs or cores()))


def sandboxed(jobs: int | None, prepare: Callable[[], None], *, early: bool = False) -> Sandbox:
    """Return a sandbox that runs `jobs` jobs at a time (None or 0: one per core), each in a process that can be killed.

    Set `early` if jobs are certain to come: the fork server then starts before the first job is requested.
    """
    from feedtool.workers.pool import cores
    from feedtool.workers.sandbox import Sandbox

    return Sandbox(jobs or cores(), prepare=prepare, early=early)
