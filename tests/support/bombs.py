"""Feeds that are built to cost much time, memory or nesting depth."""

from __future__ import annotations

RSS = '<rss version="2.0"><channel><title>t</title><item><title>x</title>{}</item></channel></rss>'


BOMBS = {
    "an author of letters": RSS.format("<author>" + "a" * 400_000 + "</author>"),
    "many long authors": RSS.format(("<author>" + "a" * 300 + "</author>") * 3_000),
    "an author in parts": RSS.format("<author>" + "a<![CDATA[a]]>" * 50_000 + "</author>"),
    "many categories": RSS.format("".join(f"<category>c{number}</category>" for number in range(15_000))),
    "attributes": RSS.format("<a " + " ".join(f'a{number}=">"' for number in range(100_000)) + "/>"),
    "attributes for the loose parser": RSS.format("<a " + " ".join(f'a{number}="<"' for number in range(15_000)) + "/>"),
    "namespaces": RSS.format("".join(f'<x xmlns:a{number}="u{number}"/>' for number in range(50_000))),
    "entities in entities": '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(10))
    + "]>"
    + RSS.format("<description>&k;</description>"),
    "one long entity": f'<!DOCTYPE x [<!ENTITY a "{"a" * 200}">]>' + RSS.format("<author>" + "&a;" * 200_000 + "</author>"),
    "angle brackets": RSS.format("<" * 30_000),
    "open tags": RSS.format("<a>" * 20_000),
    "open quotes": RSS.format('<a "' * 20_000),
    "open sections": RSS.format("<![CDATA[" * 50_000),
    "open comments": RSS.format("<!-- " * 100_000),
    "open declarations": "<!DOCTYPE " * 100_000,
    "open instructions": "<?a " * 100_000,
    "ampersands": RSS.format("&" * 80_000),
    "references": RSS.format("<title>" + "&#" + "9" * 100_000 + ";</title>"),
    "brackets of JSON": '{"version":"https://jsonfeed.org/version/1","items":' + "[" * 200_000,
    "digits of JSON": '{"version":"https://jsonfeed.org/version/1","items":[{"id":' + "1" * 300_000 + "}]}",
    "nested lists": RSS.format("<description>" + "&lt;ul&gt;&lt;li&gt;" * 10_000 + "</description>"),
    "equal paragraphs": RSS.format("<description>" + "&lt;p&gt;same&lt;/p&gt;" * 9_000 + "</description>"),
    "blank references": '<feed xmlns="http://www.w3.org/2005/Atom"><entry><content type="xhtml">'
    + "&#32;" * 200_000
    + "<b>x</b></content></entry></feed>",
}  # fmt: skip
