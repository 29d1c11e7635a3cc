"""Which engine an option names; the only importer of `engines`."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedtool.workers.pool import Processes
    from feedtool.workers.sandbox import Killable


def mapper(jobs: int | None = None) -> AbstractContextManager[Processes]:
    """Return a Mapper over `jobs` processes (None or 0: one a core), to be used in a `with`."""
    from feedtool.workers.pool import Processes, cores

    return closing(Processes(jobs or cores()))


def killable(jobs: int | None, prepare: Callable[[], None], *, early: bool = False) -> Killable:
    """Return the engine that runs each job where it can be killed, `jobs` at a time (None or 0: one a core).

    `early` says that jobs are sure to come.
    """
    from feedtool.workers.pool import cores
    from feedtool.workers.sandbox import Killable

    return Killable(jobs or cores(), prepare=prepare, early=early)
