"""Test HTML cleaning against tables: elements, attributes, trackers, placeholders, lazy images."""

from __future__ import annotations

import tomllib
from html.parser import HTMLParser
from pathlib import Path

import pytest

from feedtool.html import Policy, clean, clean_html, is_placeholder, is_tracker, plain_text, safe_url, unwrap_proxy
from feedtool.html.text import leading_text
from feedtool.html.urls import is_emoji, strip_decorations

TABLES = Path(__file__).parent / "data" / "tables"
HTML = tomllib.loads((TABLES / "html.toml").read_text("utf-8"))
PICTURES = tomllib.loads((TABLES / "pictures.toml").read_text("utf-8"))
ELEMENTS: dict[str, str] = HTML["elements"]
ATTRIBUTES: dict[str, list[str]] = HTML["attributes"]
VALUES: dict[str, str] = HTML["values"]
LISTS = {name: text.split() for name, text in HTML["lists"].items()}
ROWS = {name: text.split() for name, text in PICTURES.items() if isinstance(text, str)}
REAL = "https://e.org/photos/harbour.jpg"
BASE = Policy(base_url="https://e.org/")


class Tags(HTMLParser):
    """The tags of a body with their attributes, read by Python's own parser."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: dict[str, dict[str, str | None]] = {}
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.setdefault(tag, {}).update(attrs)


def cleaned(body: str, policy: Policy = BASE) -> str:
    return clean(body, kind="html", policy=policy).html


@pytest.mark.parametrize("element", ELEMENTS)
def test_allowed_element_is_unchanged(element: str) -> None:
    assert cleaned(ELEMENTS[element]) == ELEMENTS[element]


@pytest.mark.parametrize("element", ELEMENTS)
def test_element_keeps_only_its_own_attributes(element: str) -> None:
    names = {*VALUES, *LISTS["never_attributes"], "data-x", "aria-label", "role", "onclick", "border", "itemprop"}
    attributes = "".join(f' {name}="{VALUES.get(name, "x")}"' for name in sorted(names))
    opening = f"<{element}{attributes}"
    # An attribute that the snippet has already is written twice then; the first one counts.
    body = ELEMENTS[element].replace(f"<{element}", opening, 1)
    own = {name: VALUES[name] for name in (*ATTRIBUTES["any"], *ATTRIBUTES.get(element, ()))}
    assert Tags(cleaned(body)).found[element] == own | HTML["forced"].get(element, {})


def test_other_elements_are_removed() -> None:
    listed = {*LISTS["never"], *LISTS["gone_with_content"], *LISTS["obsolete"], *LISTS["words"], *LISTS["inline"]}
    for element in sorted({*listed, "dialog", "search", "x-y", "tag"} - set(ELEMENTS)):
        assert f"<{element}" not in cleaned(f"<p>a</p><{element}>x</{element}>"), element


@pytest.mark.parametrize("element", sorted({*LISTS["gone_with_content"]} - {"math"}))  # its text stays, see html_cases
def test_element_is_removed_with_its_content(element: str) -> None:
    for policy in (BASE, Policy(tags=(element, element.upper()))):
        assert cleaned(f"<p>a</p><{element}>gone</{element}><p>b</p>", policy) == "<p>a</p><p>b</p>"


@pytest.mark.parametrize("element", LISTS["never"])
def test_settings_cannot_allow_harmful_elements(element: str) -> None:
    body = f"<p>a</p><{element}>x</{element}><p>b</p>"
    assert f"<{element}" not in cleaned(body, Policy(tags=(element, element.upper(), f" {element} ")))


@pytest.mark.parametrize("name", LISTS["never_attributes"])
def test_settings_cannot_allow_harmful_attributes(name: str) -> None:
    policy = Policy(attributes=(("p", name), ("*", name.upper()), ("P", f" {name} ")))
    assert cleaned(f'<p {name}="x">a</p>', policy) == "<p>a</p>"
    allowed = Policy(attributes=(("p", "data-x"), ("*", "itemprop")))
    assert cleaned('<p data-x="1" itemprop="a">b</p>', allowed) == '<p data-x="1" itemprop="a">b</p>'


@pytest.mark.parametrize("name", ["onclick", "onfoo", "xlink:href", "on"])
def test_settings_cannot_allow_handlers_or_namespaces(name: str) -> None:
    assert cleaned(f'<p {name}="x">a</p>', Policy(attributes=(("p", name), ("*", name)))) == "<p>a</p>"


@pytest.mark.parametrize("relation", LISTS["relations"])
def test_link_relation_is_kept(relation: str) -> None:
    assert cleaned(f'<a href="https://e.org/" rel="{relation} opener x">y</a>') == (
        f'<a href="https://e.org/" rel="{relation}">y</a>'
    )


@pytest.mark.parametrize("element", ["code", "pre"])
@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("language-py", "language-py"), ("lang-c++", "lang-c++"), ("hljs language-c# x", "language-c#"), ("hljs", None),
        ("xlanguage-py", None), ("language-", None), ("language-" + "a" * 40, "language-" + "a" * 40),
        ("language-" + "a" * 41, None),
    ],
)  # fmt: skip
def test_only_the_code_language_class_is_kept(element: str, value: str, kept: str | None) -> None:
    attributes = Tags(cleaned(f'<{element} class="{value}">x</{element}>')).found[element]
    assert attributes == ({} if kept is None else {"class": kept})


@pytest.mark.parametrize("element", LISTS["pruned"])
def test_element_emptied_by_a_removal_is_removed(element: str) -> None:
    inside = f"<{element}><b class=ad>x</b> <br></{element}>"
    around = {"li": "<ul>{}</ul>", "td": "<table><tr><td>y</td>{}</tr></table>"}.get(element, "<div>y{}</div>")
    result = cleaned(f"<p>a</p>{around.format(inside)}", Policy(remove=(".ad",)))
    assert f"<{element}>" not in result.replace("<td>y</td>", "").replace("<div>y</div>", "").replace("<p>a</p>", "")


@pytest.mark.parametrize("element", ["blockquote", "pre", "h2", "b", "article"])
def test_other_emptied_element_is_kept(element: str) -> None:
    result = cleaned(f"<p>a</p><{element}><i class=ad>x</i></{element}>", Policy(remove=(".ad",)))
    assert result == f"<p>a</p><{element}></{element}>"


@pytest.mark.parametrize("element", LISTS["blocks"])
def test_block_element_separates_words(element: str) -> None:
    assert plain_text(f"a<{element}>b</{element.upper()} >c") == "a b c"
    assert leading_text(f"a<{element}>b</{element}>c") == "a\nb\nc"


@pytest.mark.parametrize("element", LISTS["inline"])
def test_inline_element_does_not_separate_words(element: str) -> None:
    has_no_text = element in ("script", "style", "template", "svg", "math")
    assert plain_text(f"a<{element}>b</{element}>c") == ("ac" if has_no_text else "abc")
    assert leading_text(f"a<{element}>b</{element}>c") == ("ac" if element in ("rt", "rtc") else "abc")


@pytest.mark.parametrize("element", LISTS["obsolete"])
def test_obsolete_element_is_not_text(element: str) -> None:
    assert plain_text(f"a<{element}>b</{element}>c") == "abc"


@pytest.mark.parametrize("element", LISTS["words"])
def test_tag_named_like_a_word_needs_an_attribute(element: str) -> None:
    assert plain_text(f"List<{element}> of") == f"List<{element}> of"
    assert plain_text(f'a<{element} id="x">b') == "ab"


@pytest.mark.parametrize("rule", ROWS["trackers"])
def test_tracker_is_recognised_by_host_or_path(rule: str) -> None:
    host, slash, path = rule.partition("/")
    pixel = f"https://{host}/{path}x.gif" if slash else f"https://{host}/x"
    assert is_tracker(pixel)
    assert is_tracker(pixel.replace("https", "HTTP").replace(host, host.upper() if not slash else host))
    assert is_tracker(f"https://eu.{host}/x") == (not slash)
    assert not is_tracker(f"https://x{host}/x")
    assert not is_tracker(f"https://{host}.e.org/x")
    assert not (slash and is_tracker(f"https://{host}/other.png"))
    assert cleaned(f'<p>a<img src="{pixel}"></p>') == "<p>a</p>"
    assert "<img" in cleaned(f'<p>a<img src="{pixel}"></p>', Policy(drop_trackers=False))


@pytest.mark.parametrize("path", ROWS["tracker_paths"])
def test_tracker_is_recognised_by_a_path_fragment(path: str) -> None:
    assert is_tracker(f"https://e.org{path}")
    assert is_tracker(f"https://e.org/a{path}x")
    assert not is_tracker(f"https://e.org/x{path[1:]}")


@pytest.mark.parametrize("host", ROWS["placeholder_hosts"])
def test_placeholder_is_recognised_by_host(host: str) -> None:
    assert is_placeholder(f"https://{host}/400/300?random=81")
    assert is_placeholder(f"HTTPS://I.{host.upper()}/400")
    assert not is_placeholder(f"https://x{host}/400/300")


@pytest.mark.parametrize("name", ROWS["placeholder_names"])
@pytest.mark.parametrize("kind", ["gif", "png", "svg", "jpg", "webp"])
def test_placeholder_is_recognised_by_name(name: str, kind: str) -> None:
    assert is_placeholder(f"https://e.org/a/{name}.{kind}?v=2#x")
    assert is_placeholder(f"{name.upper()}.{kind.upper()}")
    assert not is_placeholder(f"https://e.org/a/my{name}.{kind}")
    assert not is_placeholder(f"https://e.org/a/{name}.html")
    assert not is_placeholder(f"https://e.org/a/{name}")


@pytest.mark.parametrize("name", ROWS["plain_names"])
def test_ambiguous_placeholder_must_be_gif_or_svg(name: str) -> None:
    assert [is_placeholder(f"https://e.org/{name}.{kind}") for kind in ("gif", "svg", "png", "jpg", "webp")] == [
        True, True, False, False, False,
    ]  # fmt: skip


@pytest.mark.parametrize("address", ["data:image/gif;base64,R0", "DATA:,", "about:blank", "javascript:x", "#", " ", ""])
def test_invalid_address_is_a_placeholder(address: str) -> None:
    assert is_placeholder(address)


@pytest.mark.parametrize("path", ROWS["emoji"])
def test_emoji_image_becomes_its_character(path: str) -> None:
    address = f"https://e.org{path}1f600.png" if path.startswith("/") else f"https://{path}1f600.png"
    assert is_emoji(address)
    assert cleaned(f'<p>a <img src="{address}" alt="😀"> b</p>') == "<p>a 😀 b</p>"
    assert "<img" in cleaned(f'<p>a <img src="{address}"> b</p>')
    assert clean(f'<img src="{address}">', kind="html", policy=BASE).image is None


@pytest.mark.parametrize(("host", "parameter"), PICTURES["proxies"].items())
def test_image_proxy_is_removed(host: str, parameter: str) -> None:
    assert unwrap_proxy(f"https://{host}/?w=9&{parameter}=https%3A%2F%2Fe.org%2Fa.png") == "https://e.org/a.png"
    assert unwrap_proxy(f"https://{host}/?{parameter}=e.org/a.png&x=1") == "https://e.org/a.png"


@pytest.mark.parametrize("name", ROWS["decorations"])
def test_tracking_parameter_is_removed(name: str) -> None:
    assert strip_decorations(f"https://e.org/?{name}=1#x") == "https://e.org/#x"
    assert cleaned(f'<a href="https://e.org/?a=1&amp;{name}=2">x</a>') == '<a href="https://e.org/?a=1">x</a>'
    assert strip_decorations(f"https://e.org/?a=1&x{name}=2") == f"https://e.org/?a=1&x{name}=2"


@pytest.mark.parametrize("word", ROWS["poor"])
def test_decorative_image_never_represents_an_article(word: str) -> None:
    address = f"https://e.org/a{word}png" if word.endswith(".") else f"https://e.org/a{word}x/b.png"
    cleaned_body = clean(f'<img src="{address}"><img src="{REAL}">', kind="html", policy=BASE)
    assert (cleaned_body.image, cleaned_body.html.count("<img")) == (REAL, 2)


@pytest.mark.parametrize("name", [*ROWS["lazy"], *ROWS["shy"]])
@pytest.mark.parametrize(
    "around", ["<p>{}</p>", "<p>{}</p><noscript>x</noscript>"]
)  # loaded without a parser, and with one
def test_lazy_image_is_shown(name: str, around: str) -> None:
    asleep = around.format(f'<img src="data:,x" {name}="{REAL}">')
    assert Tags(cleaned(asleep)).found["img"]["src"] == REAL
    other = around.format(f'<img src="https://e.org/real.jpg" {name}="{REAL}">')
    src = Tags(cleaned(other)).found["img"]["src"]
    assert src == (REAL if name in ROWS["lazy"] else "https://e.org/real.jpg")


@pytest.mark.parametrize("name", ROWS["lazy_sets"])
@pytest.mark.parametrize("around", ["<p>{}</p>", "<p>{}</p><noscript>x</noscript>"])
def test_lazy_srcset_is_shown(name: str, around: str) -> None:
    asleep = around.format(f'<img src="{REAL}" {name}="{REAL} 2x">')
    assert Tags(cleaned(asleep)).found["img"]["srcset"] == f"{REAL} 2x"


LINK = '<a href="https://www.youtube.com/embed/x">www.youtube.com</a>'
FRAMES = Policy(iframe_hosts=("www.youtube.com", "vimeo.com"))


@pytest.mark.parametrize(
    ("around", "wrapped"),
    [
        ("{}", True),
        ("<div>{}</div>", True),
        ("<figure>{}</figure>", True),
        ("<section>{}</section>", True),
        ("<article>{}</article>", True),
        ("<center>{}</center>", True),
        ("<table><tbody><tr><td>{}</td></tr></tbody></table>", True),
        ("<p>{}</p>", False),
        ("<ul><li>{}</li></ul>", False),
        ("<blockquote>{}</blockquote>", False),
        ("<p><b>{}</b></p>", False),
    ],
)
def test_iframe_becomes_a_link_in_its_own_paragraph(around: str, wrapped: bool) -> None:
    body = around.format('<iframe src="https://www.youtube.com/embed/x"></iframe>')
    assert cleaned(body, FRAMES) == around.format(f"<p>{LINK}</p>" if wrapped else LINK)


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://player.vimeo.com/video/1", "player.vimeo.com"),
        ("//vimeo.com/1", "vimeo.com"),
        ("https://notvimeo.com/1", ""),
        ("https://youtube.com/embed/x", ""),
        ("https://vimeo.com.e.org/1", ""),
        ("javascript:vimeo.com", ""),
        ("/embed", ""),
        ("", ""),
    ],
)
def test_iframe_of_a_listed_host_becomes_a_link(address: str, host: str) -> None:
    result = cleaned(f'<p>a</p><iframe src="{address}">x</iframe>', FRAMES)
    whole = f"https:{address}" if address.startswith("//") else address
    assert result == "<p>a</p>" + (f'<p><a href="{whole}">{host}</a></p>' if host else "")


@pytest.mark.parametrize(
    ("tag", "is_kept"),
    [
        ('<img src="{}" width="1">', False),
        ('<img src="{}" height="1px">', False),
        ('<img src="{}" width="0">', False),
        ('<img src="{}" width=" 1 ">', False),
        ('<img src="{}" height="1PX">', False),
        ('<img src="{}" width="2">', True),
        ('<img src="{}" width="10" height="11">', True),
        ('<img src="{}" width="1em">', True),
        ('<img src="{}" hidden>', False),
        ('<img src="{}" style="width:1px">', False),
        ('<img src="{}" style="color:red;HEIGHT : 0 ;">', False),
        ('<img src="{}" style="max-width:1px">', True),
        ('<img src="{}" style="width:10px">', True),
        ('<img src="{}" style="display:none">', False),
        ('<img src="{}" style="visibility: hidden">', False),
        ('<img src="{}" style="width:1px!important">', True),
    ],
)
def test_invisible_image_is_removed(tag: str, is_kept: bool) -> None:
    assert ("<img" in cleaned("<p>a" + tag.format(REAL) + "</p>")) == is_kept
    assert ("<img" in cleaned("<p>a" + tag.format(REAL) + "</p><xmp>b</xmp>")) == is_kept


@pytest.mark.parametrize(
    ("tag", "image"),
    [
        ('<img src="{}" width="48">', False),
        ('<img src="{}" height="48px">', False),
        ('<img src="{}" width="49" height="49">', True),
        ('<img src="{}" width="640" height="48">', False),
        ('<img src="{}" width="100%">', True),
        ('<img alt="a src=" src="{}">', True),
        ('<img srcset="{} 2x">', True),
        ('<img src="{}" width="9999999">', True),
    ],
)
def test_image_of_some_size_represents_the_article(tag: str, image: bool) -> None:
    assert (clean(tag.format(REAL), kind="html", policy=BASE).image == REAL) is image


VOID = "area base br col embed hr img input link meta param source track wbr"
CLOSED_BY_THE_NEXT = "p li dd dt option tr td th tbody thead tfoot colgroup caption rp rt rb rtc h1 h2 h3 h4 h5 h6"


@pytest.mark.parametrize("element", f"{VOID} {CLOSED_BY_THE_NEXT}".split())
def test_unnestable_elements_may_be_many(element: str) -> None:
    around = "<ruby>" if element in ("rp", "rt", "rb", "rtc") else "<p>First.</p>"
    body = around + f"<{element}>x " * 2_500
    assert clean(body, kind="html", policy=BASE).warnings == ()


@pytest.mark.parametrize("element", ["div", "span", "b", "section", "ul"])
def test_open_elements_are_limited(element: str) -> None:
    result = clean(f"<{element}>x " * 2_500, kind="html", policy=BASE)
    assert len(result.warnings) == 1
    assert "published as plain text" in result.warnings[0]
    assert result.html.count("x") == 2_500


def test_refused_body_keeps_each_line_once() -> None:
    lines = [f"line {number}." for number in range(6_000)]
    body = "<div>" * 700 + "".join(f"<p>{line}</p>" for line in lines)
    result = clean(body, kind="html", policy=BASE)
    assert len(result.warnings) == 1
    assert result.html.replace("<p>", " ").replace("</p>", " ").split() == " ".join(lines).split()


def test_removals_are_explained_only_on_request() -> None:
    assert clean_html("<p onclick=x>a</p><script>b</script>", kind="html", policy=BASE).removals == ()
    assert clean_html("<script>b</script>", kind="html", policy=BASE, explain=True).removals != ()


def test_scheme_hidden_by_references_is_found() -> None:
    assert safe_url("&#32;" * 70 + "javascript:alert(1)", "https://e.org/") is None


def test_allowed_element_names_ignore_case() -> None:
    for name in ("x-note", " X-Note ", "x-NOTE\n"):
        assert cleaned("<x-note>a</x-note>", Policy(tags=(name,))) == "<x-note>a</x-note>"
    for name in ("x note", "x.note", "é", "", "x:note"):
        assert cleaned("<x-note>a</x-note>", Policy(tags=(name,))) == "a"


@pytest.mark.parametrize(("length", "cut"), [(149_000, False), (160_000, True)])
def test_long_text_of_a_refused_body_is_cut(length: int, cut: bool) -> None:
    body = "<div>" * 700 + "".join(f"<p>{'x' * 990}</p>" for _ in range(length // 990))
    result = clean(body, kind="html", policy=BASE)
    assert (", cut after" in result.warnings[0]) is cut
    assert result.html.count("x") == min(length // 990 * 990, 150_000)
