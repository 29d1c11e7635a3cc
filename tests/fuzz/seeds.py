"""Seeds of targets whose test cases are not separate files: a state, names, addresses, lists of feeds."""

from __future__ import annotations

STATE = (
    '{"kind": "gone", "key": "abcdefgh s"}\n'
    '{"kind": "source", "key": "s", "url": "https://example.org/feed", "etag": "\\"1\\"", "digest": "d", "failures": 2,'
    ' "error": "500", "next": "2026-11-23T19:00:00Z", "good": "2026-11-20T19:00:00Z", "weeks": {"2026-W46": 3},'
    ' "seen": ["abcdefgh"], "skip_hours": [1, 2], "skip_days": ["monday"], "every": 60, "sightings": 1,'
    ' "permanent_url": "https://example.com/", "formerly": ["t"], "muted": ""}\n'
    '{"kind": "tombstone", "key": "tag:example.org,2022-07-25:a", "when": "2026-11-23T19:00:00Z"}\n',
    '<<<<<<< HEAD\n{"kind": "source", "key": "新聞", "weeks": [["2026-W46", 3]], "next": 5, "failures": -1}\n=======\n[]\n',
)
NAMES = (
    "金融\nOpen Source\na - b\nnode.js\nC\nC++\nC#\nR&D\n.NET\n_drafts\na..b\n../../etc/passwd\n-\n???\nCON\ncon.txt\nCOM¹",
    "e\u0301te\u0301\nété\nStraße\nstrasse\nﬁ\nfi\nFi\nİ\ni\u0307\n😀\na\u200bb\na\u202eb\nindex.html\nindex\nINDEX.HTML",
    "国" * 70 + "\n" + "a" * 81 + "\n" + "a" * 71 + "e\u0328\u0301" * 9,
    "=\u0338\n\u1161\n\u11a8\n\U0001f468\u200d\U0001f469\n\x85\n\xa0x\n",
)
ADDRESSES = (
    "https://example.org/feed.xml?a=b#c\nhttp://u:p@EXAMPLE.org:8080/%7Ea/../b?q=%zz\n//example.org/x\n/a/b\n?x\n#y",
    "http://2130706433/\nhttp://0x7f.1/\nhttp://127.1/\nhttp://017700000001/\nhttp://[::1]/\nhttp://[::ffff:127.0.0.1]/",
    "http://１２７.0.0.1/\nhttp://a。b/\nhttp://xn--bcher-kva.example/\nhttp://bücher.example/\nhttp://0/\nhttp://1.2.3.4.5/",
    "jav\tascript:alert(1)",
    "&#106;avascript:x",
    "https://a.org\\@b.org/",
    "HTTP:\\\\a.org\\b",
    "https://cors.a.org/http://b.org/c.png",
    "http://a.org/\ud7ff é?ü=ß",
    "gopher://a/\nfile:///etc/passwd\nhttp://:80/\nhttp://a:0/\nhttp://a:99999/\nhttp://a b/\nhttp://a%2eb/",
)
LISTS = (
    '<opml version="1.0"><head><title>x</title></head><body><outline text="A"><outline text="a" xmlUrl="http://a/"'
    ' category="/B/C,D"/><outline title="t" xmlurl="http://a/"/></outline></body></opml>',
    '<?xml version="1.0" encoding="gb2312"?><!DOCTYPE opml [<!ENTITY a "b">]><opml><body><outline text="&a;"/></body></opml>',
    '<OPML xmlns="u"><x><outline text="1"><outline text="2"><outline text="3" XMLURL=" h "/></outline></outline></x></OPML>',
)


def encoded(texts: tuple[str, ...]) -> tuple[bytes, ...]:
    """Return texts as UTF-8."""
    return tuple(text.encode("utf-8", "surrogatepass") for text in texts)
