"""The fixture of a headless Chromium that is driven by Selenium."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.readers.conftest import missing

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--mute-audio",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-features=Translate,OptimizationHints,MediaRouter",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
    "--window-size=1100,900",
]


class _Browser:
    """A Chromium that several tests use in turn: a start costs more processor time than most of them do."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder  # of the profiles
        self._driver: Any = None
        self._starts = 0

    def fresh(self, program: Callable[..., str]) -> Any:
        """Return the driver of a Chromium without any state of an earlier test, which may have left it dead."""
        if self._driver is not None:
            try:
                _reset(self._driver)
            except Exception:  # noqa: BLE001 - after a crash, a hang or an open dialog the test gets another Chromium
                self.quit()
        if self._driver is None:
            self._starts += 1
            self._driver = _start(program, self._folder / str(self._starts))
        return self._driver

    def quit(self) -> None:
        """End Chromium if it runs."""
        driver, self._driver = self._driver, None
        if driver is not None:
            driver.quit()


def _start(program: Callable[..., str], profile: Path) -> Any:
    try:
        from selenium import webdriver
    except ImportError:
        missing("selenium")
    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium", "chromium-browser", "google-chrome")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver_folder = os.environ.get("CHROMEWEBDRIVER", "")
    service = webdriver.ChromeService(program("chromedriver", f"{driver_folder}/chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
    driver.set_page_load_timeout(60)
    return driver


def _reset(driver: Any) -> None:
    """Close all windows but one; reset its emulation; delete its history, log, and all that pages can store."""
    first, *others = driver.window_handles
    for window in others:
        driver.switch_to.window(window)
        driver.close()
    driver.switch_to.window(first)
    driver.get("about:blank")
    commands: list[tuple[str, dict[str, Any]]] = [
        ("Emulation.clearDeviceMetricsOverride", {}),
        ("Emulation.setTouchEmulationEnabled", {"enabled": False}),
        ("Emulation.setEmulatedMedia", {"media": "", "features": []}),
        ("Network.clearBrowserCache", {}),
        ("Storage.clearCookies", {}),
        ("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"}),
        ("Page.resetNavigationHistory", {}),
    ]
    for name, parameters in commands:
        driver.execute_cdp_cmd(name, parameters)
    driver.get_log("browser")  # which empties it


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[_Browser]:
    """Return the Chromium of a file of tests, which starts with the first test that needs it."""
    browser = _Browser(tmp_path_factory.mktemp("chromium"))
    yield browser
    browser.quit()


@pytest.fixture
def chromium(browser: _Browser, program: Callable[..., str]) -> Any:
    """Return the driver of a headless Chromium, in which nothing is left of other tests."""
    return browser.fresh(program)
