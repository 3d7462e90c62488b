"""A real browser on the real page over the real server."""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import prefactor_trace as prefactor
from prefactor_trace.server import Api, Server, Store

selenium = pytest.importorskip("selenium.webdriver")
from selenium.webdriver.common.by import By  # noqa: E402
from selenium.webdriver.common.keys import Keys  # noqa: E402
from selenium.webdriver.support.wait import WebDriverWait  # noqa: E402

_LONGEST = 20.0
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
DRIVER = shutil.which("chromedriver")


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """Headless Chromium."""
    if not (CHROMIUM and DRIVER):
        pytest.skip("no Chromium here: on Debian, apt-get install chromium chromium-driver")
    options = selenium.ChromeOptions()
    options.binary_location = CHROMIUM
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(word)
    options.add_argument("--window-size=1400,900")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = selenium.Chrome(options=options, service=selenium.ChromeService(DRIVER))
    yield driver
    driver.quit()


class Page:
    """The page, as somebody uses it.

    Attributes:
        driver: The browser.
        url: Where the server is.
        tracer: Records into its database.
    """

    def __init__(self, driver: Any, url: str, tracer: prefactor.Tracer) -> None:
        self.driver = driver
        self.url = url
        self.tracer = tracer

    def open(self, address: str = "/") -> None:
        """Open an address of the page."""
        self.driver.get(self.url + address)

    def all(self, selector: str) -> list[Any]:
        """Return the elements that fit."""
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector: str, having: str = "") -> Any:
        """Wait for the first element that fits and holds a text; return it."""

        def find(_: Any) -> Any:
            return next((one for one in self.all(selector) if having in one.text), None)

        return self.wait(find, f"no {selector} with {having!r}")

    def wait(self, found: Callable[[Any], Any], told: str = "") -> Any:
        """Wait until something holds, whatever the page redraws meanwhile."""
        from selenium.common.exceptions import StaleElementReferenceException

        ignored = [StaleElementReferenceException]
        waiting = WebDriverWait(self.driver, _LONGEST, 0.05, ignored_exceptions=ignored)
        return waiting.until(found, told)

    def texts(self, selector: str) -> list[str]:
        """Return the texts of the elements that fit, of one moment."""
        script = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"
        return self.driver.execute_script(script, selector)

    def wait_texts(self, selector: str, expected: list[str]) -> None:
        """Wait until the elements that fit have these texts."""
        self.wait(lambda _: self.texts(selector) == expected, f"{selector} is not {expected}")

    def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""
        from selenium.webdriver.common.action_chains import ActionChains

        for key in keys:
            ActionChains(self.driver).send_keys(getattr(Keys, key, key)).perform()

    def run(self, script: str, *arguments: Any) -> Any:
        """Run a script of the test's in the page."""
        return self.driver.execute_script(script, *arguments)

    @property
    def address(self) -> str:
        """What stands in the address bar, without the server."""
        return self.driver.current_url.removeprefix(self.url)

    def complaints(self) -> list[str]:
        """Return what the browser has complained of."""
        return [
            json.dumps(line)
            for line in self.driver.get_log("browser")
            if line["level"] in ("SEVERE", "WARNING")
        ]


@pytest.fixture
def page(browser: Any, tmp_path: Path) -> Iterator[Page]:
    """The page over an empty database; nothing that it did made the browser complain."""
    path = tmp_path / "a.db"
    tracer = prefactor.Tracer(local=True, local_db=str(path), flush_interval=0.05)
    browser.get_log("browser")
    browser.set_window_size(1400, 900)
    with Store(path) as store, Server(Api(store)) as server:
        shown = Page(browser, server.url, tracer)
        yield shown
        complaints = shown.complaints()
        browser.get("about:blank")
    tracer.shutdown()
    assert not complaints
