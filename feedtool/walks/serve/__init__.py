"""A site in, its preview on this machine out: built, served, watched, built again; `public` is never touched."""

from feedtool.walks.serve.http import Bound, bind
from feedtool.walks.serve.preview import Outcome, Preview
from feedtool.walks.serve.watch import Watch

__all__ = ["Bound", "Outcome", "Preview", "Watch", "bind"]
