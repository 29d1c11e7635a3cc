"""Test that the race of ingests serves small feeds, runs feedtool on them and counts its entries."""

from __future__ import annotations

import http.client

from tests.bench.ingest_race import AGAIN, COLD, FORCED, main, make_feeds, serving


def test_feedtool_ingests_every_entry_once(capsys, tmp_path) -> None:
    words = [
        "--sources",
        "5",
        "--entries",
        "3",
        "--only",
        "feedtool",
        "--patience",
        "0",
        "--report",
        str(tmp_path / "page"),
    ]
    assert main(words) == 0
    assert "| feedtool | 5 | cold |" in (tmp_path / "page").read_text()
    lines = [line.strip("| ").split(" | ") for line in capsys.readouterr().out.splitlines() if line.startswith("| f")]
    entries = {(cells[1], cells[2]): cells[7] for cells in lines}
    runs = (COLD, AGAIN, FORCED)
    assert entries == {("5", run): "15" for run in runs}
    assert all(float(cells[place]) > 0 for cells in lines for place in (3, 4, 5))


def test_server_sends_304_for_an_unchanged_feed(tmp_path) -> None:
    size = make_feeds(tmp_path / "feeds", 1, 2)
    with serving(tmp_path / "feeds") as server:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        answers = []
        for path, etag in (("/0.xml", ""), ("/0.xml", "*"), ("/none.xml", "")):
            headers = {"If-None-Match": answers[0][2]} if etag else {}
            connection.request("GET", path, headers=headers)
            answer = connection.getresponse()
            answers.append((answer.status, len(answer.read()), answer.headers["ETag"]))
    assert [one[:2] for one in answers] == [(200, size), (304, 0), (404, 0)]
