"""Templates in, functions that fill them out: the only importer of Jinja2. What pages say is decided elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from feedtool.errors import SettingsError
from feedtool.html import legal_text

if TYPE_CHECKING:
    from jinja2 import Environment, Template, TemplateError

Overrides = tuple[tuple[str, str], ...]

SHIPPED = "feedtool/"
"""Before a template's name: the one that comes with feedtool, even where the site has its own."""


def fill(name: str, values: Mapping[str, Any], overrides: Overrides) -> bytes:
    """Return a template filled with values, every one escaped but Markup; the site's own templates win.

    Raises SettingsError, with the template's name and line, when one of the site's own can't be used.
    """
    import jinja2  # Imported here: only a build that has pages to write pays the 40 ms.

    try:
        text = _template(name, overrides).render(values)
    except jinja2.TemplateError as error:
        _refuse(name, error, overrides)
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
        if not overrides:
            raise
        raise SettingsError(str(error), where=f"templates/{name}", hint="mend the template") from error
    return text.encode("utf-8", "replace")


def shipped(name: str) -> str:
    """Return the text of a data file that comes with feedtool, such as "site.css"."""
    from importlib.resources import files  # 6 ms, for those who have pages to write

    return files("feedtool").joinpath(f"data/{name}").read_text(encoding="utf-8")


@lru_cache(maxsize=64)
def _template(name: str, overrides: Overrides) -> Template:
    return _environment(overrides).get_template(name)


@lru_cache(maxsize=8)
def _environment(overrides: Overrides) -> Environment:
    from jinja2 import Environment, FunctionLoader, StrictUndefined
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    own = dict(overrides)

    def load(name: str) -> str | None:
        if name in own:
            return own[name]
        try:
            return shipped(f"templates/{name.removeprefix(SHIPPED)}")
        except OSError:
            return None

    # A site folder is data: building one that somebody else wrote must not run what they like.
    kind = ImmutableSandboxedEnvironment if overrides else Environment
    return kind(
        loader=FunctionLoader(load),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_legal,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        auto_reload=False,
    )


def _legal(value: Any) -> Any:
    # Markup is a subclass of str and has been through the cleaning; no control or surrogate is printable.
    return legal_text(value) if type(value) is str and not value.isprintable() else value


def _refuse(name: str, error: TemplateError, overrides: Overrides) -> NoReturn:
    from jinja2 import TemplateNotFound, TemplateSyntaxError

    if not overrides:
        raise error
    if isinstance(error, TemplateSyntaxError):
        raise SettingsError(
            error.message or "cannot be read",
            where=f"templates/{error.name or name}",
            line=error.lineno,
            hint="mend the template, or delete it to use the one that comes with feedtool",
        ) from error
    what = f"there is no template {error.message!r}" if isinstance(error, TemplateNotFound) else str(error.message)
    hint = "the templates that come with feedtool tell in their first lines which names they are given"
    raise SettingsError(what, where=f"templates/{name}", hint=hint) from error
