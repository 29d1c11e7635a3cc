"""The targets of the fuzzer: for each name a property, seed files, and words for mutations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fuzz import laws_of_files as files
from tests.fuzz import laws_of_remote_data as remote
from tests.fuzz import seeds

TESTS = Path(__file__).resolve().parent.parent
FINDINGS = Path(__file__).with_name("findings")
LONGEST = 20_000
"""The size of the longest input in bytes; longer files are not used as seeds, and bombs have their own tests."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A property and its inputs.

    `law` raises an error if its input breaks the property; `seeds` are patterns of test files, `texts` are further
    seeds; `words` are inserted into mutations.
    """

    law: Callable[[bytes], None]
    seeds: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    words: str = ""

    def begin(self) -> Iterator[bytes]:
        """Yield the seeds, the same on every machine."""
        yield from seeds.encoded(self.texts)
        for pattern in self.seeds:
            for path in sorted(TESTS.glob(pattern)):
                if path.is_file():
                    yield from _pieces(path)

    def dictionary(self) -> list[bytes]:
        """Return the words, each once."""
        return sorted({word.encode() for word in (*self.words.split(), *_COMMON)})


_COMMON = ("\n", "\r\n", " ", "\t", "\ufeff", "\x85", "\u2028", "\u3000", "\ud7ff", "\x00", '"', "'", "\\", "&", "<")
ARTICLES = ("cases/*/articles/**/*", "edit_cases/*/*.md", "hostile/articles/**/*", "fuzz/findings/article/*")
_MATTER = """--- +++ ;;; ... title: date: guid: categories: tags: draft: thumbnail: link: author: updated: [a, b] {a: b} - | > #
? & * ! % @ ` !!int <<: 2022-07-25 2022-07-25T20:11:30+08:00 12:30 no true null ~ = [[x]] \"\"\" ''' { } : _drafts/"""
_MARKUP = """<p> </p> <b> <i> <a> <table> <td> <li> <ul> <pre> <script> <style> <svg> <math> <mtext> <template> <title> <form>
<noscript> <textarea> <iframe> <select> <option> <img> <plaintext> <xmp> <ruby> <rt> <details> <summary> <!-- --> <![CDATA[ ]]>
<? ?> &lt; &#x3c; &nbsp; &#0; src= href= srcset= style= onerror= class= data-src= javascript: data:text/html vbscript:
http://a.org/b.png display:none </a> </table> <h1> <dl> <dt> <nobr> <font> <button> <foreignObject> <annotation-xml>"""
TARGETS: dict[str, Target] = {
    "article": Target(law=files.article, seeds=ARTICLES, words=_MATTER),
    "edit": Target(law=files.edit, seeds=ARTICLES, words=_MATTER),
    "fix": Target(
        law=files.fix,
        seeds=("cases/[hj]*/articles/**/*", "edit_cases/*/input.md", "fuzz/findings/article/*"),
        words=_MATTER,
    ),
    "dates": Target(
        law=files.dates,
        seeds=("data/dates.tsv",),
        words="GMT CST PM am 年 月 日 下午 Jul juillet T Z W30 +0800 [Asia/Shanghai] 24:00 1658751090 st nd",
    ),
    "settings": Target(
        law=files.settings_file,
        seeds=("settings_cases/**/*.toml", "cases/*/feedtool.toml", "html_cases/*/policy.toml"),
        words="[site] [[sources]] [categories.a] [feeds.a.not] title url timezone = true false [ ] { } . \"\"\" ''' #",
    ),
    "state": Target(
        law=files.state_file,
        texts=seeds.STATE,
        words='{"kind": "source" "tombstone" "gone" "key": "url": "next": "weeks": "seen": [] {} null NaN 1e999 -1 "\\ud800"',
    ),
    "names": Target(law=files.names, texts=seeds.NAMES, words="con NUL . .. / ﬁ ß İ é e\u0301 😀 index.html + # -"),
    "html": Target(law=remote.html, seeds=("html_cases/*/input.html", "hostile_world/vectors/*"), words=_MARKUP),
    "markdown": Target(
        law=remote.markdown,
        seeds=("cases/*/articles/**/*.md", "html_cases/markdown*/input.html"),
        words=_MARKUP + " ``` ~~~ | --- [a](b) ![a](b) [^1] [^1]: - [ ] ** __ ~~ > # 1. <http://a>",
    ),
    "feed": Target(
        law=remote.feed,
        seeds=("remote_cases/*/feed.*",),
        words=_MARKUP
        + " <item> </item> <entry> <guid> <link> <title> <description> <pubDate> <author> xmlns:a= <channel>"
        ' type="xhtml" <media:group> "items": "id": "content_html": null 1e999',
    ),
    "charset": Target(
        law=remote.charset,
        seeds=("remote_cases/charset*/feed.*", "remote_cases/broken*/feed.*"),
        words='<?xml encoding="gbk" encoding="utf-16" <!DOCTYPE [ <!ENTITY ]> &#xD800; &nbsp; <rss> xmlns: é 中',
    ),
    "page": Target(
        law=remote.page,
        seeds=("fulltext_cases/*/page.html", "remote_cases/not-*/feed.*", "html_cases/*document*/input.html"),
        words="<link <a <base rel=alternate type=application/rss+xml href= title= feed atom.xml javascript: // &#58;",
    ),
    "opml": Target(
        law=remote.opml,
        texts=seeds.LISTS,
        seeds=("cases/*/expected/feeds.opml", "render_cases/feeds.opml"),
        words='<opml> <body> <outline xmlUrl=" category="/a/b" text="x" <!DOCTYPE <!ENTITY a "b"> &a; </outline>',
    ),
    "address": Target(
        law=remote.address,
        texts=seeds.ADDRESSES,
        words="http:// https:// // @ : [::1] 0x7f 127.0.0.1 %2e %00 \\ ? # ; xn-- 。 ０ ..",
    ),
}


def _pieces(path: Path) -> Iterator[bytes]:
    """Yield the inputs in a file: the whole file, a few lines of a table at a time, or vectors one by one."""
    data = path.read_bytes()
    if path.suffix == ".tsv":
        lines = [line.split(b"\t")[0] for line in data.splitlines()]
        yield from (b"\n".join(lines[at : at + 4]) for at in range(0, len(lines), 4))
    elif "vectors" in path.parts:
        yield from (line for line in data.splitlines() if line)
    elif len(data) <= LONGEST:
        yield data


def findings(name: str) -> dict[str, bytes]:
    """Return the inputs that once broke the property of a target, by file name; none may break it again."""
    return {path.name: path.read_bytes() for path in sorted((FINDINGS / name).glob("*")) if path.is_file()}


def law_of(name: str) -> Callable[[bytes], None]:
    """Return the property of a target; that of "all" selects the target by the first byte of its input."""
    if name != "all":
        return TARGETS[name].law
    laws = [target.law for target in TARGETS.values()]

    def law(data: bytes) -> None:
        if data:
            laws[data[0] % len(laws)](data[1:])

    return law


def corpus(name: str) -> Iterator[bytes]:
    """Yield the seeds and findings of a target; for "all", a part of each target's."""
    if name != "all":
        yield from TARGETS[name].begin()
        yield from findings(name).values()
        return
    for number, each in enumerate(TARGETS):
        short = [data for data in corpus(each) if len(data) < LONGEST // 10]
        yield from (bytes([number]) + data for data in short[:: 1 + len(short) // 40])
