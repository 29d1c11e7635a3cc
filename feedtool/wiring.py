"""Which engine an option names; the only importer of `engines`."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from feedtool.engines.killable import Killable
    from feedtool.engines.processes import Processes


def mapper(jobs: int | None = None) -> AbstractContextManager[Processes]:
    """Return a Mapper over `jobs` processes (None or 0: one a core), to be used in a `with`."""
    from feedtool.engines.processes import Processes, cores

    return closing(Processes(jobs or cores(), prepare=_import_what_rendering_takes))


def killable(jobs: int | None, prepare: Callable[[], None]) -> Killable:
    """Return the engine that runs each job where it can be killed, `jobs` at a time (None or 0: one a core)."""
    from feedtool.engines.killable import Killable
    from feedtool.engines.processes import cores

    return Killable(jobs or cores(), prepare=prepare)


def _import_what_rendering_takes() -> None:
    """Import once, before the processes part ways, what each of them would otherwise import for itself."""
    for room in ("entries", "html.tree", "pages.make", "render.atom", "render.jsonfeed", "render.rss"):
        import_module(f"feedtool.{room}")
