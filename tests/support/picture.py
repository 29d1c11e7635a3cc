"""Make the picture of an index page in the README.

`python -m tests.support.picture` writes .github/index.png; it needs Chromium.
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from tests.support import server
from tests.support.gallery import make_gallery, pictures
from tests.support.site import ROOT, build


def main() -> None:
    """Build the site of tests.support.gallery and take a screenshot of the upper part of its index page."""
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as scratch, server.serve(pictures()) as host:
        site = make_gallery(Path(scratch) / "site", host.url("/"))
        assert build(site).exit_code == 0
        words = ["--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--window-size=1160,880"]
        picture = f"--screenshot={ROOT / '.github/index.png'}"
        page = (site / "public/index.html").as_uri()
        profile = f"--user-data-dir={scratch}/profile"
        subprocess.run([chromium, *words, profile, picture, page], check=True, capture_output=True, timeout=60)


if __name__ == "__main__":
    main()
