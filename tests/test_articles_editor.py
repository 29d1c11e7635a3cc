"""Test edits of front matter.

Whole files are in `edit_cases/`. Properties check that an edit changes only the lines of its key and keeps every other
byte.
"""

from __future__ import annotations

import codecs
import json
import re
from pathlib import Path

import pytest
import yaml
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from feedtool.articles import edit_front_matter, front_matter, parse_document
from feedtool.articles.editor import edit_file
from feedtool.articles.key_lines import quoted
from feedtool.articles.yaml_loader import load_fully
from feedtool.errors import FeedtoolError
from tests.support.site import write

CASES = Path(__file__).parent / "edit_cases"
NAMES = sorted(path.name for path in CASES.iterdir() if path.is_dir())
DATE = "2022-07-25T20:11:30+08:00"


@pytest.mark.parametrize("name", NAMES)
def test_edit_matches_the_expected_file(name: str, accept: bool) -> None:
    case = CASES / name
    before = (case / "input.md").read_bytes()
    changes = json.loads((case / "changes.json").read_text(encoding="utf-8"))
    edited = edit_file(before, changes)
    if accept:
        write(case / "expected.md", edited)
    assert edited == (case / "expected.md").read_bytes()
    assert edit_file(edited, changes) == edited


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("ending", ["\r\n", "\r"])
def test_edit_keeps_line_endings(name: str, ending: str) -> None:
    case = CASES / name
    changes = json.loads((case / "changes.json").read_text(encoding="utf-8"))
    before, expected = ((case / f"{one}.md").read_text(encoding="utf-8") for one in ("input", "expected"))
    edited = edit_file(before.replace("\n", ending).encode(), changes)
    assert edited.decode() == expected.replace("\n", ending)


REFUSED = {
    "JSON": '{\n"title": "T"\n}\n',
    "no closing fence": "---\ntitle: T\n",
    "front matter in braces": "---\n{title: T}\n---\n",
    "a key behind a question mark": "---\n? title\n: T\n---\n",
    "lines that belong to no key": "---\ntitle: T\nnot a key\n---\n",
    "front matter too long": "---\ntitle: T\nx: " + "y" * 70_000 + "\n---\n",
    "nested too deep": "---\ntitle: " + "[" * 30_000 + "\n---\n",
}


@pytest.mark.parametrize("text", REFUSED.values(), ids=REFUSED)
def test_uneditable_front_matter_is_refused(text: str) -> None:
    with pytest.raises(FeedtoolError) as refused:
        edit_front_matter(text, {"title": "U"})
    assert refused.value.hint


BODY = "会议指出，要把各项工作抓细抓实。" * 9
TEXT = f"---\ntitle: 央行公布第二季度数据：机构认为影响有限\ndate: 2022/7/25 # 本地\n---\n{BODY}\n"
ENCODINGS = {
    "utf-8": b"",
    "utf-8 with a mark": codecs.BOM_UTF8,
    "utf-16-le": codecs.BOM_UTF16_LE,
    "utf-16-be": codecs.BOM_UTF16_BE,
    "utf-32-le": codecs.BOM_UTF32_LE,
    "gb18030": b"",
}


@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_edit_keeps_encoding_bom_and_other_bytes(encoding: str, ending: str) -> None:
    codec, text = encoding.split()[0], TEXT.replace("\n", ending)
    data = ENCODINGS[encoding] + text.encode(codec)
    assert edit_file(data, {}) == data
    old, new = (f"date: {date} #".encode(codec) for date in ("2022/7/25", DATE))
    assert edit_file(data, {"date": DATE}) == data.replace(old, new)


@pytest.mark.parametrize(
    "body",
    [
        "正文里有一个字节不对：".encode() * 9 + b"\xff\xfe tail",
        "会议指出，要把各项工作抓细抓实".encode("gb18030") * 9 + b"\x80",
        "會議指出，數據顯示較去年同期增長".encode("big5") * 9 + b"\xa1\xc3\xa2\xcc",
    ],
    ids=["a wrong byte in UTF-8", "0x80 in GB18030", "two ways of one letter in Big5"],
)
def test_lossy_edit_is_refused(body: bytes) -> None:
    with pytest.raises(FeedtoolError):
        edit_file(b"---\ndate: 2022/7/25\n---\n" + body, {"date": DATE})


def test_unencodable_letters_are_refused() -> None:
    data = b"---\ntitle: T\n---\n" + "Le café est fermé et la forêt déserte. ".encode("cp1252") * 9
    with pytest.raises(FeedtoolError):
        edit_file(data, {"title": "央行"})


@given(st.binary(max_size=300), st.sampled_from([b"\n", b"\r\n", b"\r"]))
@settings(max_examples=150)
def test_edit_keeps_the_body_or_is_refused(body: bytes, ending: bytes) -> None:
    assume(ending != b"\r" or b"\n" not in body)  # otherwise the ending does not separate lines
    head, tail = b"---" + ending + b"title: T" + ending + b"date: ", ending + b"---" + ending + body
    try:
        edited = edit_file(head + b"2022/7/25" + tail, {"date": DATE})
    except FeedtoolError:
        return
    assert edited == head + DATE.encode() + tail


# Values of every kind: their source, the comments in it, and the parsed value.
VALUES = [
    ("{key}: plain\n", [], "plain"),
    ("{key}: plain # behind\n", ["# behind"], "plain"),
    ("{key}:\n", [], ""),
    ("{key}: # empty\n", ["# empty"], ""),
    ("{key}: 'it''s # no comment'   # behind\n", ["# behind"], "it's # no comment"),
    ('{key}: "a\n\n  title: no\n  \\# b"\n'.replace("\\#", "#"), [], "a\ntitle: no # b"),
    ("{key}: plain\n  over # lines\n", ["# lines"], "plain over"),
    ("{key}: | # sign\n  date: no\n  # no comment\n", ["# sign"], "date: no\n# no comment\n"),
    ("{key}: >+\n  a\n   b\n", [], "a\n b\n"),
    ("{key}:\n- a # one\n# two\n- b\n", ["# one", "# two"], ["a", "b"]),
    ("{key}:\n  # one\n  - - a\n    - b # two\n", ["# one", "# two"], [["a", "b"]]),
    ("{key}: [a, # one\n  'b]', # two\n  c]  # three\n", ["# one", "# two", "# three"], ["a", "b]", "c"]),
    ("{key}:\n  date: inner # one\n  y: z\n", ["# one"], {"date": "inner", "y": "z"}),
]
KEYS = ["date", "Date-Line", "x_notes", "categories", "headimg", "guid"]
BETWEEN = ["", "", "# a comment: of its own\n", "\n", "  # indented\n\n"]
NEW = st.one_of(st.none(), st.booleans(), st.lists(st.text("ab: #'\"", max_size=6), max_size=3), st.text(max_size=20))


@given(
    st.lists(st.tuples(st.sampled_from(VALUES), st.sampled_from(BETWEEN)), min_size=1, max_size=len(KEYS)),
    st.integers(0, 5),
    NEW,
)
@settings(max_examples=300)
def test_yaml_edit_changes_only_lines_of_its_key(parts, index, value) -> None:
    assume(index < len(parts) and (not isinstance(value, str) or value.isprintable()))
    pieces = [shape.replace("{key}", key) for ((shape, _, _), _), key in zip(parts, KEYS, strict=False)]
    between = [one for _, one in parts]
    # Indented lines below a block, and blank lines below `>+`, belong to the value.
    between = ["" if re.search(": [|>]", piece) else one for piece, one in zip(pieces, between, strict=True)]
    head = "---\ntitle: T\n" + "".join(a + b for a, b in zip(pieces[:index], between, strict=False))
    tail = between[index] + "".join(a + b for a, b in zip(pieces[index + 1 :], between[index + 1 :], strict=True))
    key, tail = KEYS[index], f"{tail}---\nbody\n"
    # A block also includes the blank and indented lines that remain before the next key.
    assume(value is not None or not between[index] or not re.search(": [|>]", pieces[index - 1]))
    edited = edit_front_matter(head + pieces[index] + tail, {key.upper(): value})
    assert edited.startswith(head)
    assert edited.endswith(tail)
    mine = edited[len(head) : -len(tail)]
    trailing = pieces[index].split("\n")[0]
    for comment in parts[index][0][1]:
        assert comment in mine or (value is None and trailing.endswith(comment))
    before = {one: parsed for ((_, _, parsed), _), one in zip(parts, KEYS, strict=False) if one != key}
    stored = value if not isinstance(value, bool) else str(value).lower()
    expected = {"title": "T", **before} | ({} if value is None else {key: stored})
    assert parse_document(edited.encode(), every_key=True).values == expected


TOML = [
    ('{key} = "plain" # behind\n', ["# behind"], "plain"),
    ('{key} = """\ndate = 1\n# no comment\\\n"""\n', [], "date = 1\n# no comment"),
    ("{key} = '''\n[table]\n''' # end\n", ["# end"], "[table]\n"),
    ('{key} = [ # one\n  ["a"], # two\n\n  "b#",\n]\n', ["# one", "# two"], [["a"], "b#"]),
    ("{key} = {{ date = 1 }}#x\n", ["#x"], {"date": "1"}),
    ("{key} = 2022-07-25\n", [], "2022-07-25"),
]


@given(
    st.lists(st.tuples(st.sampled_from(TOML), st.sampled_from(BETWEEN)), min_size=1, max_size=len(KEYS)),
    st.integers(0, 5),
    NEW,
    st.sampled_from(["", "# of the table\n[table]\ndate = 1\n", "[[rows]]\nguid = 'x'\n"]),
)
@settings(max_examples=200)
def test_toml_edit_changes_only_lines_of_its_key(parts, index, value, table) -> None:
    assume(index < len(parts))
    pieces = [shape.replace("{key}", key).replace("{{", "{").replace("}}", "}")
              for ((shape, _, _), _), key in zip(parts, KEYS, strict=False)]  # fmt: skip
    between = [one for _, one in parts]
    head = "+++\n" + "".join(a + b for a, b in zip(pieces[:index], between, strict=False))
    tail = between[index] + "".join(a + b for a, b in zip(pieces[index + 1 :], between[index + 1 :], strict=True))
    key, tail = KEYS[index], f"{tail}{table}+++\nbody\n"
    edited = edit_front_matter(head + pieces[index] + tail, {key: value})
    assert edited.startswith(head)
    assert edited.endswith(tail)
    for comment in parts[index][0][1] if value is not None else ():
        assert comment in edited[len(head) : -len(tail)]
    before = parse_document((head + pieces[index] + tail).encode(), every_key=True).values
    stored = value if not isinstance(value, bool) else str(value).lower()
    expected = {one: parsed for one, parsed in before.items() if one != key}
    after = parse_document(edited.encode(), every_key=True).values
    assert after == expected | ({} if value is None else {key: stored})


# Characters that no YAML text can contain, escaped or not.
WHOLE = st.text(st.characters(exclude_categories=["Cs"]))
TRICKY = st.lists(
    st.sampled_from(["yes", "NULL", "~", "0x1F", "1:30", "2022-13-45T99:99:99Z", DATE, "null", ".inf", "1e3", "=", "<<",
                     *(" \t\n\r\"'#:,-?[]{}&*!|>%@`\\\0\x7f\x85\xa0\xad\u2028\u3000\ufeff\ufffe🀄e\u0301")])
).map("".join)  # fmt: skip


@given(WHOLE | TRICKY)
@example("\U0001f600\x07")
@example("2022-13-45T99:99:99Z")
@example("word " * 40 + "\x07")
@example("٢٠٢٢-٠٧-٢٥T٢٠:١١:٣٠Z")
@settings(max_examples=400)
def test_quoted_text_reads_back_in_any_yaml_parser(text: str) -> None:
    line = f"a: {quoted(text)}"
    assert len(line.splitlines()) == 1
    assert load_fully(line).values["a"] == text
    assert yaml.safe_load(line) == {"a": text} or yaml.safe_load(line)["a"].isoformat() == text.replace("Z", "+00:00")
    values = {"title": text, "tags": [text, "x"], "draft": False}
    assert yaml.safe_load(front_matter(values).split("---\n")[1]).keys() == values.keys()


@given(st.text(st.characters(categories=["Cs", "L"]), max_size=9))
def test_lone_surrogates_are_never_written(text: str) -> None:
    assert quoted(text).encode()
    assert edit_front_matter("+++\nx = 1\n+++\n", {"title": text}).encode()


def test_file_of_invalid_encoding_is_not_edited() -> None:
    data = b"---\ntitle: A\n---\n" + "正文".encode() + b" \xff\xfe\x80\n"
    with pytest.raises(FeedtoolError) as failure:
        edit_file(data, {"title": "B"})
    assert failure.value.what == "it contains bytes that are invalid in every encoding, and an edit would lose them"
    assert failure.value.hint == "save it as UTF-8 first"
