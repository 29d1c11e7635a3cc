"""Add sources to a site's feedtool.toml on disk, under the site's lock."""

from __future__ import annotations

import os
from collections.abc import Sequence

from feedtool import storage
from feedtool.catalog.index import lock
from feedtool.config import Settings
from feedtool.config.edit import Values, with_sources_added
from feedtool.config.load import FILE
from feedtool.errors import OutputError, remedy


def append_source(settings: Settings, sources: Sequence[Values]) -> None:
    """Add sources to the site's feedtool.toml, making one where there is none.

    Raises SettingsError, and leaves the file alone, where the new text would change other settings; OutputError where
    it cannot be written.
    """
    path = settings.file or os.path.join(settings.folder, FILE)
    # Of two runs that add at once, the second has to read what the first wrote.
    with lock(os.path.join(settings.folder, ".feedtool")):
        try:
            old = (storage.read_or_none(path) or b"").decode("utf-8")
            storage.write(path, with_sources_added(old, sources).encode())
        except OSError as error:
            what = f"cannot be written: {error.strerror or error}"
            raise OutputError(what, where=path, hint=remedy(error)) from None
