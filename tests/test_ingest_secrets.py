"""Test that secrets in the address of a source are sent to its own host and appear nowhere else."""

from __future__ import annotations

import base64
import re
import tomllib
from datetime import UTC, datetime, timedelta

import pytest

from feedtool.config import parse_settings
from feedtool.errors import SettingsError
from tests.support.server import hang, page, redirect, serve, status
from tests.support.site import make_site, run, tree

SECRET = "hunter2/&x"
SENT = "hunter2%2F%26x"
ENV = {"FEED_TOKEN": SECRET, "OTHER": "not-to-be-told"}
FEED = """<rss version="2.0"><channel><title>Wire</title><link>https://w.example.org/</link>
<atom:link xmlns:atom="http://www.w3.org/2005/Atom" rel="self" href="http://127.0.0.1/hunter2%2F%26x/feed?key=hunter2%2F%26x"/>
<item><title>One</title><link>item/1</link><guid isPermaLink="false">1</guid><pubDate>Mon, 25 Jul 2022 12:11:30 GMT</pubDate>
<description><![CDATA[<p>Text. <a href="more">More</a> <a href="?page=2">Next</a> <img src="a.png"></p>]]></description>
<enclosure url="http://127.0.0.1/audio.mp3?key=hunter2/&amp;x" type="audio/mpeg" length="1"/></item></channel></rss>"""


def site_of(tmp_path, server, url: str, more: str = ""):
    allow = '[ingest]\nallow_private_hosts = ["127.0.0.1", "localhost"]\ntimeout = 1\n'
    return make_site(tmp_path, {}, f'{allow}[[sources]]\nname = "Wire"\nurl = "{url}"\n{more}')


def again(site) -> None:
    """Make the source due."""
    state = site / "feedtool.state"
    past = (datetime.now(UTC) - timedelta(days=9)).strftime("%Y-%m-%dT%H:%M:%SZ")
    state.write_text(re.sub(r'"next": "[^"]*"', f'"next": "{past}"', state.read_text()))


def leaks(site, *texts: str) -> list[str]:
    """Return the files and texts that contain the secret."""
    forms = (SECRET, SENT, "hunter2", "not-to-be-told")
    files = [name for name, data in tree(site).items() if any(form.encode() in data for form in forms)]
    return files + [text for text in texts if any(form in text for form in forms)]


def test_address_secret_is_sent_but_never_printed(tmp_path):
    answers = {f"/{SENT}/feed": page(FEED)}
    with serve(answers) as server:
        site = site_of(tmp_path, server, server.url("/${FEED_TOKEN}/feed?key=${FEED_TOKEN}"))
        for words in (["-v"], ["--json", "--force"]):
            done = run("ingest", "-C", str(site), *words, env=ENV)
            assert done.exit_code == 0, done.stderr
            assert leaks(site, done.stdout, done.stderr) == []
        assert {request.path for request in server.log} == {f"/{SENT}/feed?key={SENT}"}
        text = (site / "articles/Wire/One.md").read_text()
        assert f"  url: '{server.url('/')}'\n" in text
        assert "FEED_TOKEN" in text  # the link below the secret folder needs it
        assert "FEED_TOKEN" in (site / "feedtool.state").read_text()
        built = run("build", "-C", str(site), "--json")
        assert leaks(site, built.stdout, built.stderr) == []
        assert (
            run("ingest", "-C", str(site), "--force", "--json", env=ENV | {"FEED_TOKEN": "another one"}).exit_code == 1
        )


@pytest.mark.parametrize(
    "answer",
    [
        status(404), status(410), hang(), page("<html>log in at /hunter2%2F%26x</html>", type="text/html"),
        redirect("/hunter2%2F%26x/b"), redirect("ftp://127.0.0.1/hunter2%2F%26x"), redirect("http://10.0.0.1/hunter2%2F%26x"),
        redirect("//127.0.0.1:1/hunter2%2F%26x"), redirect("http://[hunter2%2F%26x"),
    ],
    ids=str,
)  # fmt: skip
def test_failures_never_reveal_the_secret(tmp_path, answer):
    with serve({f"/{SENT}/feed": answer}) as server:
        site = site_of(tmp_path, server, server.url("/${FEED_TOKEN}/feed"))
        done = run("ingest", "-C", str(site), "--json", env=ENV)
        listing = run("status", "-C", str(site), "-v", env=ENV)
        annotated = run("ingest", "-C", str(site), "--force", env=ENV | {"GITHUB_ACTIONS": "true"})
        assert done.exit_code == 1
        assert leaks(site, *done[1:3], *listing[1:3], *annotated[1:3]) == []


def test_unset_variable_is_named(tmp_path):
    with serve({}) as server:
        site = site_of(tmp_path, server, server.url("/${FEED_TOKEN}/feed"))
        done = run("ingest", "-C", str(site), "--json")
        assert (done.exit_code, done.codes(), server.log) == (1, ["FT306"], [])
        assert (
            "the address needs the environment variable FEED_TOKEN, which is not set"
            in done.json["problems"][0]["message"]
        )


@pytest.mark.parametrize(
    "url",
    [
        "https://${HOST}/feed",
        "https://${HOST}.example.org/",
        "https://u:p@a${X}/",
        "https://x.org/${not a name}",
        "https://x.org/${",
    ],
)
def test_invalid_secret_reference_is_refused(url):
    with pytest.raises(SettingsError):
        parse_settings(f'[[sources]]\nname = "W"\nurl = "{url}"', file="feedtool.toml", environment={}, options={})


def test_moved_feed_keeps_secrets_of_its_host(tmp_path):
    own = {"X-Key": "k"}
    with serve({"/new": page(FEED, etag="auto")}) as server, serve({"/far": page(FEED)}) as far:
        server.set("/old", redirect("/new?t=hunter2%2F%26x", 301))
        url = server.url("/old?t=${FEED_TOKEN}").replace("//", "//ada:${FEED_TOKEN}@")
        site = site_of(tmp_path, server, url, "headers = { X-Key = 'k' }\n")
        for _ in range(4):
            assert run("ingest", "-C", str(site), "--json", env=ENV).exit_code == 0
            again(site)
        assert leaks(site) == []
        assert '/new?t=${FEED_TOKEN}", "' in (site / "feedtool.state").read_text()
        last = server.log[-1]
        password = base64.b64encode(f"ada:{SECRET}".encode()).decode()
        assert (last.path, last.headers["authorization"], last.headers["x-key"]) == (
            f"/new?t={SENT}",
            f"Basic {password}",
            "k",
        )
        # Another host gets no secret, not even in a direct request after the redirects.
        far_url = far.url("/far", host="localhost")
        server.set("/new", redirect(far_url + "?t=${OTHER}", 301))
        server.set("/old", redirect(far_url + "?t=${OTHER}", 301))
        for _ in range(8):
            run("ingest", "-C", str(site), "--json", "--force", env=ENV)
            again(site)
        assert far_url in (site / "feedtool.state").read_text()
        count = len(server.log)
        assert run("ingest", "-C", str(site), "--json", env=ENV).exit_code == 0
        assert len(server.log) == count
        assert {(request.headers.get("authorization"), request.headers.get("x-key")) for request in far.log} == {
            (None, None)
        }
        assert not [
            request.path for request in far.log if "not-to-be-told" in request.path or "hunter2" in request.path
        ]
        assert leaks(site) == []
        assert own


def test_redirect_leaking_a_secret_is_not_saved(tmp_path):
    with serve({"/far": page(FEED)}) as far, serve({}) as server:
        server.set("/old", redirect(far.url("/far", host="localhost") + "?t=hunter2%2F%26x", 301))
        site = site_of(tmp_path, server, server.url("/old?t=${FEED_TOKEN}"))
        for _ in range(4):
            assert run("ingest", "-C", str(site), "--json", env=ENV).exit_code == 0
            again(site)
        assert '"moved"' not in (site / "feedtool.state").read_text()
        assert leaks(site) == []


def test_add_saves_the_variable_not_the_secret(tmp_path):
    html = '<html><head><link rel="alternate" type="application/rss+xml" href="{}"></head></html>'
    with serve({f"/{SENT}/feed": page(FEED)}) as server:
        server.set(f"/{SENT}/", page(html.format(f"/{SENT}/feed"), type="text/html"))
        site = site_of(tmp_path, server, "https://x.example.org/")
        url = server.url("/${FEED_TOKEN}/").replace("//", "//ada:${FEED_TOKEN}@", 1)
        done = run("add", url, "-C", str(site), env=ENV)
        assert done.exit_code == 0, done.stderr
        added = tomllib.loads((site / "feedtool.toml").read_text())["sources"][-1]["url"]
        assert added == f"{url}feed"
        assert leaks(site, done.stdout, done.stderr) == []
        assert all("authorization" in request.headers for request in server.log)


def test_foreign_text_cannot_use_a_variable(tmp_path):
    html = '<html><head><link rel="alternate" type="application/rss+xml" href="/feed?x=${OTHER}"></head></html>'
    outline = '<opml version="2.0"><body><outline text="A" xmlUrl="http://127.0.0.1:1/${OTHER}"/></body></opml>'
    with serve({"/feed": page(FEED), "/": page(html, type="text/html")}) as server:
        site = site_of(tmp_path, server, server.url("/moved"))
        server.set("/moved", redirect("/feed?y=${OTHER}", 301))
        (tmp_path / "in.opml").write_text(outline)
        for words in (
            ["add", server.url("/")],
            ["add", server.url("/moved") + "?", "--name", "B"],
            ["opml", "import", "in.opml"],
        ):
            run(*words, "-C", str(site), env=ENV, cwd=tmp_path)
        for _ in range(5):
            run("ingest", "-C", str(site), env=ENV)
            again(site)
        assert len(server.log) > 8
        assert not [request.path for request in server.log if "told" in request.path]
        assert "${" not in "".join(one["url"] for one in tomllib.loads((site / "feedtool.toml").read_text())["sources"])
