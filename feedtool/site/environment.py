"""Load and render templates. No other module imports Jinja2."""

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
"""This prefix of a template's name selects the template that comes with feedtool, even if the site overrides it."""


def fill(name: str, values: Mapping[str, Any], overrides: Overrides) -> bytes:
    """Return a template rendered with values, which are escaped unless they are Markup.

    The site's own templates take precedence. Raise SettingsError with the name and line of the template if one of them
    cannot be used.
    """
    import jinja2  # imported here because it takes 40 ms, and only builds that write pages need it

    try:
        text = _template(name, overrides).render(values)
    except jinja2.TemplateError as error:
        _refuse(name, error, overrides)
    except (TypeError, ValueError, ArithmeticError, LookupError, AttributeError, RecursionError) as error:
        if not overrides:
            raise
        raise SettingsError(str(error), where=f"templates/{name}", hint="fix the template") from error
    return text.encode("utf-8", "replace")


def shipped(name: str) -> str:
    """Return the text of a data file that comes with feedtool, such as "site.css"."""
    from importlib.resources import (
        files,  # imported here because it takes 6 ms, and only builds that write pages need it
    )

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

    # The templates of a site are data: building a site by somebody else must not run their code.
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
    # Markup, a subclass of str, is clean already. Controls and surrogates are not printable.
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
            hint="fix the template, or delete it to use the one that comes with feedtool",
        ) from error
    message = f"there is no template {error.message!r}" if isinstance(error, TemplateNotFound) else str(error.message)
    hint = "the first lines of the templates that come with feedtool list the names that a template can use"
    raise SettingsError(message, where=f"templates/{name}", hint=hint) from error
