"""Split malformed XML into tags, sections and text. A `<` that starts none of them is text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, NamedTuple

_NAME = re.compile(r"<(/?)([^\W\d][\w.-]*(?::[^\W\d][\w.-]*)?)(?=[\s/>])")
_ATTRIBUTE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*(?::[A-Za-z_][A-Za-z0-9_.-]*)?(?=[\s=/>\"'<]|\Z)")
_ODD_NAME = re.compile(r"[^\s\"'<>/=]+")
_GAP = re.compile(r"[\s\"'=]*+(?>(?:/(?!>)[\s\"'=]*+)*)")
_NOISY_NAME = re.compile(r"<(?:&amp;)?(/?)([\w.:-]{0,100})(<|&amp;|)([\w.:-]{0,100})(?=[\s/>])")
_NOISY_ATTRIBUTE = re.compile(r"[A-Za-z_][\w.:-]{0,100}<[\w.:-]{1,100}(?=\s{0,9}=\s{0,9}[\"'])")
_NOISE_BEFORE_QUOTE = re.compile(r"(?:<|&amp;)(?=[\"'])")
_EQUALS = re.compile(r"\s*+(?:<|&amp;)?=\s*+")
_BARE_VALUE = re.compile(r"[^\s\"'<>]++")
_AFTER_VALUE = re.compile(r"[\s/>]|[A-Za-z_][\w.:-]{0,100}+\s{0,9}=")
_UP_TO_SIGN = re.compile(r"[^\"'<>]*+")
_NEXT_ATTRIBUTE = re.compile(r"\s[A-Za-z_][\w.:-]{0,100}\s{0,9}=\s{0,9}\Z")
_END_REST = re.compile(r"[^<>]*+>?")
_DECLARATION = re.compile(r"<![A-Za-z\[][^<>]*+>")
_TARGET = re.compile(r"<\?[A-Za-z_]")
_BARE_AMPERSAND = re.compile(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)")
_LONGEST_INSTRUCTION = 5_000
_MOST_LOOKUPS = 200
_LONGEST_FAULT = 120

Kind = Literal["start", "end", "empty", "text"]


class Token(NamedTuple):
    """A tag with its attributes, or text (including CDATA sections) as well-formed XML; `at` is its position."""

    kind: Kind
    at: int
    text: str = ""
    name: str = ""
    attributes: dict[str, str] = {}  # noqa: RUF012  never changed

    @property
    def tag(self) -> str:
        """The tag as well-formed XML."""
        if self.kind == "end":
            return f"</{self.name}>"
        attributes = "".join(f' {name}="{value}"' for name, value in self.attributes.items())
        return f"<{self.name}{attributes}{'/' if self.kind == 'empty' else ''}>"


class Scanner:
    """Read a document tag by tag. `entry` is the name of its entries' elements, `frame` the names of those around them.

    A tag with a stray `<` or `&` is recognized by its name: otherwise an entry could be merged with the previous one.
    Time is linear in the document.
    """

    def __init__(self, text: str, entry: str, frame: Iterable[str]) -> None:
        self.text = text
        self.faults: list[tuple[int, str]] = []
        self.entry = entry
        self._entry = re.compile(rf"<(/?){re.escape(entry)}(?=[\s/><])", re.IGNORECASE)
        self._frame = frozenset((entry.lower(), *(name.lower() for name in frame)))
        self._ends: dict[str, bool] = {}
        self._last_instruction = text.rfind("?>")

    def tokens(self) -> Iterator[Token]:
        """Yield the tokens of the document in order, without comments and processing instructions."""
        text, at = self.text, 0
        while (start := text.find("<", at)) >= 0:
            if start > at:
                yield self._text(at, start)
            token, at = self._markup(start)
            if token is not None:
                yield token
        if at < len(text):
            yield self._text(at, len(text))

    def fault(self, at: int, what: str) -> None:
        """Record a fault at a position of the document."""
        self.faults.append((at, what[:_LONGEST_FAULT]))

    def _text(self, start: int, end: int) -> Token:
        piece = self.text[start:end]
        if "]]>" in piece:
            self.fault(start, '"]]>" in text')
            piece = piece.replace("]]>", "]]&gt;")
        return Token("text", start, escaped(piece))

    def _as_text(self, start: int) -> tuple[Token, int]:
        self.fault(start, 'a "<" that does not start a tag')
        return Token("text", start, "&lt;"), start + 1

    def _markup(self, start: int) -> tuple[Token | None, int]:
        text = self.text
        if text.startswith(("<!", "<?"), start):
            return self._section_or_declaration(start)
        if match := _NAME.match(text, start):
            name = self._name(match.group(2))
            return self._tag(start, match.group(1), name, match.end()) if name else self._as_text(start)
        if (noisy := _NOISY_NAME.match(text, start)) and (name := self._without_stray(noisy)):
            self.fault(start, f'a "<" or "&" in a tag <{name}>')
            return self._tag(start, noisy.group(1), name, noisy.end())
        if entry := self._entry.match(text, start):
            return self._tag(start, entry.group(1), self.entry, entry.end())
        return self._as_text(start)

    def _tag(self, start: int, slash: str, name: str, at: int) -> tuple[Token, int]:
        is_entry = name.lower() == self.entry.lower()
        if slash:
            return self._end(start, self.entry if is_entry else name, at)
        if name.lower() in self._frame:
            # The name is enough: this is a tag with any content.
            return self._start(start, self.entry if is_entry else name, at, sure=True) or self._as_text(start)
        return self._start(start, name, at) or self._as_text(start)

    def _without_stray(self, noisy: re.Match[str]) -> str:
        """Return the name of a tag without the stray character, "" if the document does not use this name."""
        name = noisy.group(2) + noisy.group(4)
        if not _ATTRIBUTE_NAME.fullmatch(name) or not (self._is_known(name) or self._has_start(name)):
            return ""
        is_behind_slash = bool(noisy.group(1)) and not noisy.group(2)
        is_other = noisy.group(3) == "<" and not is_behind_slash and self._begins_tag(noisy.start(3))
        return "" if is_other else name

    def _is_known(self, name: str) -> bool:
        return name.lower() in self._frame or self.has_end(name)

    def _begins_tag(self, at: int) -> bool:
        """Return True if a `<` inside a tag starts another tag, and is not a stray character."""
        match = _NAME.match(self.text, at)
        if match is None:
            return self.text.startswith(("<!", "<?"), at)
        return bool(match.group(1)) or self._is_known(match.group(2))

    def _name(self, name: str) -> str:
        """Return the name in a form that every parser accepts, "" if a name beyond ASCII has no end tag and so is text."""
        if name.isascii():
            return name
        return "x" + name.encode("utf-8").hex() if self.has_end(name) else ""

    def has_end(self, name: str) -> bool:
        """Return True if an end tag of this name exists. Only the first 200 names are looked up; others return False."""
        if name not in self._ends:
            self._ends[name] = self._has_any(f"</{name}>", f"</{name} ")
        return self._ends[name]

    def _has_start(self, name: str) -> bool:
        key = f"<{name}"
        if key not in self._ends:
            self._ends[key] = self._has_any(f"<{name}>", f"<{name} ")
        return self._ends[key]

    def _has_any(self, *texts: str) -> bool:
        return len(self._ends) < _MOST_LOOKUPS and any(one in self.text for one in texts)

    def _section_or_declaration(self, start: int) -> tuple[Token | None, int]:
        """Return a CDATA section and its end, or None and the end of a comment, processing instruction or declaration."""
        text = self.text
        if text.startswith("<![CDATA[", start):
            end = text.find("]]>", start)
            end = end if end >= 0 else len(text)
            return Token("text", start, text[start:end] + "]]>"), min(end + 3, len(text))
        if text.startswith("<!--", start):
            end = text.find("-->", start + 4)
            inner = text[start + 4 : end] if end >= 0 else "--"
            if "--" in inner or inner.endswith("-"):
                self.fault(start, 'a comment with "--" in it')
            return None, end + 3 if end >= 0 else len(text)
        if match := _DECLARATION.match(text, start):
            self.fault(start, "a declaration inside the document")
            return None, match.end()
        if text.startswith("<!", start) or start > self._last_instruction:
            return self._as_text(start)
        end = text.find("?>", start, start + _LONGEST_INSTRUCTION)
        if end >= 0 and _TARGET.match(text, start) and not self._entry.search(text, start, end):
            if text.startswith("<?xml", start):
                self.fault(start, "an XML declaration inside the document")
            return None, end + 2
        return self._as_text(start)

    def _end(self, start: int, name: str, at: int) -> tuple[Token, int]:
        rest = _END_REST.match(self.text, at)
        at = rest.end() if rest else at
        if not self.text.startswith(">", at - 1):
            self.fault(start, f'</{name} without a closing ">"')
        return Token("end", start, name=name), at

    def _start(self, start: int, name: str, at: int, *, sure: bool = False) -> tuple[Token, int] | None:
        """Return a start tag and its end, None if this is text; `sure` means that it is a tag in any case."""
        text, attributes, bare = self.text, dict[str, str](), 0
        count, is_noisy = len(self.faults), False
        while True:
            gap = _GAP.match(text, at)
            at = gap.end() if gap else at
            if text.startswith(">", at):
                break
            if text.startswith("/>", at):
                return Token("empty", start, name=name, attributes=attributes), at + 2
            if at < len(text) and text[at] != "<":
                at, is_bare = self._attribute(name, at, attributes)
                bare += is_bare
            elif at < len(text) and not is_noisy and (attributes or self._is_known(name)) and not self._begins_tag(at):
                self.fault(start, f'a "<" in a tag <{name}>')
                at, is_noisy = at + 1, True
            elif sure:
                self.fault(start, f'<{name} without a closing ">"')
                return Token("start", start, name=name, attributes=attributes), at
            else:
                del self.faults[count:]
                return None
        if bare and bare == len(attributes) and not sure and not self.has_end(name):
            # Text such as "x <y and z> w": no attribute has a value, and there is no end tag.
            del self.faults[count:]
            return None
        return Token("start", start, name=name, attributes=attributes), at + 1

    def _attribute(self, tag: str, at: int, attributes: dict[str, str]) -> tuple[int, bool]:
        """Add the attribute at a position to `attributes`. Return its end, and True if it has no value."""
        text, start = self.text, at
        match = _NOISY_ATTRIBUTE.match(text, at) or _ATTRIBUTE_NAME.match(text, at) or _ODD_NAME.match(text, at)
        written = match.group() if match else ""
        name = written.replace("<", "").replace("&amp;", "").replace("&", "")
        name = name if _ATTRIBUTE_NAME.fullmatch(name) else ""
        at = match.end() if match else at + 1
        equals = _EQUALS.match(text, at)
        value = ""
        if equals:
            value, at = self._value(tag, equals.end())
        if not equals or name != written or name in attributes:
            self.fault(start, f"a malformed attribute of <{tag}>")
        if name and name not in attributes:
            attributes[name] = _attribute_value(name, value)
        return at, not equals

    def _value(self, tag: str, at: int) -> tuple[str, int]:
        text = self.text
        if noise := _NOISE_BEFORE_QUOTE.match(text, at):
            self.fault(at, f'a "<" or "&" in a tag <{tag}>')
            at = noise.end()
        quote = text[at : at + 1]
        if quote not in ('"', "'") or not quote:
            self.fault(at, f"an attribute of <{tag}> without quotes")
            match = _BARE_VALUE.match(text, at)
            if match is None:
                return "", at
            value = match.group()
            slash = value.endswith("/") and text.startswith(">", match.end())
            return value.removesuffix("/") if slash else value, match.end() - slash
        end = text.find(quote, at + 1)
        value = text[at + 1 : end] if end >= 0 else ""
        if end >= 0 and not ("<" in value and ">" in value) and _AFTER_VALUE.match(text, end + 1):
            if "<" in value:
                self.fault(at, f'a "<" in an attribute of <{tag}>')
            elif not text[end + 1].isspace() and text[end + 1] not in "/>":
                self.fault(end, f"no space between attributes of <{tag}>")
            return value, end + 1
        return self._unterminated_value(tag, at)

    def _unterminated_value(self, tag: str, at: int) -> tuple[str, int]:
        """Return a value without a closing quote, and its end: before the next attribute, or at the end of the tag."""
        self.fault(at, f"an attribute of <{tag}> has no end")
        match = _UP_TO_SIGN.match(self.text, at + 1)
        value = match.group() if match else ""
        at += 1 + len(value)
        if self.text[at : at + 1] in ('"', "'"):
            following = _NEXT_ATTRIBUTE.search(value, max(0, len(value) - 250))
            if following:
                return value[: following.start()], at - len(value) + following.start()
        if self.text.startswith("/>", at - 1):
            return value[:-1].rstrip(), at - 1
        return value.rstrip(), at


def escaped(text: str) -> str:
    """Return text with all ampersands escaped that do not start a reference."""
    return _BARE_AMPERSAND.sub("&amp;", text) if "&" in text else text


def _attribute_value(name: str, value: str) -> str:
    if name.startswith("xmlns"):
        # No namespace name contains these characters.
        return value.replace("<", "").replace("&amp;", "").replace('"', "").replace("&", "")
    return escaped(value).replace("<", "&lt;").replace('"', "&quot;")
