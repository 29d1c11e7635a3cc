"""Build a site in this process at a given time; asserts nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from feedtool.config import load_settings
from feedtool.models import Report
from feedtool.protocols import in_order
from feedtool.publish import Choices, build

NOW = datetime(2024, 6, 1, tzinfo=UTC)


def built(site: Path, now: datetime = NOW, *, options: dict[str, Any] | None = None, **choices: Any) -> Report:
    """Build a site with these options and choices and an empty environment, and return the report."""
    settings = load_settings(str(site), environment={}, options=options)
    return build(settings, mapper=in_order, clock=lambda: now, choices=Choices(**choices))
