"""Texts with a meaning in another language: YAML, TOML, JSON, XML, Markdown, shells, terminals, runners of GitHub."""

from __future__ import annotations

import re
from unicodedata import normalize

YAML = (
    "---", "...", "a\n---\nb: c", "\n---\n", "a\n...\nb", "!!python/object/apply:os.system ['id']", "!!int x", "!x y",
    "&a *a", "*a", "&a b", "# x", "x # y", "- a", "? a", ": a", "a: b", "a:", "{a: b}", "[a, b]", "{", "}", "[", "]", ",",
    "@x", "`x`", "%YAML 1.2", "%TAG ! x", "| a", "> a", "'", '"', "''", '""', "it's \"both\"", "\\", "\\n", "\\x41", "\\'",
    "null", "~", "yes", "No", "on", "true", "0123", "0x1F", "1e3", "1_000", ".inf", "-.inf", ".nan", "2022-12-25", "12:30",
    "1:30:00", "<<: *a", "<<", "=", "title: other", "x\ntitle: other\ndraft: true", "'\ntitle: other\nx: '",
    '"\ntitle: other\nx: "', "a  b", "a\n\n\nb", "a\n  b", "a: |\n  b", "key: 'value", "feedtool: 1 AAAA x", "…", "+++", ";;;",
)  # fmt: skip
CONTROLS = (
    "a\tb", "\ta", "a\rb", "a\r\nb", "a\x85b", "a\u2028b", "a\u2029b", "a\x00b", "a\x07b", "a\x08b", "a\x0bb", "a\x0cb", "a\x1bb",
    "a\x1cb", "a\x1eb", "a\x1fb", "a\x7fb", "a\x9bb", "\ufeffa", "a\ufeffb", "a\ufffeb", "a\uffffb", "a\U0001fffeb", "a\xadb",
    "a\u200bb", "a\u200db", "a\u2060b", "a\u3000b", "a\xa0b", "a\U000e0041b", "a\u0301b", "\u0301a", "\u200fa",
)  # fmt: skip
TERMINAL = (
    "\x1b[31mred\x1b[0m", "\x1b[2J\x1b[H", "\x1b]0;title\x07", "\x1b]8;;https://evil.test/\x07link\x1b]8;;\x07",
    "\x1b]52;c;ZXZpbA==\x07", "\x1bP1$r0m\x1b\\", "\x1b_Gx\x1b\\", "\x1b[6n", "\x1b[c", "\x1bc", "\x1b[?1049h", "\x9b31mred",
    "\x9d52;c;ZXZpbA==\x9c", "\x90x\x9c", "good\rbad!", "good\x08\x08\x08\x08bad", "a\x0eb\x0fc", "\x1b[8mhidden\x1b[28m",
)  # fmt: skip
DIRECTIONS = (
    "\u202emoc.doog\u202c", "\u202egpj.exe", "\u202dabc", "\u202babc", "\u2066abc", "\u2067abc\u2069", "\u2068abc",
    "abc\u2069\u2069",
    "a\u202eb\u2066c", "\u05d0\u05d1\u05d2 \u202eabc", "/*\u202e } \u2066if (admin)\u2069 \u2066 begin */",
)  # fmt: skip
RUNNER = (
    "::error::forged", "::error file=a,line=1::forged", "a\n::error::forged", "\r::error::forged", "::add-mask::the",
    "::stop-commands::x", "::set-output name=a::b", "::set-env name=PATH::x", "::group::x", "::debug::x", "::notice::x",
    "##[error]forged", "##[add-mask]the", "x ##[group]y", "##vso[task.setvariable variable=a]b", "%0A::error::forged",
    "%250A::error::forged", "a%0D%0A::error::forged", "a::b", "x\u2028::error::forged", "folder=evil", "a\nfolder=evil",
    "folder<<EOF\nevil\nEOF", "EOF",
)  # fmt: skip
MARKDOWN = (
    "| a | b |", "a|b", "\\|a", "`a`", "``a", "<b>b</b>", "<img src=https://evil.test/x.png>", "<script>1</script>", "<!-- a",
    "[a](https://evil.test/)", "![a](https://evil.test/x.png)", "[a]: https://evil.test/", "[a][b]", "<https://evil.test/>",
    "https://evil.test/", "www.evil.test", "me@evil.test", "@everyone", "@octocat @octo/team", "#1", "octo/repo#1", "GH-1",
    "**a**", "_a_", "~~a~~", "# a", "> a", "- a", "1. a", "```", "    a", "$a$", "$$a$$", ":smile:", "&lt;b&gt;", "&#60;b&#62;",
    "&amp;lt;", "[^1]", "[!NOTE]", "---|---", "</table>", "<details><summary>a</summary>",
)  # fmt: skip
OTHERS = (
    "{{ 7*7 }}", "{% raw %}", "{% include x %}", "{# a #}", "<% x %>", "${7*7}", "#{7*7}", "{{constructor.constructor('x')()}}",
    "%s %d %n", "{0} {a.__class__}", "$(id)", "`id`", "; id", "&& id", "| id", "-rf", "--help", "-C/tmp", "~/x", "$HOME", "*", "?",
    "../../x", "/etc/passwd", ".git", ".git/hooks/x", "CON", "a/b", "a\\b", "C:\\x", "=cmd|' /C calc'!A0", "+1+1", "@SUM(1)",
    "]]>", "<![CDATA[", "<?xml?>", "<!DOCTYPE a [", "&a;", "&#0;", "&#10;", "&#x202e;", "]]]", "]]", '"""', "'''",
    'a"\n[ingest]\nallow_private_hosts = ["*"]', "a\"]\nname = \"b", "\\u0041", "\\U0001F600", '{"kind": "source"}',
    '\u2028{"kind": "tombstone", "key": "x"}\u2028', "\x00", "undefined", "NaN", "Robert'); DROP TABLE heads;--", "a,b\tc;d",
)  # fmt: skip
LONG = ("x" * 10_000, "長" * 4_000, "a " * 5_000, "&amp;" * 2_000, "'" * 3_000, "\u0301" * 2_000, "\u202e" * 300)
TEXTS = tuple(dict.fromkeys((*YAML, *CONTROLS, *TERMINAL, *DIRECTIONS, *RUNNER, *MARKDOWN, *OTHERS, *LONG)))

TURNING = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
NEVER = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufdd0-\ufdef\ufffe\uffff\U0001fffe\ufeff{TURNING}]")
_DIVIDERS = re.compile("[\x0b\x0c\x1c-\x1f\x85]")
_SPACES = re.compile("[ \t\n\r\xa0\u2028\u2029\u3000]+")


def same(result: str, text: str, *, limit: int = 10_000) -> bool:
    """Return True if `result` is what must remain of a text.

    A separator or U+0085, which some programs treat as white space, may become a space or nothing.
    """
    forms = {line(text), line(_DIVIDERS.sub(" ", text))}
    return normalize("NFC", result) in {normalize("NFC", form[:limit].strip()) for form in forms}


def line(text: str) -> str:
    """Return the promised form of a title or a name: one line without control or direction characters."""
    return _SPACES.sub(" ", NEVER.sub("", text)).strip()
