"""Generate vectors from templates, attributes and spellings, always the same ones in the same order.

`§` stands for the number of the vector, so that a script that runs identifies its vector.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from pathlib import Path

FOLDER = Path(__file__).parent / "vectors"

SCRIPTS = (
    "javascript:xss(§)",
    "JaVaScRiPt:xss(§)",
    "java\tscript:xss(§)",
    "java\nscript:xss(§)",
    "java\r\nscript:xss(§)",
    "\x01javascript:xss(§)",
    "\x1f javascript:xss(§)",
    " \u00a0javascript:xss(§)",
    "java\0script:xss(§)",
    "\ufeffjavascript:xss(§)",
    "java\u200bscript:xss(§)",
    "java&#x09;script:xss(§)",
    "java&#10;script:xss(§)",
    "&#106;&#97;&#118;&#97;&#115;&#99;&#114;&#105;&#112;&#116;&#58;xss(§)",
    "&#x6A&#x61&#x76&#x61&#x73&#x63&#x72&#x69&#x70&#x74&#x3A;xss(§)",
    "&#0000106&#0000097&#0000118&#0000097script:xss(§)",
    "javascript&colon;xss(§)",
    "java&Tab;script&colon;xss&lpar;§&rpar;",
    "java&NewLine;script:xss(§)",
    "&#1;javascript:xss(§)",
    "javascript&amp;colon;xss(§)",
    "javascript%3Axss(§)",
    "javascript://ok.test/%0Axss(§)",
    "javascript:/*--></title></style></textarea>*/xss(§)",
    "data:text/html,<script>xss(§)</script>",
    "data:text/html;base64,PHNjcmlwdD54c3MoKTwvc2NyaXB0Pg==",
    "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg' onload='xss(§)'/>",
    "data:application/xhtml+xml,<x:script xmlns:x='http://www.w3.org/1999/xhtml'>xss(§)</x:script>",
    "DaTa:;base64,PHNjcmlwdD54c3MoKTwvc2NyaXB0Pg==",
    "vbscript:msgbox(§)",
    "livescript:xss(§)",
    "feed:javascript:xss(§)",
    "view-source:javascript:xss(§)",
    "jar:javascript:xss(§)!/",
    "blob:javascript:xss(§)",
    "filesystem:http://evil.test/§",
    "file:///etc/passwd#§",
    "//evil.test/§\\@ok.test",
    "\\\\evil.test\\§",
    "ｊavascript:xss(§)",
)
"""Addresses that run scripts, and spellings that a careless check allows."""

ADDRESSES = (
    '<a href="{}">link</a>',
    "<a href='{}'>link</a>",
    '<a href=" {}" target=_blank>link</a>',
    '<map name=m><area shape=default href="{}"></map><img usemap=#m>',
    '<img src="{}">',
    '<img srcset="{} 2x, {}">',
    '<picture><source srcset="{}"><img></picture>',
    '<video src="{}" autoplay></video>',
    '<video poster="{}"></video>',
    '<audio><source src="{}"></audio>',
    '<video><track default src="{}"></video>',
    '<iframe src="{}"></iframe>',
    '<frameset><frame src="{}"></frameset>',
    '<embed src="{}">',
    '<object data="{}"></object>',
    '<object><param name=movie value="{}"></object>',
    '<applet codebase="{}" code=x></applet>',
    '<form action="{}"><input type=submit autofocus></form>',
    '<button form=f formaction="{}">button</button><form id=f></form>',
    '<input type=image formaction="{}" src=x>',
    '<base href="{}/"><a href=x>link</a>',
    '<link rel=stylesheet href="{}">',
    '<link rel=import href="{}"><link rel=preload as=script href="{}"><link rel=prefetch href="{}">',
    '<body background="{}">',
    '<table background="{}"><tr><td background="{}">cell</table>',
    '<blockquote cite="{}">quote</blockquote><q cite="{}">q</q><del cite="{}">d</del><ins cite="{}">i</ins>',
    '<a href="https://ok.test/" ping="{}">link</a>',
    '<svg><a xlink:href="{}"><text y=20>link</text></a></svg>',
    '<svg><a href="{}"><rect width=99 height=99 /></a></svg>',
    '<svg><use href="{}#x"/></svg>',
    '<svg><image xlink:href="{}"/></svg>',
    '<svg><a><animate attributeName=href values="{}" fill=freeze dur=1s /><text y=20>link</text></a></svg>',
    '<svg><a><set attributeName=xlink:href to="{}"/><text y=20>link</text></a></svg>',
    '<svg><script href="{}"/></svg>',
    '<math href="{}"><mtext>link</mtext></math>',
    '<math><maction actiontype=statusline xlink:href="{}">link</maction></math>',
    '<html manifest="{}">',
    '<img longdesc="{}" lowsrc="{}" dynsrc="{}">',
    '<meta http-equiv=refresh content="0; url={}">',
    '<meta http-equiv=refresh content="0;{}">',
    "<div style=\"background-image: url('{}')\">text</div>",
    '<isindex action="{}" type=submit>',
    '<portal src="{}"></portal><fencedframe src="{}"></fencedframe>',
    '<script src="{}"></script>',
    '<a href="https://ok.test/" data-original="{}" _src="{}">link</a><img data-src="{}" lazy-src="{}">',
    '<img src="https://ok.test/proxy?url={}">',
    "<details open ontoggle=\"location='{}'\">text</details>",
    '<amp-img src="{}"></amp-img><amp-iframe src="{}"></amp-iframe>',
)

HANDLERS = (
    "onload",
    "onerror",
    "onfocus",
    "ontoggle",
    "onclick",
    "onmouseover",
    "onmouseenter",
    "onpointerenter",
    "onpointerrawupdate",
    "onanimationstart",
    "onanimationend",
    "ontransitionend",
    "ontransitionrun",
    "onbeforeinput",
    "oninput",
    "onchange",
    "onwheel",
    "onscroll",
    "onscrollend",
    "onbeforetoggle",
    "onbeforematch",
    "oncontentvisibilityautostatechange",
    "oncancel",
    "onclose",
    "oncuechange",
    "onloadstart",
    "onloadedmetadata",
    "onplay",
    "oncanplay",
    "ontimeupdate",
    "onsuspend",
    "onprogress",
    "onhashchange",
    "onpageshow",
    "onmessage",
    "onunhandledrejection",
    "onbegin",
    "onend",
    "onrepeat",
    "onzoom",
    "onactivate",
    "onbounce",
    "onstart",
    "onfinish",
    "onreadystatechange",
    "onpropertychange",
    "onfullscreenchange",
    "onwebkitanimationstart",
    "onsecuritypolicyviolation",
    "onformdata",
    "onslotchange",
    "ongotpointercapture",
    "oncopy",
    "onpaste",
    "onsearch",
    "onselectionchange",
    "onshow",
    "onresize",
    "onxyz",
    "ON<ERROR",
    "on\x00error",
)
HOLDERS = (
    "<img src=x {}>",
    "<video src=x autoplay {}><source src=x></video>",
    "<audio src=x controls {}></audio>",
    "<body {}>",
    "<details open {}>text</details>",
    "<div style='animation: x 1s' tabindex=1 autofocus contenteditable {}>text</div>",
    "<svg><animate attributeName=x dur=1s {} /></svg>",
    "<svg {}><rect width=9 height=9 /></svg>",
    "<input autofocus {}>",
    "<a href=https://ok.test/ id=x tabindex=1 {}>link</a>",
    "<p class=x {}>text</p>",
    "<marquee width=1 loop=1 {}>text</marquee>",
    "<object data=x {}></object>",
    "<math><mtext {}>text</mtext></math>",
    "<x-own {}>text</x-own>",
    "<table {}><tr><td>text</table>",
)
JOINTS = (
    "<img src=x {}=xss(§)>",
    "<img/src=x/{}=xss(§)>",
    "<img\nsrc=x\n{}\n=\nxss(§)>",
    "<img\fsrc=x\f{}=xss(§)\f>",
    "<img src=`x`{}=xss(§)>",
    "<img src='x'{}='xss(§)'>",
    '<img src="x"{}="xss(§)"',
    "<img src=x {}=xss(§) //",
    "<IMG SRC=x {}=&#x78;&#115;s&lpar;§)>",
    '<img src=x:x {}="xss(§)" \x00>',
    "<img \x00 src=x \x00 {}=xss(§)>",
    "<\x00img src=x {}=xss(§)>",
    "<img src=x title='>' {}=xss(§)>",
    '<img alt="<x" title="/><img src=x {}=xss(§)>">',
    "<img src=x \x0b{}=xss(§)>",
    "<<img src=x {}=xss(§)>>",
    "<img src=x x=`<img src=x {}=xss(§)>`>",
    "<img =x src=x ='>' {}=xss(§)>",
    "</img src=x {}=xss(§)>",
    "<img src=x {}\u3000=xss(§)>",
)

RAW = (
    "style",
    "xmp",
    "noscript",
    "noembed",
    "noframes",
    "iframe",
    "textarea",
    "title",
    "template",
    "plaintext",
    "script",
    "select",
    "option",
    "listing",
)
FOREIGN = (
    "<svg>{}</svg>",
    "<math>{}</math>",
    "<math><mtext>{}</mtext></math>",
    "<svg><desc>{}</desc></svg>",
    "<svg><foreignObject>{}</foreignObject></svg>",
    "<svg><title>{}</title></svg>",
    "<math><annotation-xml encoding='text/html'>{}</annotation-xml></math>",
    "<math><mtext><table><mglyph>{}</mglyph></table></mtext></math>",
    "<math><mi><malignmark>{}</malignmark></mi></math>",
    "<form><math><mtext></form><form><mglyph>{}</mglyph></math>",
    "<table><tr><td>{}</td></tr></table>",
    "<noscript>{}</noscript>",
    "<p><svg><p>{}",
    "<svg></p>{}</svg>",
)
BREAKS = (
    '<{0}><a title="</{0}><img src=x onerror=xss(§)>">',
    "<{0}><!--</{0}><img src=x onerror=xss(§)>-->",
    "<{0}>&lt;/{0}>&lt;img src=x onerror=xss(§)>",
    "<{0}><{0}/><img src=x onerror=xss(§)></{0}></{0}>",
    "<{0}><![CDATA[</{0}><img src=x onerror=xss(§)>]]></{0}>",
    "<{0}><p id='</{0}><img src=x onerror=xss(§)>'></{0}>",
)


def vectors(*, every: int = 1) -> list[str]:
    """Return the handwritten and the generated vectors.

    Of each product, every `every`-th vector is taken, in a different column in each row.
    """
    raw = [*written(), *_thinned(_addresses(), len(SCRIPTS), every), *_thinned(_handlers(), len(HOLDERS), every)]
    raw += [*_thinned(_joints(), 3, every), *_thinned(_nested(), len(BREAKS) * len(RAW), every)]
    return numbered(dict.fromkeys(raw))


def numbered(raw: Iterator[str] | dict[str, None] | list[str]) -> list[str]:
    """Return the vectors with their numbers."""
    return [vector.replace("§", str(number)) for number, vector in enumerate(raw)]


def written() -> Iterator[str]:
    """Yield the handwritten vectors, one from each line of the files.

    `⏎` stands for a line feed; lines that begin with `%% ` are comments.
    """
    for file in sorted(FOLDER.glob("*.txt")):
        for line in file.read_text("utf-8").splitlines():
            if line and not line.startswith("%% "):
                yield line.replace("⏎", "\n")


def _addresses() -> Iterator[str]:
    for holder, script in product(ADDRESSES, SCRIPTS):
        yield holder.replace("{}", script if script.find('"') < 0 else script.replace('"', "&quot;"))


def _handlers() -> Iterator[str]:
    for handler, holder in product(HANDLERS, HOLDERS):
        yield holder.replace("{}", f"{handler}=xss(§)")


def _joints() -> Iterator[str]:
    for joint, handler in product(JOINTS, ("onerror", "OnError", "onload")):
        yield joint.replace("{}", handler)


def _nested() -> Iterator[str]:
    for foreign, end, raw in product(FOREIGN, BREAKS, RAW):
        yield foreign.replace("{}", end.replace("{0}", raw))


def _thinned(generated: Iterator[str], row: int, every: int) -> Iterator[str]:
    for number, vector in enumerate(generated):
        # Rows take different columns, so that every row and column is used even if few vectors are taken.
        if (number + number // row) % every == 0:
            yield vector
