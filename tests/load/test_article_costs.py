"""Test that no article costs much more to build than ordinary text of the same size.

One character or pattern is repeated as a whole file, as the value of a key and as a body. By default the most expensive
patterns are tried; under FEEDTOOL_FULL=1 all of them, with files of 16 MB.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.reliability.results import FULL, trials
from tests.support.site import command, environment, make_site

HEAD = "title: T\ndate: 2024-02-03T04:05:06Z\n"
WORDS = "Some ordinary words of text, which go on and on. "
SIGNS = (
    *map(chr, range(33, 127)),
    *("é", "中", "😀", "\u0301", "\u200b", "\u2028", "\x00", "\x85", "\ufeff", " ", "\t", "\n", "\r", "\r\n"),
)
FRONT = (
    "---\n", "+++\n", ";;;\n", "--- ", "- ", "a: ", "a: b\n", "title: a\n", "&a: *a\n", "? ", "!!a ", "%a\n", "x: |\n ",
    "{[", '{"a":', '["', "a.b.", "a = 1\n", "a = {", "'a", '"a', "[a, ", "{a: ", "0123456789", "[[", "]]", "\\", "\\\n",
    "\n ", "\n- ", "#!", "2024-",
)  # fmt: skip
MARKDOWN = (
    "> ", "* ", "1. ", "+ ", "# ", "\n>", "- a\n  ", "\t- ", "    a\n\n", "* * *\n", "a\n===\n", "a\n---\n", "```", "```\n",
    "~~~\n", "`a", "` ", "`` ` ", "a``", "[a](", "![](", "![a](b) ", "[a](b) ", "[a][b] ", "[a]: b\n", "[^a]: b\n", "[^a] ",
    "[x] ", "- [ ] ", "![a]", "[a](<", '[a](b "', "a](b", "| a ", "| a |\n|---|\n", "a|b\n-|-\n|||||\n", "\\|", "**a",
    "_a_ ", "*a ", "_a ", "**a_b ", "*a_", "_*", "***", "~~a", "$$", "http://a.b ", "<http://a> ", "a@b.c ", " \n", "\n\n",
    "a\u0301",
)  # fmt: skip
HTML = (
    "<a ", "<b>", "<b", "<a b=", "<div>", "<div>\n\n", "</div>", "<p>", "<!--", "<!-- -->", "<!--more-->", "<!-- more",
    "<![CDATA[", "<?", "<!A ", "<!", "</", "x<", "<x ", "<x y='", '<x y="', "&amp;", "&#1;", "&a", "&lt;", "<style>",
    "<script>", "<table><td>", "<a><b>", "<b><i>", "<select>", "<svg>", "<math>", "<template>", "<noscript>", "<img src=a ",
    "<img data-src=a>", "<pre>", "<code>",
)  # fmt: skip
TAGS = (
    "{{<", "{{% a %}}", "{{% encrypt %}}", "{{% /encrypt %}}", "{{< encrypt ", "{% comment %}", "{% endcomment %}",
    "{% raw %}", "%%", "%% ", "%%\n", "[secret]", "[/secret]", "{{/*", "*/}}", "{#", "#}", "{/*", "{::comment}",
    "<Encrypt>", "{% secret %}", "{%",
)  # fmt: skip
PATTERNS = (*SIGNS, *FRONT, *MARKDOWN, *HTML, *TAGS)
WORST = {
    "whole.md": ("-", "+", ";", "\n", " ", "\ufeff", "\r", "{", "a: b\n"),
    "value.md": ("-", "[", "a: b\n"),
    "front.md": ("a: b\n", "[", "{a: ", "- "),
    "front-toml.md": ("[", "a.b.", "0123456789"),
    "front-json.md": ("[", "0123456789"),
    "body.md": (
        ">",
        "1. ",
        "&",
        "<",
        "[",
        "[^a]: b\n",
        "a|b\n-|-\n|||||\n",
        "\n- ",
        "{{/*",
        "%%\n",
        "{% secret %}",
        "<div>\n\n",
    ),
    "body.html": ("<", "&a", "<!-- -->", "<div>", "<b><i>", "{{<"),
    "2024-02-03-untitled.md": (">", "# ", "```\n"),
    "large.md": (">", "&", "[a](b) ", "{{% encrypt %}}"),
    "large.html": ("<", "<b>", "&amp;", "<!--", "\x00"),
    "large.txt": ("\n", "a\n\n"),
}
"""The most expensive patterns of each form, which everyday runs try."""
SMALL, LARGE = 900_000, trials(4_000_000, 16_000_000)
"""Sizes in bytes: one that is still parsed, and one that is too large for that."""
VALUE = 60_000
"""The size in bytes of front matter that is still read."""
TIMES = 5
MEMORY_TIMES, MEMORY_MORE = 8, 50_000_000


class Cost(NamedTuple):
    """The processor seconds and bytes of memory of a build."""

    seconds: float
    memory: int


def repeated(pattern: str, size: int) -> str:
    """Return a pattern repeated up to `size` bytes."""
    return pattern * (size // len(pattern.encode("utf-8", "surrogatepass")))


def files_of(pattern: str) -> Iterator[tuple[str, str]]:
    """Yield the names and texts of all forms of an article with a pattern."""
    large, small, value = repeated(pattern, LARGE), repeated(pattern, SMALL), repeated(pattern, VALUE)
    yield "whole.md", large
    yield "whole.html", large
    yield "value.md", f"---\n{HEAD}x: {large}\n---\nText.\n"
    yield "open.md", f"---\n{HEAD}{large}"
    yield "front.md", f"---\n{HEAD}x: {value}\n---\nText.\n"
    yield "title.md", f"---\n{HEAD}summary: '{value}'\n---\nText.\n"
    yield "front-toml.md", f"+++\ntitle = 'T'\ndate = 2024-02-03\nx = {value}\n+++\nText.\n"
    yield "front-json.md", f'{{"title": "T", "date": "2024-02-03", "x": {value}}}\nText.\n'
    yield "2024-02-03-untitled.md", small
    yield "body.md", f"---\n{HEAD}---\n{small}"
    yield "body.html", f"---\n{HEAD}---\n{small}"
    yield "body.txt", f"---\n{HEAD}---\n{small}"
    yield "large.md", f"---\n{HEAD}---\n{large}"
    yield "large.html", f"---\n{HEAD}---\n{large}"
    yield "large.txt", f"---\n{HEAD}---\n{large}"


def cost_of(folder: Path, name: str, text: str) -> Cost:
    """Build a site of a good article and this one in one process, and return the cost.

    The good article must be published.
    """
    good = f"---\n{HEAD}id: good\n---\nGood words.\n"
    site = make_site(folder, {"good.md": good, name: text.encode("utf-8", "surrogatepass")})
    # The memory figure is that of the largest child, and a child starts as a copy of its parent: the parent must be small.
    words = [sys.executable, "-S", "-c", LAUNCHER, *command("build", "-C", str(site), "-j", "1", "--json")]
    done = subprocess.run(words, capture_output=True, env=environment(), timeout=900, check=False)
    code, seconds, memory = done.stderr.decode().splitlines()[-1].split()
    assert code in "01", (name, text[:100], done.stderr[-2000:])
    assert b"Traceback" not in done.stderr
    assert "Good words." in (site / "public/feed.json").read_text("utf-8")
    shutil.rmtree(site)
    return Cost(float(seconds), int(memory) * 1024)


LAUNCHER = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:], stdout=subprocess.DEVNULL)
took = resource.getrusage(resource.RUSAGE_CHILDREN)
print(code, took.ru_utime + took.ru_stime, took.ru_maxrss, file=sys.stderr)
"""
FORMS = tuple(name for name, _ in files_of(WORDS))


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no resource usage of children")
@pytest.mark.parametrize("form", FORMS if FULL else WORST)
def test_no_article_costs_much_more_than_ordinary_text(form: str, tmp_path: Path) -> None:
    plain = dict(files_of(WORDS))[form]
    usual = cost_of(tmp_path / "usual", form, plain)
    most = usual.memory + MEMORY_TIMES * len(plain.encode()) + MEMORY_MORE
    too_expensive = {}
    for pattern in PATTERNS if FULL else WORST[form]:
        cost = cost_of(tmp_path / "site", form, dict(files_of(pattern))[form])
        seconds = usual.seconds
        if cost.seconds > TIMES * seconds:
            # Processor time depends on what else the machine does, so both are measured again, one after the other.
            seconds = cost_of(tmp_path / "usual", form, plain).seconds
            cost = cost_of(tmp_path / "site", form, dict(files_of(pattern))[form])
        if cost.seconds > TIMES * seconds or cost.memory > most:
            too_expensive[pattern] = cost
    assert too_expensive == {}, (usual, most)
