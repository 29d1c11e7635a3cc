"""Preview a site on this machine: build it, serve it, watch its files, and build it again. The output folder is not touched."""

from feedtool.preview.rebuild import Outcome, Preview
from feedtool.preview.server import PreviewServer, bind
from feedtool.preview.watch import Watch

__all__ = ["Outcome", "Preview", "PreviewServer", "Watch", "bind"]
