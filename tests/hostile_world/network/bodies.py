"""Harmful or odd response bodies by name; `expected.tsv` has the expected result of each."""

from __future__ import annotations

import codecs
import json

from tests.support.behaviours import Behaviour, page

ITEM = (
    "<item><title>第{n}条 news</title><link>https://news.example/{of}/{n}</link><guid>{of} {n}</guid>"
    "<pubDate>Mon, 2{n} Jul 2022 12:11:30 GMT</pubDate><description>Text {n} of 新闻, long enough to read.</description></item>"
)
CHINESE = "上海市疫情防控工作领导小组召开专题会议，听取近期疫情形势和处置工作情况汇报，研究部署下一阶段重点任务。"


def rss(*items: str, prolog: str = "", root: str = '<rss version="2.0">', title: str = "Wire") -> str:
    """Return an RSS document with these items."""
    return f"{prolog}{root}<channel><title>{title}</title>{''.join(items)}</channel></rss>"


def item(inside: str) -> str:
    """Return an item with an id and these elements."""
    return f"<item><title>T</title><guid>g</guid>{inside}</item>"


def feed(of: str) -> bytes:
    """Return a good feed with two entries that no other feed has."""
    return rss(ITEM.format(n=1, of=of), ITEM.format(n=2, of=of)).encode()


FEED = feed("wire")
INCLUDED = '<i:include xmlns:i="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
XXE = "<!DOCTYPE rss [<!ENTITY {0}x SYSTEM '{1}'>{2}]>"
CDATA = "<description><![CDATA[{}]]></description>"


def _declared(encoding: str, actual: str, more: str = "") -> bytes:
    text = rss(
        f"<item><title>{CHINESE}</title><guid>g</guid>{more}</item>",
        prolog=f"<?xml version='1.0' encoding='{encoding}'?>",
    )
    return text.encode(actual)


BODIES: dict[str, Behaviour | bytes | str] = {
    "a body that is a path": "/etc/passwd",
    "a body that is a file URL": "file:///etc/passwd",
    "a body that is a URL": "http://127.0.0.1/feed.xml",
    "an empty body": b"",
    "a body of spaces": b" \r\n" * 5000,
    "a body of NULs": bytes(100_000),
    "a page": page("<!doctype html><title>A page\x1b[31m\n::error::x</title><p>Hi", type="text/html"),
    "a login page": page("<html><title>Log in</title><form><input type=password></form></html>", type="text/html"),
    "a list of feeds": '<opml version="2.0"><body/></opml>',
    "XML that is no feed": "<kml/>",
    "a picture": b"\x89PNG\r\n\x1a\n" + bytes(100),
    "an entity that is a file": rss(
        item("<description>&x;</description>"), prolog=XXE.format("", "file:///etc/passwd", "")
    ),
    "an entity that is a URL": rss(
        item("<description>&x;</description>"), prolog=XXE.format("", "http://127.0.0.1/x", "")
    ),
    "an entity of parameters": rss(item(""), prolog=XXE.format("% ", "http://127.0.0.1/x.dtd", "%x;")),
    "a DTD elsewhere": rss(item(""), prolog='<!DOCTYPE rss SYSTEM "http://127.0.0.1/x.dtd">'),
    "XInclude": rss(item(f"<description>{INCLUDED}</description>")),
    "a stylesheet elsewhere": rss(item(""), prolog='<?xml-stylesheet type="text/xsl" href="http://127.0.0.1/x.xsl"?>'),
    "a billion laughs": rss(
        item("<description>&l9;</description>"), prolog=f'<!DOCTYPE rss [<!ENTITY l0 "ha">{LAUGHS}]>'
    ),
    "quadratic blowup": rss(
        item(f"<description>{'&a;' * 50_000}</description>"), prolog=f'<!DOCTYPE rss [<!ENTITY a "{"a" * 50_000}">]>'
    ),
    "short entities often": rss(
        item(f"<description>{'&a;' * 200_000}</description>"), prolog=f'<!DOCTYPE rss [<!ENTITY a "{"a" * 190}">]>'
    ),
    "an author of 300 kB": rss(item(f"<author>{'a' * 300_000}</author>")),
    "an author of 300 kB in parentheses": rss(item(f"<author>{'(a@' * 100_000}</author>")),
    "200,000 attributes": rss(
        item("<description " + "".join(f"a{n}='' " for n in range(200_000)) + ">x</description>")
    ),
    "100,000 namespaces": rss(item("<x " + "".join(f"xmlns:n{n}='u' " for n in range(100_000)) + "/>")),
    "20,000 categories": rss(item("<category>c</category>" * 20_000)),
    "100,000 nested div": rss(item(CDATA.format("<div>" * 100_000 + "text"))),
    "20,000 nested lists": rss(item(CDATA.format("<ul><li>" * 20_000 + "text"))),
    "20,000 nested elements": rss(item("<a>" * 20_000 + "</a>" * 20_000)),
    "20,000 elements left open": rss(item("<description>" * 20_000)),
    "tags within tags": rss(item(CDATA.format("<a " * 200_000))),
    "comments left open": rss(item(CDATA.format("<!--" * 200_000))),
    "brackets": rss(item(CDATA.format("<" * 1_000_000))),
    "a CDATA left open": rss(item("<description><![CDATA[" + "]]" * 500_000)),
    "a title of 1 MB": rss(f"<item><title>{'t' * 1_000_000}</title><guid>g</guid></item>"),
    "a guid of 1 MB": rss(f"<item><title>T</title><guid>{'g' * 1_000_000}</guid></item>"),
    "a date of 1 MB": rss(item(f"<pubDate>{'1' * 1_000_000}</pubDate>")),
    "a picture of 1 MB": rss(item(CDATA.format(f'<img src="data:image/png;base64,{"A" * 1_000_000}">'))),
    "dates that are none": rss(
        *(
            f"<item><title>T{n}</title><guid>g{n}</guid><pubDate>{date}</pubDate></item>"
            for n, date in enumerate(
                ("0000-00-00T00:00:00Z", "99999-12-31", "2022-13-45", "-5", "Mon, 99 Jul 2022 99:99:99 +9999", "now")
            )
        )
    ),
    "characters that are impossible": rss(
        item("<description>a&#0;&#xD800;&#1114112;&#x110000;&#xFFFE;&#8;b</description>")
    ),
    "a reference of 5,000 digits": rss(item(f"<description>a&#{'9' * 5000};b</description>")),
    "control characters": rss(item("<description>a\x00\x01\x08\x0b\x1b\x7fb</description>")),
    "a DOCTYPE with backslashes": rss(item(""), prolog='<!DOCTYPE rss PUBLIC "\\" "\\\\">'),
    "GB18030 that nobody declares": rss(f"<item><title>{CHINESE}</title><guid>g</guid></item>").encode("gb18030"),
    "declares GBK and is UTF-8": _declared("gbk", "utf-8"),
    "declares UTF-8 and is GB18030": _declared("utf-8", "gb18030"),
    "declares UTF-16 and is UTF-8": _declared("utf-16", "utf-8"),
    "declares UTF-7": _declared("utf-7", "utf-8"),
    "declares what is no encoding": _declared("../../etc/passwd", "utf-8"),
    "header says Latin-1 and it is UTF-8": page(_declared("utf-8", "utf-8"), type="text/xml; charset=iso-8859-1"),
    "a mark of UTF-8": codecs.BOM_UTF8 + feed("mark"),
    "two marks of UTF-8": codecs.BOM_UTF8 * 2 + feed("marks"),
    "UTF-16 with a mark": _declared("utf-16", "utf-16"),
    "UTF-16 that has no mark": _declared("utf-16", "utf-16-le"),
    "UTF-32 with a mark": _declared("utf-32", "utf-32"),
    "a mark of UTF-16 before UTF-8": codecs.BOM_UTF16_LE + FEED,
    "no ids": rss(*(f"<item><title>Title {n}</title><description>Body {n}.</description></item>" for n in range(3))),
    "nothing in its entries": rss("<item/>", "<item></item>"),
    "one id for all": rss(
        *(
            f"<item><title>Title {n}</title><guid>same</guid><link>https://news.example/same/{n}</link></item>"
            for n in range(3)
        )
    ),
    "an entry twice": rss(ITEM.format(n=1, of="twice"), ITEM.format(n=1, of="twice")),
    "JSON that is no feed": page('{"error": "no\\u001b[2J such feed"}', type="application/json"),
    "JSON nested 100,000 deep": "[" * 100_000,
    "JSON objects nested 100,000 deep": '{"a":' * 100_000,
    "a JSON Feed of wrong types": json.dumps(
        {
            "version": "https://jsonfeed.org/version/1.1",
            "title": [1],
            "authors": 5,
            "items": [
                5,
                None,
                {
                    "id": {"a": 1},
                    "content_html": 7,
                    "title": "T",
                    "date_published": [],
                    "attachments": "x",
                    "tags": {"a": 1},
                },
            ],
        }
    ),
    "a number of 100,000 digits": '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": '
    + "9" * 100_000
    + "}]}",
}
