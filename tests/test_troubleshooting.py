"""The troubleshooting page: every code that the source names has a text, and each example is what feedtool prints."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from feedtool.problems import page, problem_codes
from tests.server import Server, redirect, sequence, serve, status
from tests.server import page as page_of
from tests.site import ROOT, article, build, command, environment, make_site, run, write

PAGE = ROOT / ".github/TROUBLESHOOTING.md"
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
OTHERS: dict[str, Callable[[Path, Server], tuple[str, ...]]] = {}
# A parser that dies or hangs, a disk that is full, and a resolver that knows a host not to be there can't be had to order;
# other tests see to them.
UNTRIED = {"FT304", "FT307", "FT408"}


def case(code: str) -> Callable[[Callable[[Path, Server], tuple[str, ...]]], None]:
    """Register what leads to a code; it returns the words of the command that prints it."""

    def register(function: Callable[[Path, Server], tuple[str, ...]]) -> None:
        OTHERS[code] = function

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


@case("FT305")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    item = "<item><title>Story {0}</title><guid>{0}</guid></item>"
    items = ["".join(item.format(n) for n in range(count)) for count in (1, 2, 3)]
    rss = '<rss version="2.0"><channel><title>Wire</title>{}</channel></rss>'
    server.set("/new.xml", sequence(*(page_of(rss.format(each)) for each in items)))
    server.set("/old.xml", redirect("/new.xml", 301))
    words = _source(folder, server, "/old.xml")
    for _ in range(2):
        run(*words, "-C", str(folder), "--force")
    return (*words, "--force")


@case("FT306")
def _(folder: Path, server: Server) -> tuple[str, ...]:
    return _source(folder, server, "/feed", 'headers = { Authorization = "Bearer ${FEED_TOKEN}" }\n')


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


def test_every_code_that_the_source_names_has_a_text_and_no_other() -> None:
    sources = [path for path in (ROOT / "feedtool").rglob("*") if path.suffix in (".py", ".html", ".toml")]
    named = {code for path in sources for code in CODE.findall(path.read_text(encoding="utf-8"))}
    assert named == {one.code for one in problem_codes()}


def test_every_text_says_what_why_and_how_to_mend_it_and_shows_an_example() -> None:
    for one in problem_codes():
        assert re.search(r"^\*\*Why\.\*\* ", one.text, re.MULTILINE), one.code
        assert re.search(r"^\*\*Mend it\.\*\* ", one.text, re.MULTILINE), one.code
        assert one.example.endswith(f"[{one.code}]"), one.code
        assert len(one.title) <= 60
        assert set(CODE.findall(one.text)) <= {other.code for other in problem_codes()}


def test_the_page_on_github_is_the_same_text(accept: bool) -> None:
    if accept:
        PAGE.write_text(page(), encoding="utf-8")
    assert PAGE.read_text(encoding="utf-8") == page(), (
        "write it anew: python -m pytest --accept tests/test_troubleshooting.py"
    )


def test_every_code_is_tried_or_can_not_be() -> None:
    assert {*ARTICLES, *OTHERS, *UNTRIED} == {one.code for one in problem_codes()}


@pytest.mark.parametrize("code", [*ARTICLES, *OTHERS])
def test_every_example_is_what_is_printed(code: str, tmp_path: Path) -> None:
    with serve() as server:
        if code in ARTICLES:
            make_site(tmp_path, ARTICLES[code])
            words: tuple[str, ...] = ("check",)
        else:
            words = OTHERS[code](tmp_path, server)
        printed = run(*words, cwd=tmp_path).stderr.replace(f":{server.port}", "")
    example = next(one.example for one in problem_codes() if one.code == code)
    assert example in printed.splitlines()


def test_a_code_is_explained_in_either_case_and_a_group_is_listed() -> None:
    one = run("explain", "ft011")
    assert one.exit_code == 0
    assert one.stdout.startswith("FT011: A date that can't be read\n\nA value of a date is none")
    listed = run("explain", "FT").stdout.splitlines()
    assert [line.split()[0] for line in listed] == [each.code for each in problem_codes()]
    assert run("explain", "FT4", "--json").json["codes"][0]["code"] == "FT401"


@pytest.mark.parametrize(("code", "near"), [("FT499", "near it are FT401, FT402"), ("FT999", "`feedtool explain FT`")])
def test_an_unknown_code_leads_to_those_there_are(code: str, near: str) -> None:
    result = run("explain", code)
    assert result.exit_code == 2
    assert f"there is no problem code {code}" in result.stderr
    assert near in result.stderr


def test_a_terminal_is_told_once_how_to_learn_more_and_a_file_is_not(tmp_path: Path) -> None:
    site = make_site(tmp_path, {"a.md": "", "b.md": ""})
    leader, follower = os.openpty()
    done = subprocess.run(
        command("check", "-C", str(site)), stdout=subprocess.DEVNULL, stderr=follower, env=environment(), check=False
    )
    os.close(follower)
    shown = os.read(leader, 100_000).decode()
    os.close(leader)
    assert done.returncode == 1
    assert shown.count("`feedtool explain FT002` says more of a code") == 1
    assert "feedtool explain" not in run("check", "-C", str(site)).stderr
