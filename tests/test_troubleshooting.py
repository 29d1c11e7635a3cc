"""Test the registry of problem codes: each code is registered, used, explained, and provoked as in its example."""

from __future__ import annotations

import ast
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from feedtool.problems import CODES, explanations, page, sections
from tests.support.server import Server, redirect, sequence, serve, status
from tests.support.server import page as page_of
from tests.support.site import ROOT, article, build, command, environment, make_site, run, write

PAGE = ROOT / ".github/docs/problems.md"
SECTIONS = ROOT / "feedtool/data/troubleshooting.md"
CODE = re.compile(r"\bFT\d{3}\b")
DATED = "date: 2022-07-25T20:11:30+08:00\n"

Files = dict[str, str | bytes]
ARTICLES: dict[str, Files] = {
    "FT001": {"a.md": b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"},
    "FT002": {"a.md": ""},
    "FT003": {"2022-07-25-a.md": f"---\ntitle: 新闻\n{DATED}---\n中文内容，足够长的一段文字。\n".encode("gb18030")},
    "FT004": {"2022-07-25-a.md": "Only a text.\n"},
    "FT005": {"a.md": f"---\ntitle: A\n{DATED}\nText.\n"},
    "FT006": {"a.md": f"+++\ntitle = A\n+++\n{DATED}"},
    "FT007": {"a.md": f"---\ntitle: 'It's late'\n{DATED}---\nText.\n"},
    "FT008": {"a.md": f"---\ntitle: A\ntitle: B\n{DATED}---\nText.\n"},
    "FT009": {"a.md": f"---\ncategories: {'[' * 40}A{']' * 40}\n{DATED}---\nText.\n"},
    "FT010": {"a.md": "---\ntitle: A\n---\nText.\n"},
    "FT011": {"a.md": "---\ntitle: A\ndate: 2022-13-45\n---\nText.\n"},
    "FT014": {"a.md": article("A", front="guid: one\n"), "b.md": article("B", front="guid: one\n")},
    "FT015": {"a.md": article("A", body="<div>" * 600 + "Text")},
    "FT017": {"a.md": article("A", front="link: www.example.org/a\n")},
    "FT018": {"a.md": article("A", front=f"tags: [{', '.join(f't{n}' for n in range(120))}]\n")},
    "FT019": {"a.md": article("A", front="lang: English (UK)\n")},
    "FT020": {"a.md": article("A", front="enclosure:\n  url: episode one\n  type: audio/mpeg\n")},
    "FT024": {"a.md": article("A", front="password: secret\n")},
    "FT021": {"a.md": article("A", front="thumbnail: https://picsum.photos/400/300?random=81\n")},
}
CASES: dict[str, Callable[[Path, Server], tuple[str, ...]]] = {}
# Faults of the machine, as Python code that runs in the process before feedtool.
FAULTS = {
    "FT304": """
import os, signal
from feedtool.feedparse import worker
def parse_and_clean(job):
    os.kill(os.getpid(), signal.SIGXCPU)  # what the kernel does at the limit
parse_and_clean.__module__ = worker.__name__
worker.parse_and_clean = parse_and_clean
""",
    "FT307": """
from feedtool import storage
def write(*args, **options):
    raise OSError(28, "No space left on device")
storage.write = write
""",
    "FT408": """
import socket
def getaddrinfo(*args, **options):
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
socket.getaddrinfo = getaddrinfo
""",
}


def case(code: str) -> Callable[[Callable[[Path, Server], tuple[str, ...]]], None]:
    """Register a function that makes a site and returns the command that reports the code."""

    def register(function: Callable[[Path, Server], tuple[str, ...]]) -> None:
        CASES[code] = function

    return register


@case("FT022")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    make_site(folder, {"a.md": article("A")})
    (folder / "articles/b.md").symlink_to("/etc/hostname")
    return ("check",)


@case("FT023")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    make_site(folder, {"b.md": article("B")})
    write(folder / "c.md", article("A"))
    (folder / "articles/a.md").symlink_to(folder / "articles/b.md")
    return ("check", "--fix")


@case("FT027")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    make_site(folder, {"a.md": article("A", body='{{% encrypt "x" %}}\nText.\n{{% /encrypt %}}\n')})
    return ("check",)


@case("FT101")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    make_site(folder, {"a.md": article("A")}, '[site]\ntitle = "A"\n')
    return ("check",)


@case("FT102")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    make_site(folder, {"a.md": article("A")}, '[categories."金溶"]\nslug = "finance"\n')
    return ("check",)


@case("FT103")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    make_site(folder, {"a.md": "Title: A\nDate: 2022-07-25\nStatus: published\n\nText\n"})
    write(folder / "pelicanconf.py", "DEFAULT_METADATA = {'status': choose()}\n")
    return ("check",)


RSS = '<rss version="2.0"><channel><title>Wire</title>{}</channel></rss>'


def _source(folder: Path, server: Server, path: str, more: str = "") -> tuple[str, ...]:
    allow = '[ingest]\nallow_private_hosts = ["127.0.0.1"]\ntimeout = 5\n'
    url = server.url(path) if path.startswith("/") else path
    make_site(folder, {}, f'{allow}[[sources]]\nname = "Wire"\nurl = "{url}"\n{more}')
    return ("ingest",)


@case("FT301")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    server.set("/missing", status(404))
    return _source(folder, server, "/missing")


@case("FT302")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    server.set("/gone", status(410))
    return _source(folder, server, "/gone")


@case("FT303")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    server.set("/page", "<!doctype html><title>News</title><p>Read our news.</p>", type="text/html")
    return _source(folder, server, "/page")


@case("FT304")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    server.set("/feed", RSS.format("<item><title>A</title><guid>a</guid></item>"))
    return _source(folder, server, "/feed")


@case("FT305")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    item = "<item><title>Story {0}</title><guid>{0}</guid></item>"
    items = ["".join(item.format(n) for n in range(count)) for count in (1, 2, 3)]
    server.set("/new.xml", sequence(*(page_of(RSS.format(each)) for each in items)))
    server.set("/old.xml", redirect("/new.xml", 301))
    words = _source(folder, server, "/old.xml")
    for _ in range(2):
        run(*words, "-C", str(folder), "--force")
    return (*words, "--force")


@case("FT306")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    return _source(folder, server, "/feed", 'headers = { Authorization = "Bearer ${FEED_TOKEN}" }\n')


@case("FT307")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    server.set("/feed", RSS.format("<item><title>Good news</title><guid>a</guid></item>"))
    return _source(folder, server, "/feed")


@case("FT308")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    return _source(folder, server, "feeds/wire.xml")


@case("FT309")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    item = f"<item><title>A</title><link>{server.url('/missing')}</link><description>Text.</description></item>"
    server.set("/teasers", page_of(f"<rss version='2.0'><channel><title>W</title>{item}</channel></rss>"))
    return _source(folder, server, "/teasers", "full_text = true\n")


@case("FT310")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    torn = "---\ntitle: A\n<<<<<<< HEAD\nguid: one\n=======\nguid: two\n>>>>>>> other\n---\nText.\n"
    make_site(folder, {"a.md": torn})
    write(folder / "wire.xml", "<rss version='2.0'><channel><title>W</title></channel></rss>")
    return ("ingest", str(folder / "wire.xml"))


def _published(folder: Path, before: Files, after: Files, settings: str = "", later: str = "") -> tuple[str, ...]:
    make_site(folder, before, settings)
    assert build(folder).exit_code == 0
    shutil.copytree(folder / "public", folder / "published")
    shutil.rmtree(folder / "articles")
    make_site(folder, after, later or settings)
    assert build(folder).exit_code == 0
    return ("check", "--against", str(folder / "published"))


TWO: Files = {"a.md": article("Good news"), "b.md": article("B", date="2021-01-01")}


@case("FT401")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    return _published(folder, TWO, {**TWO, "a.md": article("Good news", front="guid: urn:example:a\n")})


@case("FT402")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    return _published(folder, TWO, {"b.md": TWO["b.md"]})


@case("FT403")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    front = "guid: tag:example.org,2022-07-25:a\n"
    return _published(folder, TWO, {**TWO, "a.md": article("Good news", date="2022-07-26T09:00:00+08:00", front=front)})


@case("FT404")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    before = {"a.md": article("A", front="category: News\n")}
    return _published(folder, before, {"a.md": article("A", front="category: Noticias\n")})


@case("FT405")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    make_site(folder, TWO, '[ingest]\nallow_private_hosts = ["127.0.0.1"]\n')
    assert build(folder).exit_code == 0
    server.set("/site/", status(403))
    return ("check", "--against", server.url("/site/"))


@case("FT406")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    before = {f"{n}.md": article(f"{n}", date=f"2022-01-{n:02}") for n in range(1, 13)}
    after = {f"{n}.md": article(f"{n}", date=f"2022-01-{n:02}", front="updated: 2023-01-01\n") for n in range(1, 13)}
    return _published(folder, before, after)


@case("FT407")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    make_site(folder, TWO)
    assert build(folder).exit_code == 0
    text = (folder / "public/atom.xml").read_text("utf-8")
    write(folder / "published/atom.xml", text[: text.rindex("</feed>")].rstrip())
    return ("check", "--against", str(folder / "published"))


@case("FT408")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    make_site(folder, TWO)
    assert build(folder).exit_code == 0
    return ("check", "--against", "https://new.example/")


# --- The registry ----------------------------------------------------------------------------------------------------

SOURCES = sorted(path for path in (ROOT / "feedtool").rglob("*.py") if path.name != "problems.py")


def literals(source: str) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of every string in Python source that is a code or the beginning of one."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"FT\d{0,3}", node.value):
            yield node.lineno, node.value


def severities(source: str) -> Iterator[tuple[int, str, str]]:
    """Yield the line, the code and the severity of every call that names both."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            arguments = [*node.args, *(keyword.value for keyword in node.keywords)]
            texts = [each.value for each in arguments if isinstance(each, ast.Constant) and isinstance(each.value, str)]
            codes = [text for text in texts if CODE.fullmatch(text)]
            for severity in ("error", "warning"):
                if severity in texts:
                    yield from ((node.lineno, code, severity) for code in codes)


def test_code_literals_are_found_wherever_they_are() -> None:
    source = 'x = {"FT001"}\ny = f(\n  code="FT999") if z == "FT002" else ("", f"FT{number}")\n'
    assert sorted(literals(source)) == [(1, "FT001"), (3, "FT"), (3, "FT002"), (3, "FT999")]
    assert list(severities('f("FT001", a, severity="warning")')) == [(1, "FT001", "warning")]


def test_every_code_in_use_is_registered() -> None:
    used = {path: list(literals(path.read_text(encoding="utf-8"))) for path in SOURCES}
    unknown = [f"{path}:{line}: {code}" for path, rows in used.items() for line, code in rows if code not in CODES]
    assert not unknown, "register these codes in feedtool/problems.py, and write each as one literal"
    assert {code for rows in used.values() for _, code in rows} == set(CODES)


def test_other_files_mention_only_registered_codes() -> None:
    texts = [path for path in (ROOT / "feedtool").rglob("*") if path.suffix in (".py", ".html", ".toml", ".md", ".yml")]
    assert {code for path in texts for code in CODE.findall(path.read_text(encoding="utf-8"))} == set(CODES)


def test_no_call_contradicts_the_registered_severity() -> None:
    rows = [(path.name, *row) for path in SOURCES for row in severities(path.read_text(encoding="utf-8"))]
    assert len(rows) > 10
    assert [row for row in rows if CODES[row[2]].severity not in (None, row[3])] == []


def test_every_code_has_a_section_with_its_title() -> None:
    assert [(code, title) for code, (title, _) in sections().items()] == [
        (code, entry.title) for code, entry in CODES.items()
    ]
    assert list(CODES) == sorted(CODES)
    assert all(len(entry.title) <= 60 for entry in CODES.values())


@pytest.mark.parametrize("code", CODES)
def test_every_explanation_has_all_parts(code: str) -> None:
    (one,) = explanations(code)
    assert one.text == (
        f"{one.meaning}\n\n**Why it matters.** {one.why}\n\n**How to fix it.** {one.fix}\n\n    {one.example}"
    )
    assert all(part.endswith(".") and len(part) > 10 for part in (one.meaning, one.why, one.fix))
    assert CODE.findall(one.example) == [code]


def test_every_code_has_a_case_that_provokes_it() -> None:
    assert {*ARTICLES, *CASES} == set(CODES)
    assert set(FAULTS) <= set(CASES)


@pytest.mark.parametrize("code", CODES)
def test_every_code_is_provoked_as_in_its_example(code: str, tmp_path: Path, accept: bool) -> None:
    with serve() as server:
        if code in ARTICLES:
            make_site(tmp_path, ARTICLES[code])
            words: tuple[str, ...] = ("check",)
        else:
            words = CASES[code](tmp_path, server)
        printed = _stderr(code, words, tmp_path).replace(f":{server.port}", "").splitlines()
    (one,) = explanations(code)
    lines = [line for line in printed if line.endswith(f" [{code}]")]
    assert lines, printed
    if accept and one.example not in lines:
        text = SECTIONS.read_text(encoding="utf-8")
        SECTIONS.write_text(text.replace(f"    {one.example}\n", f"    {lines[0]}\n"), encoding="utf-8")
        sections.cache_clear()
        (one,) = explanations(code)
    assert one.example in lines
    severity = re.search(r": (error|warning): ", one.example)
    assert severity is not None
    assert CODES[code].severity in (None, severity[1])


def _stderr(code: str, words: tuple[str, ...], folder: Path) -> str:
    if code not in FAULTS:
        return run(*words, cwd=folder).stderr
    program = f"{FAULTS[code]}\nfrom feedtool.__main__ import main\nmain()\n"
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        capture_output=True,
        env=environment(),
        cwd=folder,
        timeout=120,
        check=False,
    )
    return done.stderr.decode()


def test_github_page_has_the_same_text(accept: bool) -> None:
    if accept:
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "update it with: python -m pytest --accept tests/test_troubleshooting.py"
    )


def test_the_page_lists_every_code() -> None:
    assert re.findall(r"^- \[(FT\d{3})\]", page(), re.MULTILINE) == list(CODES)


def test_build_does_not_load_the_registry(tmp_path: Path) -> None:
    site = make_site(tmp_path, {"a.md": article("A")})
    program = f"""
import sys
import feedtool.problems
assert "importlib.resources" not in sys.modules
assert feedtool.problems.sections.cache_info().currsize == 0
del sys.modules["feedtool.problems"]
from feedtool.cli.main import run
assert run(["build", "-q", "-C", {str(site)!r}]) == 0
assert "feedtool.problems" not in sys.modules
"""
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, env=environment(), check=False
    )
    assert done.returncode == 0, done.stderr


def test_explain_lists_codes_and_groups() -> None:
    one = run("explain", "ft011")
    assert one.exit_code == 0
    assert one.stdout.startswith("FT011: A date that cannot be read\n\nA value is not a date")
    listed = run("explain", "FT").stdout.splitlines()
    assert [line.split()[0] for line in listed] == list(CODES)
    assert run("explain", "FT4", "--json").json["codes"][0]["code"] == "FT401"


@pytest.mark.parametrize(
    ("code", "near"), [("FT499", "similar codes are FT401, FT402"), ("FT999", "`feedtool explain FT`")]
)
def test_unknown_code_suggests_similar_ones(code: str, near: str) -> None:
    result = run("explain", code)
    assert result.exit_code == 2
    assert f"there is no problem code {code}" in result.stderr
    assert near in result.stderr


def test_terminal_hint_is_shown_once(tmp_path: Path) -> None:
    site = make_site(tmp_path, {"a.md": "", "b.md": ""})
    leader, follower = os.openpty()
    done = subprocess.run(
        command("check", "-C", str(site)), stdout=subprocess.DEVNULL, stderr=follower, env=environment(), check=False
    )
    os.close(follower)
    screen = os.read(leader, 100_000).decode()
    os.close(leader)
    assert done.returncode == 1
    assert screen.count("run `feedtool explain FT002` for more about a code") == 1
    assert "feedtool explain" not in run("check", "-C", str(site)).stderr
