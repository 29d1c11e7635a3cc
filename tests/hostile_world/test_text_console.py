"""Test that hostile texts in any input appear in the output of every command without effect.

The inputs are articles, file names, settings, feeds and answers of servers. The outputs are lines for people, JSON,
annotations and a summary on GitHub, and outputs of the action.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import pty
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from markdown_it import MarkdownIt

from feedtool.cli.console import plain, summarize
from feedtool.models import Problem
from tests.hostile_world.texts import DIRECTIONS, MARKDOWN, NEVER, RUNNER, TERMINAL, TEXTS, line
from tests.support.runner import _outputs, commands_in
from tests.support.server import page, raw, serve
from tests.support.site import ROOT, Result, command, environment, make_site, run, write

SAMPLE = (
    *TERMINAL,
    *DIRECTIONS,
    *RUNNER,
    *MARKDOWN[:20],
    "a\nb",
    "a\rb",
    "a\x85b",
    "a\u2028b",
    "a\x00b",
    "a\x9bb",
    "x" * 5000,
)
SETTINGS = """[site]
title = "T"
url = "https://example.org/"
[feeds]
limit = 1000
[ingest]
allow_private_hosts = ["127.0.0.1"]
"""
ACTIONS = {"GITHUB_ACTIONS": "true"}
RED = re.compile(r"\x1b\[[0-9;]{0,12}m")


class Place(NamedTuple):
    """A site full of hostile texts, a list of subscriptions, and the address of a feed."""

    site: Path
    opml: Path
    feed: str


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("console")
    pages = {f"/say/{number}": page(json.dumps({"error": text})) for number, text in enumerate(SAMPLE[::5])}
    pages |= {
        f"/reason/{number}": raw(f"HTTP/1.1 404 {text}\r\nContent-Length: 0\r\n\r\n".encode("utf-8", "replace"))
        for number, text in enumerate(TERMINAL[:4])
    }
    pages["/feed.json"] = page(_feed(), type="application/json")
    with serve(pages) as server:
        names = [line(text) for text in SAMPLE if line(text) and len(text) < 1000]
        addresses = [path for path in pages if path != "/feed.json"]
        tables = [
            f"[[sources]]\nname = {json.dumps(f'{names[number % len(names)]} {number}')}\nurl = {json.dumps(server.url(path))}\n"
            for number, path in enumerate(addresses)
        ]
        tables.append(f'[[sources]]\nname = "good"\nurl = "{server.url("/feed.json")}"\n')
        site = make_site(folder / "site", _articles(), SETTINGS + "".join(tables))
        outlines = "".join(
            f'<outline text="x" xmlUrl="gopher://{number}.test/{_xml(text)}"/>' for number, text in enumerate(SAMPLE)
        )
        write(folder / "in.opml", f'<opml version="2.0"><body>{outlines}</body></opml>')
        yield Place(site, folder / "in.opml", server.url("/feed.json"))


def _xml(text: str) -> str:
    text = "".join(sign for sign in text if sign in "\t\n\r" or ord(sign) >= 32)
    return text.replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")


def _feed() -> str:
    items = [
        {"id": text, "title": text, "content_text": f"{number} {text}", "url": f"https://example.org/{number}"}
        for number, text in enumerate(SAMPLE)
    ]
    return json.dumps(
        {"version": "https://jsonfeed.org/version/1.1", "title": "\x1b[31m\u202eHostile\n::error::x", "items": items}
    )


def _articles() -> dict[str, str | bytes]:
    """Return articles with hostile names, dates, ids and front matter."""
    articles: dict[str, str | bytes] = {}
    for number, text in enumerate(SAMPLE):
        front = {"title": text, "date": text, "id": text, "categories": [text], "author": text, "thumbnail": text}
        name = text.replace("/", "").replace("\0", "")[:60]
        articles[f"{name}{number}.md"] = f"{json.dumps(front)}\ntext\n"
        articles[f"b{number}.md"] = f"---\ntitle: {text}\ndate: 2022-07-25\nid: same\n  x: [\n---\ntext\n"
        good = {**front, "date": "2022-07-25T20:11:30+08:00", "id": f"same {number % 3} {text}"}
        articles[f"c{number}.md"] = (
            f"{json.dumps(good)}\n<p onclick=x title='{number}'>text</p><script>{text}</script>\n"
        )
    return articles


def commands(place: Place) -> list[list[str]]:
    """Return the arguments of every command that reads or prints data of others."""
    site = ["-C", str(place.site)]
    file = next(one for one in sorted(os.listdir(place.site / "articles")) if one.startswith("\x1b"))
    return [
        ["build", *site],
        ["check", *site],
        ["check", *site, "--against", str(place.site / "public")],
        ["ingest", *site, "--force"],
        ["ingest", *site, "--force", "--dry-run"],
        ["status", *site],
        ["explain", *site, str(place.site / "articles" / file)],
        ["explain", *site, str(place.site / "articles" / "c0.md")],
        ["add", *site, place.feed, "--name", "another", "--dry-run"],
        ["add", *site, f"{place.feed}?\x1b[31m::error::x", "--dry-run"],
        ["opml", "import", *site, str(place.opml)],
        ["prune", *site, "--keep-last", "1", "--dry-run"],
        ["doctor", *site],
        ["new", *site, "\x1b[31m\n::error::x\u202e", "-c", "##[error]x"],
        ["explain", *site, "\x1b[31m::error::x.md"],
        ["\x1b[31m::error::x"],
        ["build", "-C", "\x1b[31m\n::error::x"],
    ]


def _assert_no_effects(shown: str) -> None:
    """Assert that a text moves no cursor, rings no bell, and sets no colour, title, link or text direction."""
    match = NEVER.search(shown.replace("\n", "")) or re.search("[\x85\u2028\u2029\r]", shown)
    assert match is None, repr(shown[max(0, match.start() - 80) : match.start() + 40])


def _run(words: list[str], *more: str, env: Mapping[str, str] | None = None) -> Result:
    done = run(*words, *more, env=env)
    assert done.exit_code in (0, 1, 2), (words, done.stderr[-2000:])
    return done


def _takes(words: list[str], option: str) -> bool:
    return not words[0].startswith("\x1b") and (option != "-v" or words[0] != "explain")


@pytest.mark.fault_class("text.terminal")
def test_no_command_prints_terminal_escapes(place: Place, tally: Callable[[int], None]) -> None:
    for words in commands(place):
        done = _run(words, *(["-v"] if _takes(words, "-v") else []))
        _assert_no_effects(done.stdout + done.stderr)
    tally(len(commands(place)) * len(SAMPLE))


@pytest.mark.fault_class("text.terminal")
def test_terminal_output_contains_only_colour_codes(place: Place, tally: Callable[[int], None]) -> None:
    chosen = [words for words in commands(place) if words[0] in ("build", "status", "explain")]
    for words in chosen:
        shown = _on_terminal(words)
        # The line ends of a terminal, and the cleared line of progress.
        _assert_no_effects(RED.sub("", shown).replace("\r\n", "\n").replace("\r", ""))
    tally(len(chosen) * len(SAMPLE))


def _on_terminal(words: list[str]) -> str:
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        command(*words), stdin=theirs, stdout=theirs, stderr=theirs, env=environment({"TERM": "xterm"}), cwd=ROOT
    )
    os.close(theirs)
    shown = b""
    with contextlib.suppress(OSError):  # Linux reports EIO if the other side is closed
        while part := os.read(ours, 65_536):
            shown += part
    os.close(ours)
    process.wait(timeout=60)
    assert shown
    return shown.decode()


@pytest.mark.fault_class("text.json")
def test_json_output_is_one_ascii_object(place: Place, tally: Callable[[int], None]) -> None:
    chosen = [words for words in commands(place) if _takes(words, "--json") and words[0] != "ingest"]
    for words in chosen:
        done = _run(words, "--json", env=ACTIONS)
        assert done.stdout.isascii()
        if done.exit_code != 2:
            assert done.stdout.count("\n") == 1
            assert isinstance(json.loads(done.stdout), dict)
        assert commands_in(done.stdout) == []
        _assert_no_effects(done.stdout + done.stderr)
    tally(len(chosen) * len(SAMPLE))


@pytest.mark.fault_class("text.runner")
def test_runner_obeys_only_feedtool_annotations(place: Place, tmp_path: Path, tally: Callable[[int], None]) -> None:
    chosen = [words for words in commands(place) if "--dry-run" not in words and words[0] not in ("prune", "doctor")]
    for words in chosen:
        env = ACTIONS | {"GITHUB_STEP_SUMMARY": str(tmp_path / "summary"), "GITHUB_OUTPUT": str(tmp_path / "output")}
        done = _run(words, env=env)
        runner_commands = commands_in(done.stdout) + commands_in(done.stderr)
        assert {name for name, _ in runner_commands} <= {"warning", "error"}, words
        if done.exit_code != 2:
            assert all(
                re.match(r" file=[^:]*(,line=\d+)?(,col=\d+)?,title=feedtool FT\d+::", data)
                for _, data in runner_commands
            )
    assert not (tmp_path / "output").exists()
    assert _is_tables((tmp_path / "summary").read_text("utf-8"))
    tally(len(chosen) * len(SAMPLE))


def _is_tables(text: str) -> bool:
    """Return True if Markdown consists only of headings and tables of plain text."""
    kinds = {token.type for token in _tokens(text)}
    return kinds <= {
        "heading_open", "heading_close", "inline", "text", "table_open", "table_close", "thead_open", "thead_close",
        "tbody_open", "tbody_close", "tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close", "text_special",
    }  # fmt: skip


def _tokens(text: str) -> Iterator[Any]:
    for token in MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text):
        yield token
        yield from token.children or ()


@pytest.mark.fault_class("text.markdown")
def test_job_summary_shows_texts_without_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tally: Callable[[int], None]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for start in range(0, len(TEXTS), 90):
        texts = [text for text in TEXTS[start : start + 90] if line(text)]
        file = tmp_path / str(start)
        monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(file))
        problems = [Problem(file=f"articles/{text}", code="FT001", message=text) for text in texts]
        summarize("build", [("a", "b")], problems, "")
        text = file.read_text("utf-8")
        assert _is_tables(text)
        cells = [
            "".join(child.content for child in token.children or ())
            for token in _tokens(text)
            if token.type == "inline"
        ]
        for one in texts:
            shown = plain(one).strip()
            shown = shown if len(shown) <= 400 else plain(one)[:399] + "…"
            assert shown.replace("@", "@\u2060").strip() in cells, one
    tally(len(TEXTS) * 2)


@pytest.mark.fault_class("text.runner")
def test_action_outputs_set_no_other_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tally: Callable[[int], None]
) -> None:
    outputs = importlib.util.spec_from_file_location("run", ROOT / ".github/actions/feedtool/run.py")
    assert outputs is not None
    assert outputs.loader is not None
    action = importlib.util.module_from_spec(outputs)
    outputs.loader.exec_module(action)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    texts = [text for text in TEXTS if "\r" not in text and "\0" not in text and "\ud800" not in text]
    for number, text in enumerate(texts):
        file = tmp_path / str(number)
        monkeypatch.setenv("GITHUB_OUTPUT", str(file))
        action.write_outputs({"folder": text, "articles": 1})
        assert _outputs(file.read_bytes().decode()) == {"folder": text, "articles": "1"}
    shown = capfd.readouterr().out
    _assert_no_effects(shown)
    assert commands_in(shown) == []
    tally(len(texts))


@pytest.mark.fault_class("text.terminal")
def test_traceback_contains_no_control_characters(tmp_path: Path, tally: Callable[[int], None]) -> None:
    text = "".join(sorted({*TERMINAL, *DIRECTIONS, *RUNNER}))
    write(tmp_path / "broken/nh3.py", f"raise RuntimeError({text!r})\n")
    site = make_site(tmp_path / "site", {"a.md": "---\ntitle: A\ndate: 2022-07-25\n---\ntext\n"})
    path = os.pathsep.join([str(tmp_path / "broken"), environment()["PYTHONPATH"]])
    done = run("build", "-C", str(site), env=ACTIONS | {"PYTHONPATH": path})
    assert done.exit_code == 70
    assert "RuntimeError: " in done.stderr
    _assert_no_effects(done.stdout + done.stderr)
    assert commands_in(done.stderr) == []
    tally(len(text))
