"""Test that hidden text of a site is not published: protected text, and comments of template languages and Obsidian."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedtool.articles import Rules, read_article
from feedtool.html.template_tags import hidden_parts, is_protective, without_parts
from feedtool.models import BodyKind
from tests.support.site import article, build, make_site, run, tree

FLAVOURS = ("plain", "hexo", "jekyll", "hugo")
PROTECTED = {
    "Hugo, Markdown": '{{% fixit-encryptor "p4ss" %}}\nSECRET\n{{% /fixit-encryptor %}}',
    "Hugo, HTML": '{{< encrypt password="p4ss" >}}SECRET{{< /encrypt >}}',
    "Hugo, mixed": '{{% hugo-encryptor "p4ss" %}}SECRET{{< /hugo-encryptor >}}',
    "Hugo, over lines": '{{<\n  password\n  "p4ss"\n>}}\n\n# SECRET\n\n{{< /password >}}',
    "Hugo, nested": "{{< locked >}}SECRET{{< locked >}}SECRET{{< /locked >}}SECRET{{< /locked >}}",
    "Hugo, others within": "{{< secret >}}SECRET{{< ref x >}}SECRET{{% note %}}SECRET{{% /note %}}{{< /secret >}}",
    "Hugo, until a date": "{{< hidden-until 2030 >}}SECRET{{< /hidden-until >}}",
    "Hugo, code within": "{{% encrypt %}}\n```\nSECRET\n{{% /encrypt %}}\n```\nSECRET\n{{% /encrypt %}}",
    "Hugo, code around its end": "{{% encrypt %}}\n\n    SECRET\n\n`SECRET {{% /encrypt %}}` SECRET\n\n{{% /encrypt %}}",
    "Hugo, indented": "    {{% encrypt %}}\n    SECRET\n    {{% /encrypt %}}",
    "Hexo": "{% encrypt p4ss %}\nSECRET\n{% endencrypt %}",
    "Hexo, trimmed": "{%- password 'p4ss' -%}SECRET{%- end_password -%}",
    "a component": '<PasswordProtect password="p4ss">\n\nSECRET\n\n</PasswordProtect>',
    "brackets": "[protected pass=p4ss]SECRET[/protected]",
    "a backtick before and within": "a ` b {{% encrypt %}} SECRET `SECRET` {{% /encrypt %}}",
    "backticks over lines": "a ` b\n{{% encrypt %}}\nSECRET ` SECRET\n{{% /encrypt %}}",
    "in a quotation": "> {{% encrypt %}}\n> SECRET\n> {{% /encrypt %}}",
    "in a list": "- x\n\n  {{% encrypt %}}\n  SECRET\n  {{% /encrypt %}}",
    "crossing a comment": "{% comment %}{{% encrypt %}}SECRET{% endcomment %}SECRET{{% /encrypt %}}",
}
UNCLOSED = {
    "Hugo": '{{% encrypt "p4ss" %}}\nSECRET\n\n# SECRET',
    "Hugo, no end of the tag": '{{< encrypt "p4ss"\nSECRET',
    "Hexo": "{% secret p4ss %} SECRET {% endother %} SECRET",
    "a fence hides its end": "{{% encrypt %}}\n```\nSECRET\n{{% /encrypt %}}\nSECRET",
    "one end of two": "{{% encrypt %}}SECRET{{% encrypt %}}SECRET{{% /encrypt %}}SECRET",
}
LITERAL = (
    '`{{% encrypt "a" %}}` opens and `{{% /encrypt %}}` closes',
    "```\n{{% encrypt %}}\ntext\n{{% /encrypt %}}\n```",
    "~~~~\n{{< secret >}}\n~~~\n{% password %}\n~~~~",
    "{{</* encrypt */>}} text {{</* /encrypt */>}}",
    "{{% secret /%}} text {{< password x />}}",
    "{{< email-protect x >}} text {{< figure src=encrypt.png >}} {% link encrypt.md %}",
    "{{ site.password }} {{ secret }}",
    "A [secret] and [protected](x.html), List<Secret>, <Secret/> and the word encrypt.",
    "<pre>{{% encrypt %}}</pre> and <code>{% encrypt %}</code>",
    "100%% sure, 50%% more and a lone %% here.",
    "50 %% of it.\n\nAnd %% of that.",
    'printf("%%d %%s") and for %%i in (*.txt) do echo %%i',
    "{%%} {{%%}} %%%% %%%",
    "`%% code %%` and ``%% more` %%``",
    "```\n%%\ncode\n%%\n```",
    "    %% code %%\n\n```\n{% comment %}code{% endcomment %}\n```",
    "`{% comment %}` and `{% endcomment %}`",
    "    {% comment %}code{% endcomment %}",
    "<pre>{% comment %}code{% endcomment %}</pre>",
    "## Heading {#id}\n\nText {#other} text.",
    "{% comment %} that nothing ends",
    "{{/* that nothing ends",
    "%%\nthat nothing ends",
    "a %% b\n\nc %% d",
)
COMMENTS = {
    "{% comment %}REMARK{% endcomment %}": FLAVOURS,
    "{%- comment -%}\nREMARK\n\nREMARK\n{%- endcomment -%}": FLAVOURS,
    "{% comment %}REMARK{% comment %}REMARK{% endcomment %}REMARK{% endcomment %}": FLAVOURS,
    "{% # REMARK %}": FLAVOURS,
    "{%- # REMARK\n   # REMARK -%}": FLAVOURS,
    "{# REMARK #}": ("hexo", "plain"),
    "{#REMARK\nREMARK#}": ("hexo",),
    "{{/* REMARK */}}": FLAVOURS,
    "{{- /* REMARK */ -}}": FLAVOURS,
    "{{< comment >}}REMARK{{< /comment >}}": FLAVOURS,
    "{{% comment %}}\nREMARK\n{{% /comment %}}": FLAVOURS,
    "{/* REMARK */}": ("plain",),
    "{::comment}\nREMARK\n{:/comment}": ("jekyll", "plain"),
    "{::comment}REMARK{:/}": ("jekyll", "plain"),
    "%% REMARK %%": FLAVOURS,
    "%%REMARK%%": FLAVOURS,
    "word%%REMARK%%word": FLAVOURS,
    "(%% REMARK %%)": FLAVOURS,
    "text %% REMARK\nREMARK %% text": FLAVOURS,
    "\n%%\nREMARK\n\n- REMARK\n\n```\nREMARK\n```\n%%\n": FLAVOURS,
    "\n%% REMARK\n\nREMARK %%\n": FLAVOURS,
    "\n> %% REMARK %%\n": FLAVOURS,
}


def visible(body: str, kind: BodyKind = "markdown", flavour: str = "plain") -> str:
    """Return the published parts of a body."""
    parts = hidden_parts(body, kind, flavour)
    assert all(one.start < one.end for one in parts)
    assert all(one.end <= other.start for one, other in pairwise(parts))
    return without_parts(body, parts)


@pytest.mark.parametrize("name", PROTECTED)
@pytest.mark.parametrize("flavour", FLAVOURS)
def test_protected_text_and_password_are_hidden(name: str, flavour: str) -> None:
    text = visible(f"Before.\n\n{PROTECTED[name]}\n\nAfter.\n", flavour=flavour)
    assert "SECRET" not in text
    assert "p4ss" not in text
    assert text.startswith("Before.")
    assert text.endswith("After.\n")


@pytest.mark.parametrize("name", UNCLOSED)
def test_open_tag_hides_the_rest(name: str) -> None:
    assert visible(f"Before.\n\n{UNCLOSED[name]}\n\nAfter.\n").strip() == "Before."


@pytest.mark.parametrize("body", LITERAL)
@pytest.mark.parametrize("flavour", ["plain", "jekyll"])
def test_other_text_is_kept(body: str, flavour: str) -> None:
    text = f"Before.\n\n{body}\n\nAfter.\n"
    assert visible(text, flavour=flavour) == text


@pytest.mark.parametrize("comment", COMMENTS)
def test_comments_are_hidden_per_flavour(comment: str) -> None:
    for flavour in FLAVOURS:
        text = visible(f"Before. {comment} After.\n", flavour=flavour)
        assert ("REMARK" not in text) == (flavour in COMMENTS[comment])
        assert text.startswith("Before. ")
        assert text.endswith(" After.\n")


def test_raw_tag_keeps_its_content() -> None:
    body = "{% raw %}{% comment %}a{% endcomment %} {{% encrypt %}} b %% c %% d{% endraw %}"
    for flavour in ("plain", "hexo", "jekyll"):
        assert visible(body, flavour=flavour) == body
    # Hugo has no such tag.
    assert "encrypt" not in visible(body, flavour="hugo")


def test_obsidian_comments_need_markdown() -> None:
    body = "<p>one %% two %% three</p>"
    assert visible(body, "html") == visible(body, "text") == body
    assert visible("<div>\n\n    <p>one %% two %% three</p>\n\n</div>").count("%%") == 2
    assert visible("one %% two %% three") == "one  three"


def test_tags_in_html_are_hidden_outside_code() -> None:
    body = (
        "<p>{{% encrypt %}}a{{% /encrypt %}}{% comment %}b{% endcomment %}</p><pre>{{% encrypt %}}{% comment %}</pre>"
    )
    assert visible(body, "html") == "<p></p><pre>{{% encrypt %}}{% comment %}</pre>"


@pytest.mark.parametrize(
    "name",
    [
        "encrypt",
        "hugo-encryptor",
        "Encrypted",
        "EncryptedBlock",
        "password_protect",
        "secret",
        "my/secret",
        "加密内容",
        "hidden-until",
    ],
)
def test_protective_names_are_recognised(name: str) -> None:
    assert is_protective(name)


@pytest.mark.parametrize(
    "name", ["figure", "secretary", "blocked", "protect-email", "pass", "note", "hidden", "lock", "x"]
)
def test_other_names_are_not_protective(name: str) -> None:
    assert not is_protective(name)


def test_text_of_any_alphabet_is_cut_correctly() -> None:
    assert (
        visible("长é😀 `x` 😀{{% encrypt %}}秘{{% /encrypt %}}长 ``{% secret %}`` é")
        == "长é😀 `x` 😀长 ``{% secret %}`` é"
    )


good = st.sampled_from(
    ["Words.", "`code`", "```\n{{% encrypt %}}\n```", "> quote", "- item", "*a*", "<b>x</b>", "100%% sure", "\n", " "]
)
blocks = st.lists(good, max_size=6).map(lambda pieces: "\n\n".join(pieces) + "\n\n")
tags = st.sampled_from(sorted(PROTECTED))
inside = st.sampled_from(
    [
        "SECRET",
        "```",
        "`",
        "`SECRET`",
        "%%",
        "{{< ref >}}",
        "\n",
        "\n\n",
        "- ",
        "    ",
        "{% comment %}",
        "<!--",
        "<pre>",
    ]
)


@given(blocks, st.lists(inside, max_size=8).map("".join), blocks, st.sampled_from(FLAVOURS))
def test_protected_text_never_leaks(before: str, secret: str, after: str, flavour: str) -> None:
    for begin, end in (("{{% encrypt %}}", "{{% /encrypt %}}"), ("{% password %}", "{% endpassword %}")):
        text = visible(f"{before}{begin}\nSECRET{secret}\n{end}\n\n{after}", flavour=flavour)
        assert "SECRET" not in text
        assert text.startswith(before)


def test_protected_text_is_in_no_output(tmp_path: Path) -> None:
    locked = '{{% fixit-encryptor "p4ss" %}}\n# SECRET\n\n![SECRET](https://example.org/SECRET.png)\n{{% /fixit-encryptor %}}\n'
    site = make_site(
        tmp_path,
        {
            "a.md": article("A", body=f"Before.\n\n{locked}\nAfter.\n"),
            "2024-03-05-b.md": f"---\ndate: 2024-03-05\n---\n{locked}\n{{% comment %}}\n# REMARK\n{{% endcomment %}}\n\n## Real\n",
            "c.md": article(
                "C", body="One. %% REMARK %%\n\n{% comment %}REMARK\n\n<!--more-->\n\n{% endcomment %}\n\nTwo.\n"
            ),
            "d.html": article("D", body="<p>x</p>{% encrypt p4ss %}<p>SECRET</p>"),
        },
        '[articles]\nflavour = "jekyll"\n[pages]\narticles = "all"\n',
    )
    result = build(site)
    problems = [(one["file"], one["line"], one["code"], one["severity"]) for one in result.json["problems"]]
    assert problems == [
        ("articles/2024-03-05-b.md", 4, "FT027", "warning"),
        ("articles/a.md", 7, "FT027", "warning"),
        ("articles/d.html", 5, "FT027", "warning"),
    ]
    assert "p4ss" not in result.stdout + result.stderr
    for path, data in tree(site / "public").items():
        assert not any(word in data for word in (b"SECRET", b"p4ss", b"REMARK")), path
    items = {item["title"]: item for item in json.loads((site / "public/feed.json").read_text("utf-8"))["items"]}
    assert items.keys() == {"A", "Real", "C", "D"}
    assert items["A"]["summary"] == "Before. After."
    assert items["C"]["content_html"].split() == ["<p>One.</p>", "<p>Two.</p>"]
    again = build(site)
    assert (again.json["written"], again.json["problems"]) == (0, result.json["problems"])


def test_explain_lists_hidden_parts_without_text(tmp_path: Path) -> None:
    body = 'One.\n\n%% REMARK %%\n\n{{% encrypt "p4ss" %}}\nSECRET\n{{% /encrypt %}}\n'
    site = make_site(tmp_path, {"a.md": article("A", body=body)})
    explained = run("explain", "-C", str(site), str(site / "articles/a.md"), "--json")
    assert explained.json["removed"] == [
        {"what": "Obsidian comment", "detail": "line 7"},
        {"what": "protected text in encrypt", "detail": "line 9"},
    ]
    assert not any(word in explained.stdout + explained.stderr for word in ("p4ss", "SECRET", "REMARK"))


def test_one_warning_per_name_and_article() -> None:
    body = "{{% encrypt %}}a{{% /encrypt %}}\n" * 50 + "{% secret %}"
    text = f"---\ntitle: A\ndate: 2024-03-05\n---\n{body}"
    _, problems = read_article("a.md", text.encode(), Rules())
    assert [(one.line, one.code, "not closed" in one.message) for one in problems] == [
        (5, "FT027", False),
        (55, "FT027", True),
    ]


PIECES = (
    *(
        "{{% encrypt %}}",
        "{{% /encrypt %}}",
        "{{< encrypt ",
        "{% secret %}",
        "{% endsecret %}",
        "{% secret ",
        "{% comment %}",
    ),
    *(
        "{% endcomment %}",
        "{% raw %}",
        "{% raw %}a{% endraw %}",
        "{#",
        "{# ",
        "#}",
        "{{/*",
        "*/}}",
        "{/*",
        "{::comment}",
        "{:/}",
    ),
    *(
        "%%",
        "%% ",
        " %%\n",
        "%%a\n\n",
        "[secret ",
        "[secret]",
        "[/secret]",
        "<Secret>",
        "</Secret>",
        "<Secret ",
        "<pre>",
        "<code>",
    ),
    *("</code>{%", "{% comment", "{%" + " " * 60, "{{<" + " " * 60, "`{% secret %}` ", "```\n{% secret %}\n```\n"),
)


@pytest.mark.parametrize("piece", PIECES)
def test_many_tags_are_read_quickly(piece: str) -> None:
    for size in (900_000, 1_100_000):
        body = "{% raw" + piece * (size // len(piece)) + " secret [/"
        start = time.process_time()
        visible(body)
        assert time.process_time() - start < 4
