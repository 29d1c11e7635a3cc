"""Test that `check` and `build` raise the same errors, and that errors of the library name no command-line option."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

import feedtool
from feedtool.catalog.index import lock
from feedtool.cli import console
from feedtool.errors import FeedtoolError, LockedError, OutputError, SettingsError, UsageError
from feedtool.models import Problem
from tests.support.site import article, make_site, run, write

AS_ROOT = hasattr(os, "geteuid") and os.geteuid() == 0


def _settings(site: Path, text: str) -> None:
    write(site / "feedtool.toml", f'[site]\ntitle = "Test"\n{text}')


def _unreadable_articles(site: Path) -> None:
    (site / "articles").chmod(0)


def _no_articles(site: Path) -> None:
    (site / "articles").rename(site / "elsewhere")


def _link_in_output(site: Path) -> None:
    (site / "public").mkdir()
    (site / "public/atom.xml").symlink_to(site / "articles/a.md")


FAULTS: dict[str, tuple[Callable[[Path], object], type[FeedtoolError], str]] = {
    "no articles folder": (_no_articles, SettingsError, "there is no such folder of articles"),
    "unreadable articles folder": (_unreadable_articles, SettingsError, "cannot be read: Permission denied"),
    "settings that are not TOML": (lambda site: _settings(site, "x"), SettingsError, "is not TOML"),
    "settings with a wrong value": (
        lambda site: _settings(site, "[feeds]\nlimit = 0\n"),
        SettingsError,
        "limit must be",
    ),
    "a selector that is not CSS": (
        lambda site: _settings(site, '[html]\nremove = ["[["]\n'),
        SettingsError,
        "is not a CSS selector",
    ),
    "unreadable generator settings": (
        lambda site: (
            write(site / "_config.yml", "title: [x\n"),
            _settings(site, '[articles]\nflavour = "hexo"\n'),
        ),
        SettingsError,
        "_config.yml",
    ),
    "an unreadable template": (
        lambda site: (site / "templates/index.html").mkdir(parents=True),
        SettingsError,
        "cannot be read: Is a directory",
    ),
    "output in the articles folder": (
        lambda site: write(site / "feedtool.toml", 'output = "articles/public"\n'),
        OutputError,
        "lies inside the articles folder",
    ),
    "output that holds the articles": (
        lambda site: write(site / "feedtool.toml", 'output = "."\n'),
        OutputError,
        "holds the articles",
    ),
    "output outside of the site": (
        lambda site: write(site / "feedtool.toml", 'output = "../public"\n'),
        OutputError,
        "lies outside the site's folder",
    ),
    "output that is a file": (lambda site: write(site / "public", "mine"), OutputError, "is not a folder"),
    "a file of somebody else in the output": (
        lambda site: write(site / "public/feed.json", "mine"),
        OutputError,
        "was not made by feedtool",
    ),
    "a link in the output": (_link_in_output, OutputError, "was not made by feedtool"),
}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    return make_site(tmp_path / "site", {"a.md": article("A")})


@pytest.mark.parametrize("fault", FAULTS)
def test_check_and_build_raise_the_same_error(site: Path, fault: str) -> None:
    if fault == "unreadable articles folder" and AS_ROOT:
        pytest.skip("root may read every folder")
    break_it, kind, text = FAULTS[fault]
    break_it(site)
    commands: list[Callable[[], object]] = [
        lambda: feedtool.build(site, jobs=1),
        lambda: feedtool.build(site, jobs=1, dry_run=True),
        lambda: feedtool.check(site, jobs=1),
        lambda: feedtool.check(site, jobs=1, fix=True),
    ]
    try:
        errors = []
        for command in commands:
            with pytest.raises(FeedtoolError) as raised:
                command()
            errors.append(raised.value)
    finally:
        if (site / "articles").exists():
            (site / "articles").chmod(0o755)
    assert len({(type(error), str(error)) for error in errors}) == 1
    assert isinstance(errors[0], kind)
    assert text in str(errors[0])
    assert "--" not in str(errors[0])


def test_a_locked_site_stops_those_that_write(site: Path) -> None:
    with lock(str(site / ".feedtool")):
        for command in (lambda: feedtool.build(site, jobs=1), lambda: feedtool.check(site, jobs=1, fix=True)):
            with pytest.raises(LockedError) as raised:
                command()
            assert "--" not in str(raised.value)
        assert feedtool.build(site, jobs=1, dry_run=True).articles == feedtool.check(site, jobs=1).articles == 1


def test_errors_name_arguments_not_options(site: Path, tmp_path: Path) -> None:
    calls: list[tuple[Callable[[], object], str, tuple[str, ...], str]] = [
        (
            lambda: feedtool.build(site, limit=0),
            "option limit: ",
            ("build", "-C", str(site), "--base-url", "x"),
            "--base-url: ",
        ),
        (
            lambda: feedtool.build(site, base_url="x"),
            "option base_url: ",
            ("new", "-C", str(site), "A", "--date", "x"),
            "--date: ",
        ),
        (lambda: feedtool.check(tmp_path / "none"), "option site: ", ("check", "-C", str(tmp_path / "none")), "-C: "),
    ]
    for call, start, arguments, message in calls:
        with pytest.raises((SettingsError, UsageError)) as raised:
            call()
        assert str(raised.value).startswith(start)
        result = run(*arguments)
        assert result.exit_code == 2
        assert result.stderr.startswith(f"error: {message}")


def test_dashes_in_a_path_are_not_an_option(tmp_path: Path) -> None:
    site = make_site(tmp_path / "a--b", {"a.md": article("A")})
    write(site / "feedtool.toml", 'output = "../public"\n')
    settings = feedtool.load_settings(str(site), cwd=str(tmp_path))
    assert settings.origins["output"] == "a--b/feedtool.toml:1"
    with pytest.raises(OutputError):
        feedtool.build(settings, jobs=1)
    assert not (tmp_path / "public").exists()


def test_only_texts_of_feedtool_name_typed_options(capsys: pytest.CaptureFixture[str]) -> None:
    problem = Problem(
        file="a.md", code="FT401", message="the option `foo` is a title", hint="accept it (option `base_url`)"
    )
    console.show_problems([problem], "")
    assert "the option `foo` is a title; accept it (`--base-url`)" in capsys.readouterr().err
