"""Which engine an option names; the only importer of `engines`."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedtool.engines.processes import Processes


def mapper(jobs: int | None = None) -> AbstractContextManager[Processes]:
    """Return a Mapper over `jobs` processes (None or 0: one a core), to be used in a `with`."""
    from feedtool.engines.processes import Processes, cores

    return closing(Processes(jobs or cores()))
