"""Test the readers and writers of article files on small inputs against recorded results (see `tests/support/recorded.py`)."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest

import feedtool.articles
from feedtool.articles import Rules, edit_front_matter, front_matter, parse_document, read_article, read_head
from feedtool.articles.article import ReadingDetails
from feedtool.articles.body import visible_body
from feedtool.articles.conflicts import read_conflict
from feedtool.articles.dialect import Hidden, both_hidden, with_values
from feedtool.articles.editor import edit_file
from feedtool.articles.encoding import decode
from feedtool.articles.fences import split
from feedtool.articles.field_table import FIRST_KEYS, KNOWN_KEYS
from feedtool.articles.fields import Fields, excerpt, is_yaml_time, plain_names, same_meaning
from feedtool.articles.frontmatter import Document
from feedtool.articles.hidden import hidden
from feedtool.articles.html_head import html_metadata
from feedtool.articles.identity import derived_id, quoted_stems, stem_of, written_id
from feedtool.articles.key_lines import is_clock_time, quoted
from feedtool.articles.keys import hiding_value
from feedtool.articles.pelican_metadata import (
    by_feed_names,
    edited_metadata,
    metadata_lines,
    metadata_values,
    split_metadata,
)
from feedtool.articles.provenance import (
    Stamp,
    canonical,
    is_body_as_written,
    parts_without_noise,
    raw_hash,
    read_stamp,
    short_hash,
    stamp_text,
    without_noise,
)
from feedtool.articles.reader import is_draft_path, split_fenced
from feedtool.articles.similar_heads import SimilarHeadReader
from feedtool.articles.writer import (
    FileForm,
    body_text,
    edit_nested,
    is_untouched,
    matches_raw,
    merge_file,
    new_file,
    read_all_matching_fields,
    same_as_written,
    stamp_for,
)
from feedtool.articles.yaml import values_by_engine
from feedtool.articles.yaml_fast import plain_lines, plain_name
from feedtool.articles.yaml_loader import load, load_fully
from feedtool.articles.yaml_recovery import broken_keys, recovered_values
from tests.support.inputs.articles import (
    ARTICLES,
    BLOCKS,
    BODY,
    DOCUMENTS,
    EDITS,
    FIELDS,
    FILES,
    FORMS,
    HTML_HEADS,
    KEYS,
    LINES,
    MERGES,
    METADATA,
    METADATA_EDITS,
    METADATA_FILES,
    MOMENT,
    NESTED,
    NEW,
    OLD,
    OPPOSITE_VALUES,
    QUOTED,
    RULES,
    SHANGHAI,
    STAMPED,
    TEXTS,
    VALUES_OF_FRONT_MATTER,
    WORDS,
    YAML,
)
from tests.support.recorded import Table, check


def fields(values: dict[str, Any]) -> Fields:
    return Fields(values, SHANGHAI)


def of_fields(values: dict[str, Any]) -> dict[str, Any]:
    """Return all non-empty values of the front matter fields, with the notes."""
    one = fields(values)
    results = {
        "title": one.text(("title",)), "published": one.published(), "updated": one.updated(), "draft": one.draft(),
        "categories": one.names(("categories", "category")), "paths": one.paths(), "authors": one.authors(),
        "author_names": one.author_names(), "enclosures": one.enclosures(), "thumbnail": one.thumbnail(),
        "source": one.source(), "used": one.used, "notes": one.notes,
    }  # fmt: skip
    return {name: value for name, value in results.items() if value}


def hiding_words(key: str, *options: bool) -> dict[str, Any]:
    """Return the words that hide an article as the value of a key, with the reason and the notes for each word."""
    results = {}
    for word in WORDS:
        one = fields({key: word})
        starts = ("publishdate", "pubdate", "published") if any(options) else ()
        reason = hidden(one, starts=starts, status=any(options), lists=any(options))
        if reason != Hidden() or one.notes:
            results[word] = [reason, one.notes]
    return results


def hidden_by_values(values: dict[str, Any], *options: bool) -> Any:
    one = fields(values)
    starts = ("publishdate",) if any(options) else ()
    return [hidden(one, starts=starts, status=any(options), lists=any(options)), one.notes]


def document(data: bytes, *options: bool) -> dict[str, Any]:
    parsed: Document = parse_document(data, every_key=True in options, metadata=len(options) > 1)
    keys = ("title", "date", "x_y", "a", "missing")
    return {
        "encoding": parsed.encoding, "split": parsed.split, "values": parsed.values, "notes": parsed.notes,
        "broken": parsed.broken, "recovered": parsed.recovered, "body": parsed.body[:40],
        "lines": [parsed.line_of(key) for key in keys],
    }  # fmt: skip


def article(path: str, data: bytes, **options: Any) -> Any:
    """Return an article, its problems, the details of how it was read, and its head."""
    rules = Rules(zone=SHANGHAI, authority="e.org", **options)
    details = ReadingDetails()
    result, problems = read_article(path, data, rules, details=details)
    head = read_head(path, data, lambda: data, rules)
    return {"article": result, "problems": problems, "details": details, "head": head}


def merged(change: dict[str, Any], body: str, mode: Any, edit: tuple[str, str] = ("", ""), **options: Any) -> Any:
    data = STAMPED.replace(*edit).encode() if edit[0] else STAMPED.encode()
    return merge_file(data, {**OLD, **change}, body, mode=mode, source=options.pop("source", ""), **options)


TABLES = {
    "metadata_lines": Table(metadata_lines, LINES),
    "metadata_lines_crlf": Table(lambda *row: metadata_lines(*row, "\r\n"), LINES),
    "metadata_values": Table(metadata_values, METADATA),
    "split_metadata": Table(split_metadata, BLOCKS),
    "by_feed_names": Table(by_feed_names, [{}, {"modified": "a", "lang": "b", "authors": "c", "x": "d"}, {"category": "a"},
        {"category": "a", "categories": ["b"]}]),
    "edited_metadata": Table(lambda *row: edited_metadata(*row, "\n"), METADATA_EDITS),
    "edited_metadata_crlf": Table(lambda text, row: edited_metadata(text, row, "\r\n"), METADATA_EDITS),
    "front_matter": Table(front_matter, VALUES_OF_FRONT_MATTER),
    "front_matter_metadata": Table(lambda row: front_matter(row, metadata=True), VALUES_OF_FRONT_MATTER),
    "edit_front_matter": Table(edit_front_matter, EDITS),
    "edit_metadata": Table(lambda *row: edit_front_matter(*row, metadata=True), METADATA_FILES),
    "edit_file": Table(edit_file, FILES),
    "quoted": Table(quoted, QUOTED),
    "is_clock_time": Table(is_clock_time, [("Date", "2022-07-25 20:11:30"), ("last-mod", "2022-07-25 20:11:30"),
        ("lastmod", "2022-07-25 20:11:30"), ("date", "2022-07-25"), ("date", True), ("date", "٢٠٢٢-٠٧-٢٥ ٢٠:١١:٣٠")]),
    "load_fully": Table(load_fully, YAML),
    "load": Table(lambda text: load(text, KNOWN_KEYS | {"a", "b", "c", "d"}), YAML),
    "values_by_engine": Table(lambda text: values_by_engine(text, KNOWN_KEYS | {"a", "b", "c", "d"}), YAML),
    "plain_lines": Table(lambda text: plain_lines(text, KNOWN_KEYS | {"a", "b", "c", "d"}), YAML),
    "recovered_values": Table(recovered_values, YAML),
    "broken_keys": Table(broken_keys, YAML),
    "plain_name": Table(plain_name, ["a", "a-b_c", "-a", "1a", "a1", "é", "a b", "null", "Null", "~", "k" * 61, "k" * 62, "_a"]),
    "split": Table(lambda text: split(text, FIRST_KEYS), TEXTS),
    "parse_document": Table(document, DOCUMENTS),
    "parse_document_every_key": Table(lambda data: document(data, True), DOCUMENTS),
    "parse_document_metadata": Table(lambda data: document(data, False, False),
        [*DOCUMENTS, b"<title>A</title><body>x", b"Title: a\n\nb"]),
    "html_metadata": Table(html_metadata, HTML_HEADS),
    "hidden": Table(hiding_words, [*KEYS, *((key, True) for key in KEYS[-12:])]),
    "hidden_by_values": Table(hidden_by_values, NESTED),
    "hiding_value": Table(lambda key: [hiding_value(key, *pair) for pair in OPPOSITE_VALUES], KEYS),
    "fields": Table(of_fields, FIELDS),
    "plain_names": Table(plain_names, ["a", "a,b", " a  b ", "", (("a", "a", ""),), ["a", ["b"]], {"a": "b"}, ["n"] * 100,
        ["n"] * 101]),
    "excerpt": Table(excerpt, ["a", "a\nb\u200b", "x" * 60, "x" * 61, ("x" * 9, 8)]),
    "same_meaning": Table(same_meaning, ["date", "lastmod", "x", "tag", "cover", "uuid", "audio", "rights", "lang", "draft",
        "source", "excerpt", "permalink", "authors", "category", "title"]),
    "is_yaml_time": Table(is_yaml_time, ["2022-07-25 20:11:30", "2022-7-5T2:11:30.5", "2022-07-25t20:11:30", "2022-07-25",
        "2022-07-25 20:11", "2022-07-25 20:11:30Z", "2022-07-25\t 20:11:30."]),
    "stem_of": Table(stem_of, ["a.md", "x/a.b.md", "x/y/index.md", "x/_INDEX.html", "index.md", "x/.md", "a"]),
    "quoted_stems": Table(quoted_stems, [("x/y/", ["a.md", "index.md", "_Index.md", "a b.md", "é.md", "a\nb.md", "100%.md",
        "indexes.md", ".md"]), ("", ["index.md"]), ("", [])]),
    "derived_id": Table(lambda path: derived_id(path, MOMENT, RULES),
        ["a.md", "x/index.md", "a b/é\n.md", "a~!$&'()*+,;=:@-_.md", "a/?#[]<>.md"]),
    "written_id": Table(written_id, ["0E984725-C51C-4BF4-9960-E1C80E27ABA0", "0e984725-c51c-4bf4-9960-e1c80e27aba",
        "0e984725xc51c-4bf4-9960-e1c80e27aba0", "x"]),
    "stamp": Table(lambda text: [read_stamp(text), stamp_text(read_stamp(text))],
        ["", "1", "1 ", "1 abcdefgh name of it", "1 abcdefgh.wxyz name", "1 abcdefg.wxyz", "2 abcd x", "1 abcd. x", "1 abcd\n"]),
    "canonical": Table(canonical, [True, False, "", " a  b ", ["a", " b"], {"b": "c ", "a": "d"}, [{"a": "b"}, {"c": "d"}]]),
    "without_noise": Table(without_noise, ["a  b ", "x?t=12&y=1", "x?ts=12a", "x&amp;rand=1.5", "x?expires=a&b", "x?X-Amz-Date=1",
        "x?wx_fmt=png", "a/123456789.jpg", "a/12345678.jpg", "a/123456789012x", "阅读 123 x", "Views: 1,234", "1.2万次阅读",
        "12 comments", "12 commentsx", "x?_=1", "x?v=2", "x?ver=2", "x?updated=3", "x?sign=a'b", "x?sig=a", "x?token=a",
        "x?auth_key=a", "x?signature=a", "x?cb=1", "x?cache=1", "x?nocache=1", "x?r=1", "x?rnd=1", "x?random=1", "x?time=1",
        "x?timestamp=1", "x?_t=1", "浏览：5", "点击:5", "评论(5", "点赞5", "收藏5", "转发5", "Comments 5", "Reads 5k", "Likes 5K",
        "Shares 5", "5次浏览", "5人阅读", "5条评论", "5 views", "5 reads", "5 likes", "5 shares", "x?x-oss-a=1", "x?x-goog-b=1"]),
    "parts_without_noise": Table(parts_without_noise, ["a\x1fb  c", "a\x1eb\x1dc", ""]),
    "hashes": Table(lambda text: [short_hash(text), raw_hash(text)], ["", "a", "é" * 64, "x" * 63, "x" * 64, "\ud800"]),
    "is_body_as_written": Table(is_body_as_written, [("feedtool: " + stamp_text(stamp_for({}, BODY, source="S")),
        "\n" + BODY + "\r\n"), ("feedtool: '" + stamp_text(stamp_for({}, BODY, source="S")) + "'", BODY + "x"),
        ("feedtool: '" + stamp_text(stamp_for({}, BODY, source="S")) + "'\n", BODY), ("x: y", BODY)]),
    "both_hidden": Table(both_hidden, [(Hidden(), Hidden()), (Hidden(1, "a"), Hidden(2, "b")), (Hidden(), Hidden(2, "b")),
        (Hidden(start=1), Hidden(start=2, end=9)), (Hidden(start=3, end=8), Hidden(start=2, end=9)), (Hidden(start=3), Hidden())]),
    "packed": Table(lambda one, at: [one.since(at), one.since(at).packed()],
        [(Hidden(), 5), (Hidden(start=5), 5), (Hidden(start=6), 5), (Hidden(start=4, end=7), 5), (Hidden(end=7), 5),
        (Hidden(2, "x"), 5)]),
    "with_values": Table(lambda *row: with_values(*row[:2], empty_counts=row[2]),
        [({"date": "a"}, {"created": "b", "x": "y"}, True), ({"date": ""}, {"created": "b"}, True),
        ({"date": ""}, {"created": "b"}, False), ({"date": "a"}, {"published": "false"}, True), ({}, {}, True)]),
    "decode": Table(lambda data: [decode(data).encoding, decode(data).exact, decode(data).text[:30]],
        [b"", b"\xef\xbb\xbfa", "aé".encode("utf-16"), "aé".encode("utf-32"), b"\xfe\xff\0a", b"\xff\xfea",
        "中".encode() * 5 + b"\xff" + b"a" * 9, "中".encode() * 8 + b"\xff" + b"a" * 9, b"a\xff" + b"a" * 100,
        b"\xe4\xb8\xad\xff", "中文字".encode()[:-1], "中文".encode()[:-1], b"\xff\0", "会议指出，要把各项工作抓细抓实。".encode("gb2312"),  # noqa: E501
        "會議指出，數據顯示較去年同期增長".encode("big5") * 3, "会議".encode("shift_jis") * 9, "Le café est fermé".encode("cp1252"),
        bytes(range(128, 256)), b"\xef\xbb\xbf\xff", b"a" * 4096 + "é".encode() + b"\xff" * 9,
        b"a" * 4000 + "é".encode() + b"\xff" * 9]),
    "read_conflict": Table(read_conflict,
        [b"---\ntitle: A\n<<<<<<< x\ndate: 2022-07-25\n=======\ndate: 2022-07-26\n>>>>>>> y\n---\nbody",
        b"---\ntitle: A\n<<<<<<< x\nguid: a\n||||||| z\nguid: b\n=======  \nguid: c\nlink: http://e.org\n>>>>>>> y\n---\n",
        b"---\ntitle: A\n---\nbody\n<<<<<<< x\na\n=======\nb\n>>>>>>> y\n", b"---\n<<<<<<< x\na: b\n=======\n---\n",
        b"---\n<<<<<<<\na: b\n=======\nc\n>>>>>>> y\n---\n",
        b"\xef\xbb\xbf<<<<<<< x\n---\nid: a\n---\n=======\n---\nid: b\n---\n>>>>>>> y\n", b"x"]),
    "split_fenced": Table(split_fenced,
        [b"", b"---\na: b\n---\nc", b"---\na: b\n---\n", b"---\na: b\n---", b"---\na: b\n--- \t\r\nc",
        b"---\na: b\n----\nc\n---\nd", b"\xef\xbb\xbf \n---\na: b\n---\nc", b"--- \na: b\n---\nc", b"----\na\n----\n",
        b"---\n---\nc", b"---\na: \xff\n---\nc", b"---\na: \xc3\xa9\n---\n\xff",
        b"---\na: " + b"\xc3\xa9" * 16 + b"\n---\n\xff", b"---\na: " + b"\xc3\xa9" * 15 + b"\n---\n\xff",
        b"---\na: b\n...\n---\nc", b"---\n...\n---\nc", b"---\n" + b"a" * (4096 - 8) + b"\n---",
        b"---\n" + b"a" * (4096 - 9) + b"\n---\n"]),
    "is_draft_path": Table(is_draft_path, ["_drafts/a.md", "x/_drafts/a.md", "a_drafts/b.md", "_drafts"]),
    "article": Table(article, ARTICLES),
    "article_undated_is_error": Table(lambda *row: article(*row, undated="error"), ARTICLES[10:15]),
    "article_of_hierarchy": Table(lambda *row: article(*row, hierarchy=True, prefix="p/"), ARTICLES[26:28]),
    "new_file": Table(lambda *row: new_file(NEW, "body", Stamp("S", ("abcd",), "wxyz"), metadata=bool(row[0])), [False, True]),
    "stamp_for": Table(lambda raw: stamp_for(NEW, "body", source="S", raw=raw), ["", "x"]),
    "edit_nested": Table(edit_nested, [("---\ntitle: A\n---\n", {"source": {"a": "b"}}),
        ("---\nenclosures: x # c\ntitle: A\n---\n", {"enclosures": [{"url": "u", "type": "t"}]}),
        ("---\r\nenclosures: x\r\n---\r\n", {"enclosures": [{"url": "u"}], "title": "B"}),
        ("+++\na = 1\n+++\n", {"source": {"a": "b"}}), ("---\na: b\n---\n", {"a": None, "t": [], "d": True})]),
    "merge_file": Table(merged, MERGES),
    "merge_derived": Table(lambda change, body, mode, raw, derived: merged(change, body, mode, raw=raw, derived=derived),
        [({"summary": "n"}, "<p>New</p>", "merge", "r", True),
        ({"summary": "n", "title": "N"}, "<p>New</p>", "merge", "r", True),
        ({"summary": "n"}, "<p>New</p>", "overwrite", "r", True), ({"summary": "n"}, "<p>New</p>", "merge", "q", True),
        ({"summary": "n"}, "<p>New</p>", "merge", "q", False), ({"summary": "n"}, "<p>New</p>", "merge", "r", False),
        ({"summary": "n"}, "<p>New</p>", "merge", "", False)]),
    "same_as_written": Table(lambda change, body, raw,
        derived: same_as_written(stamp_for(OLD, BODY, source="S", raw="r"), {**OLD, **change}, body, raw=raw, derived=derived),
        [({}, BODY, "", True), ({"title": "x"}, BODY, "", True), ({"date": "x", "updated": "y"}, BODY, "", True),
        ({}, "x", "", True), ({}, "x", "r", True), ({"summary": "x"}, BODY, "r", True), ({}, "x", "q", True),
        ({}, BODY, "q", False), ({}, "x", "r", False), ({}, "x", "", False), ({"tags": []}, BODY, "r", True)]),
    "matches_raw": Table(lambda raw: matches_raw(stamp_for(OLD, BODY, source="S", raw="r"), raw), ["", "r", "q"]),
    "is_untouched": Table(is_untouched, [(STAMPED.encode(),), (STAMPED.replace("'Old'", "'New'").encode(),),
        (STAMPED.replace("'Old'", "'New'").encode(), "date"), (STAMPED.replace("'Old'", "'New'").encode(), "title"),
        (STAMPED.replace("Body", "x").encode(), "body"), (b"---\na: b\n---\n",), (STAMPED.replace("---\n\n", "").encode(),)]),
    "read_all_matching_fields": Table(read_all_matching_fields,
        [STAMPED.encode(), b"---\nGUID: ' '\nuuid: u\nlink: /a\ntitle: [x]\ncreated: c\n---\n",
        b"---\nid: i\npermalink: http://e.org/\n---\n", b"x"]),
    "body_text": Table(lambda *row: body_text(*row[:2], starts_with_tag=len(row) > 2),
        [("\n a {{ b }} {% c {# d\r\n", "plain"), ("a {{ b }} {% c {# d { e", "hexo"), ("{{{", "jekyll"),
        ("text", "plain", True), (" <p>x", "plain", True), ("", "plain", True)]),
}  # fmt: skip


def heads_by_form(*matters: str) -> list[Any]:
    """Return the head for each form after 64 articles of that form, or "other" if the form is left to `read_head`."""
    results: list[Any] = []
    for rules in (RULES, Rules(zone=SHANGHAI, authority="e.org", hierarchy=True)):
        reader = SimilarHeadReader(rules)
        for matter in matters:
            data = f"---\n{matter}---\nbody\n".encode()
            rows = reader.rows("f/", ["a.md"] * 66, [data] * 66, lambda name, data: ("other",))
            assert rows[:64] == [("other",)] * 64 or len(matters) > 1
            results.append(rows[-1])
            if rows[-1] != ("other",):
                assert rows[-1] == read_head("f/a.md", data, lambda data=data: data, rules)[1:]
    if len(matters) == 1 and results[1] == ("other",):
        return results[:1]
    return results


def visible_body_of(body: str) -> Any:
    document = parse_document(f"---\ntitle: a\n---\n{body}".encode())
    return [visible_body(document, "markdown", "plain"), document.notes]


TABLES |= {
    "similar_heads": Table(heads_by_form, [*FORMS, (FORMS[0], FORMS[3]), (FORMS[3], FORMS[0], FORMS[21]),
        ("date: 2022-07-25\nx: a\ny: b\n", "date: 2022-07-25\ny: b\nx: a\n", "date: 2022-07-25\nz: c\n"),
        tuple(f"k{one}: v\ndate: 2022-07-25\nj{one}: w\n" for one in range(10))]),
    "visible_body": Table(visible_body_of,
        ["", "a", "a\n{# b\n #}\n{% encrypt %}c{% endencrypt %} d\n\n{% encrypt %}e{% endencrypt %}\n{% protect %}f",
        "{% secret %}\na"]),
}  # fmt: skip


def test_package_exports_the_names_of_its_modules() -> None:
    for name in feedtool.articles.__all__:
        assert getattr(getattr(feedtool.articles, name), "__name__", name) == name
    with pytest.raises(AttributeError, match=r"module 'feedtool\.articles' has no attribute 'nothing'"):
        _ = feedtool.articles.nothing


@pytest.mark.parametrize("name", TABLES)
def test_results_equal_the_recorded_ones(name: str, accept: bool) -> None:
    check(f"articles/{name}", TABLES[name], accept)


def test_date_without_zone_is_in_the_zone_of_the_file() -> None:
    form = FileForm(zone=SHANGHAI)
    data = STAMPED.replace("2022-07-25T00:00:00Z", "2022-07-25 08:00:00").encode()
    assert merge_file(
        data, {"date": "2022-07-25T00:00:00Z", "title": "B"}, BODY, mode="overwrite", form=form
    ).changed == ("title",)


def test_merge_keeps_the_byte_order_mark() -> None:
    text = merge_file(b"\xef\xbb\xbf" + STAMPED.encode(), {**OLD, "title": "B"}, BODY, mode="merge").text
    assert text is not None
    assert text.startswith("\ufeff---\ntitle: B\n")


def test_only_unquoted_dates_are_in_utc() -> None:
    one = Fields({"date": "2022-07-25 20:11:30"}, SHANGHAI)
    one.utc_dates, one.matter = True, "x: 1\nDate : 2022-07-25 20:11:30\n"
    assert one.zone_of("date", "2022-07-25 20:11:30") is UTC
    assert one.zone_of("date", "2022-07-25") is SHANGHAI
    assert one.zone_of("other_key", "2022-07-25 20:11:30") is SHANGHAI
    one.matter = "date: '2022-07-25 20:11:30'\n"
    assert one.zone_of("date", "2022-07-25 20:11:30") is SHANGHAI
    one.utc_dates = False
    one.matter = "date: 2022-07-25 20:11:30\n"
    assert one.zone_of("date", "2022-07-25 20:11:30") is SHANGHAI
