"""The texts of pages in English and Chinese, and the formats of dates, numbers and directions by language.

Pages in other languages use the English texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedtool.registry import Format

ENGLISH: Mapping[str, str] = {
    "lang": "en",
    "skip": "Skip to content",
    "subscribe": "Subscribe",
    "subscribe_how": "Copy one of these addresses into your feed reader.",
    "opml": "OPML",
    "opml_words": "Every feed of this site in one file, to import into a reader",
    "what": "What is this?",
    "what_1": "A feed is a list of a site's newest articles that a program of your choice, a feed reader, "
    "watches for you.",
    "what_2": "Copy one of the addresses into your reader and new articles come to you: no account, no e-mail address, "
    "no algorithm in between.",
    "what_3": "If you have no reader yet, {} helps you to choose one.",
    "categories": "Categories",
    "more_categories": "More categories",
    "queries": "Collections",
    "articles": "Newest articles",
    "none": "No articles yet.",
    "per_day": "Articles per day",
    "count_1": "{} article",
    "count": "{} articles",
    "chart": "{first} to {last}: {total}, at most {most} on {day}.",
    "older": "Older articles",
    "older_words": "Archive files for feed readers, newest first:",
    "updated": "updated",
    "original": "Read the original",
    "source": "Source:",
    "files": "Files",
    "tags": "Tags:",
    "back": "All articles",
    "separator": ", ",
    "space": " ",
}

CHINESE: Mapping[str, str] = {
    "lang": "zh",
    "skip": "跳到正文",
    "subscribe": "订阅",
    "subscribe_how": "把下面任意一个地址复制到你的阅读器里。",
    "opml": "OPML",
    "opml_words": "本站全部订阅源合为一个文件，供阅读器导入",
    "what": "这是什么？",
    "what_1": "订阅源是一个网站最新文章的清单，由你自己选择的程序（阅读器）替你留意。",
    "what_2": "把任意一个地址复制到阅读器里，新文章就会自动送达：不需要账号，不需要邮箱，也没有算法从中挑选。",
    "what_3": "如果还没有阅读器，{} 会帮你选一个。",
    "categories": "分类",
    "more_categories": "更多分类",
    "queries": "专题",
    "articles": "最新文章",
    "none": "还没有文章。",
    "per_day": "每日文章数",
    "count_1": "{} 篇文章",
    "count": "{} 篇文章",
    "chart": "{first}至{last}：共 {total}，最多的一天是{day}，{most} 篇。",
    "older": "更早的文章",
    "older_words": "供阅读器使用的归档文件，由新到旧：",
    "updated": "更新于",
    "original": "阅读原文",
    "source": "来源：",
    "files": "附件",
    "tags": "标签：",
    "back": "全部文章",
    "separator": "、",
    "space": "",
}


def _isolated(text: str) -> str:
    """Return English text for a right-to-left page: isolates keep its full stop at its end (UAX 9: LRI, PDI)."""
    return f"\u2066{text}\u2069"


_ENGLISH_IN_RTL: Mapping[str, str] = {
    name: text if name in ("lang", "separator", "space") else _isolated(text) for name, text in ENGLISH.items()
}
# Written out, because the locale of the machine must not affect pages.
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_RIGHT_TO_LEFT = frozenset({"ar", "arc", "azb", "ckb", "dv", "fa", "he", "iw", "ji", "ks", "nqo", "prs", "ps", "sd"})
_RIGHT_TO_LEFT |= {"syr", "ug", "ur", "yi"}
_RIGHT_TO_LEFT_SCRIPTS = frozenset({"adlm", "arab", "hebr", "nkoo", "rohg", "syrc", "thaa"})
_HAN_OR_KANA = re.compile("[\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")
_TAG = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*", re.ASCII)
_UNITS = ("B", "kB", "MB", "GB", "TB")


def page_strings(language: str) -> Mapping[str, str]:
    """Return the texts of pages in a language (BCP 47), by name."""
    if primary(language) == "zh":
        return CHINESE
    return _ENGLISH_IN_RTL if direction(language) == "rtl" else ENGLISH


def format_strings(language: str, formats: Iterable[Format]) -> dict[str, str]:
    """Return the texts for some formats: the title of each under its name, and its words under `<name>_words`."""
    isolate = page_strings(language) is _ENGLISH_IN_RTL
    texts = {}
    for form in formats:
        words = form.words["en"] if isolate else form.words.get(primary(language), form.words["en"])
        texts[form.name] = _isolated(form.title) if isolate else form.title
        texts[f"{form.name}_words"] = _isolated(words) if isolate else words
    return texts


def primary(language: str) -> str:
    """Return the language of a language tag in lower case, without script and region."""
    return language.partition("-")[0].partition("_")[0].lower()


def tag(language: str | None) -> str:
    """Return a language tag in the form of BCP 47 (`zh_CN` becomes `zh-CN`), or "" if the text is none."""
    text = (language or "").strip().replace("_", "-")
    return text if _TAG.fullmatch(text) else ""


def direction(language: str) -> str:
    """Return "rtl" for languages written from right to left, else "ltr". A script in the tag takes precedence."""
    parts = language.lower().split("-")
    for part in parts[1:]:
        if len(part) == 4 and part.isalpha():
            return "rtl" if part in _RIGHT_TO_LEFT_SCRIPTS else "ltr"
    return "rtl" if parts[0] in _RIGHT_TO_LEFT else "ltr"


def is_justified(language: str, title: str) -> bool:
    """Return True if a text should be justified: its language and the script of its title are Chinese or Japanese.

    The title is checked because Chinese sites have English articles without a language of their own, which justified
    lines would make hard to read.
    """
    return primary(language) in ("zh", "ja") and _HAN_OR_KANA.search(title) is not None


def day_text(moment: date | datetime, table: Mapping[str, str]) -> str:
    """Return a day as people write it, in the UTC offset of the given date."""
    if table["lang"] == "zh":
        return f"{moment.year}年{moment.month}月{moment.day}日"
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


def count_text(number: int, table: Mapping[str, str]) -> str:
    """Return the text for a number of articles, such as "3 articles"."""
    return table["count_1" if number == 1 else "count"].format(f"{number:,}")


def size_text(size: int) -> str:
    """Return a size in bytes as people write it, in powers of 1,000: `12.3 MB`."""
    amount, unit = float(max(size, 0)), 0
    while amount >= 999.5 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.1f} {_UNITS[unit]}" if unit and amount < 100 else f"{amount:.0f} {_UNITS[unit]}"
