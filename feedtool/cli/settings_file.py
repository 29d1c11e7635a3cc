"""Add sources to a site's feedtool.toml on disk while holding the site's lock."""

from __future__ import annotations

import os
from collections.abc import Sequence

from feedtool import storage
from feedtool.catalog.index import lock
from feedtool.config import Settings
from feedtool.config.edit import Values, with_sources_added
from feedtool.config.load import FILE
from feedtool.errors import OutputError, remedy


def append_sources(settings: Settings, sources: Sequence[Values]) -> None:
    """Add sources to the site's feedtool.toml, and create the file if it does not exist.

    Raise SettingsError and leave the file unchanged if the new text would change other settings. Raise OutputError if
    the file cannot be written.
    """
    path = settings.file or os.path.join(settings.folder, FILE)
    # Hold the lock, so that the second of two concurrent runs reads what the first one wrote.
    with lock(os.path.join(settings.folder, ".feedtool")):
        try:
            old = (storage.read_or_none(path) or b"").decode("utf-8")
            storage.write(path, with_sources_added(old, sources).encode())
        except OSError as error:
            what = f"cannot be written: {error.strerror or error}"
            raise OutputError(what, where=path, hint=remedy(error)) from None
