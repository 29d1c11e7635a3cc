"""The options and results of cleaning a body, and the tables of HTML that feeds may contain."""

from __future__ import annotations

from collections.abc import Mapping

from feedtool.frozen import Frozen, frozen
from feedtool.html.names import name_set
from feedtool.models import SafeHtml


@frozen
class Policy(Frozen):
    """How bodies are cleaned.

    Relative addresses are resolved against `base_url`; with "" they are removed. `tags` and `attributes` (tag or "*",
    attribute) are allowed in addition to the built-in ones, except those in `FORBIDDEN_TAGS` and `FORBIDDEN_ATTRIBUTES`.
    `remove` holds CSS selectors of elements to remove. Iframes from `iframe_hosts` and their subdomains become links.
    `proxies` are prefixes that are removed from the addresses of pictures.
    """

    base_url: str = ""
    tags: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    iframe_hosts: tuple[str, ...] = ()
    remove: tuple[str, ...] = ()
    drop_trackers: bool = True
    proxies: tuple[str, ...] = ()


@frozen
class Removal(Frozen):
    """Something removed from a body: what it was (`script`, `attribute onclick`), and plain text that identifies it."""

    what: str
    detail: str = ""


@frozen
class Cleaned(Frozen):
    """A clean body: its HTML, the plain text at its beginning, and the address of its first real picture.

    `removals` is filled only if an explanation was asked for. `warnings` say what was lost and how to fix it.
    """

    html: SafeHtml
    text: str = ""
    image: str | None = None
    removals: tuple[Removal, ...] = ()
    warnings: tuple[str, ...] = ()


TAGS = name_set(
    "a abbr address article aside audio b bdi bdo big blockquote br caption center cite code col colgroup dd del"
    " details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hgroup hr i img ins kbd li main mark nav ol p"
    " picture pre q rb rp rt rtc ruby s samp section small source span strike strong sub summary sup table tbody td"
    " tfoot th thead time tr track tt u ul var video wbr"
)

ATTRIBUTES: Mapping[str, frozenset[str]] = {
    "*": name_set("lang dir title"),
    "a": name_set("href hreflang rel"),
    "audio": name_set("src loop muted"),
    "blockquote": name_set("cite"),
    "code": name_set("class"),
    "col": name_set("span"),
    "colgroup": name_set("span"),
    "del": name_set("cite datetime"),
    "details": name_set("open"),
    "img": name_set("src srcset sizes alt width height loading decoding"),
    "ins": name_set("cite datetime"),
    "li": name_set("value"),
    "ol": name_set("start reversed type"),
    "pre": name_set("class"),
    "q": name_set("cite"),
    "source": name_set("src srcset sizes type media width height"),
    "td": name_set("colspan rowspan headers align"),
    "th": name_set("colspan rowspan headers scope abbr align"),
    "time": name_set("datetime"),
    "track": name_set("src kind srclang label default"),
    "video": name_set("src poster width height loop muted playsinline"),
}

FORCED: Mapping[str, Mapping[str, str]] = {
    # Sina and Weibo answer 403 if a picture is requested with the referrer of another site.
    "img": {"referrerpolicy": "no-referrer"},
    "audio": {"controls": ""},
    "video": {"controls": ""},
}

CONTENT_DROPPED = name_set(
    "button datalist iframe label legend math meter noembed noframes noscript optgroup option output progress script"
    " select style svg template textarea title"
)
"""Elements that are removed with their content, which is not part of the article's text."""

FORBIDDEN_TAGS = CONTENT_DROPPED | name_set(
    "annotation-xml applet base body embed fieldset foreignobject form frame frameset head html input isindex keygen"
    " link listing meta object param plaintext portal slot xmp mi mo mn ms mtext mglyph malignmark desc"
)
"""Never allowed, whatever a policy says: scripts, frames, forms, and elements known from advisories on sanitizers."""

FORBIDDEN_ATTRIBUTES = name_set(
    "action autofocus background class codebase content contenteditable data dynsrc form formaction formenctype"
    " formmethod formtarget http-equiv id integrity is lowsrc manifest name nonce ping slot srcdoc style target usemap"
    " referrerpolicy controls"
)


def allowed_tags(policy: Policy) -> frozenset[str]:
    """Return every allowed tag: the built-in ones and the policy's, never a forbidden one."""
    if not policy.tags:
        return TAGS
    extra = frozenset(tag.strip().lower() for tag in policy.tags)
    return TAGS | frozenset(tag for tag in extra - FORBIDDEN_TAGS if tag.isascii() and tag.replace("-", "").isalnum())


def allowed_attributes(policy: Policy) -> Mapping[str, frozenset[str]]:
    """Return the allowed attributes by tag, "*" for any tag; never a forbidden one."""
    if not policy.attributes:
        return ATTRIBUTES
    table = {tag: set(names) for tag, names in ATTRIBUTES.items()}
    for tag, name in policy.attributes:
        attribute = name.strip().lower()
        if (
            attribute
            and attribute not in FORBIDDEN_ATTRIBUTES
            and not attribute.startswith("on")
            and ":" not in attribute
        ):
            table.setdefault(tag.strip().lower(), set()).add(attribute)
    return {tag: frozenset(names) for tag, names in table.items()}
