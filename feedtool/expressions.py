"""Regular expressions in, the same out, compiled when they are first asked: most builds need few of those they import."""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast


def expression(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """Return what does as `re.compile(text, flags)` does, for less than a microsecond where nothing is asked of it."""
    return cast("re.Pattern[AnyStr]", _Expression(text, flags))


class _Expression:
    """An expression that takes over the methods of the compiled one, which are then found as quickly as there."""

    def __init__(self, text: Any, flags: int) -> None:
        self._source = (text, flags)

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(*self._source)
        for method in ("search", "match", "fullmatch", "sub", "subn", "finditer", "findall", "split"):
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)
