"""Which engine an option names; the only importer of `engines`."""

from __future__ import annotations

from contextlib import AbstractContextManager, closing
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedtool.engines.processes import Processes


def mapper(jobs: int | None = None) -> AbstractContextManager[Processes]:
    """Return a Mapper over `jobs` processes (None or 0: one a core), to be used in a `with`."""
    from feedtool.engines.processes import Processes, cores

    return closing(Processes(jobs or cores(), prepare=_import_what_rendering_takes))


def _import_what_rendering_takes() -> None:
    """Import once, before the processes part ways, what each of them would otherwise import for itself."""
    for room in ("entries", "html.tree", "pages.make", "render.atom", "render.jsonfeed", "render.rss"):
        import_module(f"feedtool.{room}")
