"""Test whole bodies in `html_cases/<name>/input.html` against `expected.html`, with the policy in `policy.toml`."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from feedtool.html import Policy, clean
from feedtool.models import BodyKind

CASES = Path(__file__).parent / "html_cases"
NAMES = sorted(path.name for path in CASES.iterdir() if path.is_dir())


def _case(name: str) -> tuple[str, Policy, BodyKind]:
    folder = CASES / name
    body = (folder / "input.html").read_bytes().decode()
    settings = folder / "policy.toml"
    options = tomllib.loads(settings.read_text(encoding="utf-8")) if settings.exists() else {}
    kind: BodyKind = options.pop("kind", "html")
    options = {key: _tuples(value) for key, value in options.items()}
    return body, Policy(**options), kind


def _tuples(value: object) -> object:
    return tuple(_tuples(one) for one in value) if isinstance(value, list) else value


@pytest.mark.parametrize("name", NAMES)
def test_body_becomes_its_expected_file(name: str, request: pytest.FixtureRequest) -> None:
    body, policy, kind = _case(name)
    html = clean(body, kind=kind, policy=policy).html + "\n"
    expected = CASES / name / "expected.html"
    if request.config.getoption("--accept", False):
        expected.write_bytes(html.encode())
    assert html == expected.read_bytes().decode()


@pytest.mark.parametrize("name", NAMES)
def test_cleaning_is_idempotent(name: str) -> None:
    body, policy, kind = _case(name)
    once = clean(body, kind=kind, policy=policy)
    twice = clean(once.html, kind="html", policy=policy)
    assert (twice.html, twice.text, twice.image) == (once.html, once.text, once.image)


@pytest.mark.parametrize("name", NAMES)
def test_explain_does_not_change_the_result(name: str) -> None:
    body, policy, kind = _case(name)
    assert clean(body, kind=kind, policy=policy, explain=True).html == clean(body, kind=kind, policy=policy).html
