"""A site in, its preview on this machine out: built, served, watched, built again; `public` is never touched."""

from feedtool.preview.rebuild import Outcome, Preview
from feedtool.preview.server import Bound, bind
from feedtool.preview.watch import Watch

__all__ = ["Bound", "Outcome", "Preview", "Watch", "bind"]
