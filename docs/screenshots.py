"""Makes the pictures of docs/viewer.md: `python docs/screenshots.py`, with Chromium."""

import shutil
import tempfile
import time
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from prefactor_trace import Risk, Tracer
from prefactor_trace.server import Api, Server, Store

FOLDER = Path(__file__).parent / "images"


def record(tracer: Tracer, question: str, cities: list[str]) -> str:
    """Record a run of an agent that books a trip; return its id."""
    with tracer.instance("travel-agent", version="2.1.0") as run:
        with tracer.span("plan", {"question": question}) as plan:
            messages = [
                {"role": "system", "content": "You book trips."},
                {"role": "user", "content": question},
                {"role": "assistant", "content": "I look for trains first."},
            ]
            with tracer.span("llm_call", {"model": "claude-x", "messages": messages}) as call:
                time.sleep(0.06)
                call.set_result({"usage": {"input_tokens": 412, "output_tokens": 57}})
            plan.set_result({"steps": len(cities)})
        with tracer.span("research", {"cities": len(cities)}):
            for number, city in enumerate(cities):
                find_trains(tracer, city, 0.02 + 0.015 * number)
        with tracer.span("answer", {"draft": True}), tracer.span("llm_call", {"model": "claude-x"}):
            time.sleep(0.04)
        tracer.record_quality("helpfulness", {"score": 0.9})
    return run.id


def find_trains(tracer: Tracer, city: str, seconds: float) -> None:
    """Record one call of a tool, which fails for one of the cities."""
    try:
        with tracer.span("find_trains", {"to": city, "class": 2}) as span:
            time.sleep(seconds)
            if city == "Atlantis":
                raise LookupError("there is no station in Atlantis")
            span.set_result({"trains": 4})
    except LookupError:
        pass


def main() -> None:
    """Record three runs and take four pictures of them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.db"
        tracer = Tracer(local=True, local_db=str(path))
        tracer.declare_quality("helpfulness")
        risk = Risk.search(params=["location_and_tracking"], classification="internal")
        tracer.declare("find_trains", title="Train search", risk=risk, template="to {{ to }}")
        first = record(tracer, "To Oslo and Rome, please", ["Oslo", "Rome", "Paris"])
        run = record(tracer, "To Oslo and Atlantis", ["Oslo", "Atlantis", "Rome", "Paris"])
        record(tracer, "Home", ["Leipzig"])
        tracer.shutdown()
        with Store(path) as store, Server(Api(store)) as server:
            spans = store.list_spans(run)
            call = next(one for one in spans if one.schema_name == "llm_call")
            pictures = {
                "runs": ("/", "tbody a"),
                "run": (f"/agent_instances/{run}", ".row"),
                "span": (f"/agent_instances/{run}?span={call.id}", "aside h2"),
                "compare": (f"/compare/{first}/{run}", "tbody tr"),
            }
            take(server.url, pictures)


def take(url: str, pictures: dict[str, tuple[str, str]]) -> None:
    """Take a picture of each address, once what it shows is there."""
    FOLDER.mkdir(exist_ok=True)
    options = webdriver.ChromeOptions()
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--window-size=1280,800"):
        options.add_argument(word)
    driver = webdriver.Chrome(
        options=options, service=webdriver.ChromeService(shutil.which("chromedriver"))
    )
    try:
        for name, (address, shown) in pictures.items():
            driver.get(url + address)
            WebDriverWait(driver, 20).until(
                lambda page, shown=shown: page.find_elements(By.CSS_SELECTOR, shown)
            )
            driver.save_screenshot(str(FOLDER / f"{name}.png"))
    finally:
        driver.quit()


if __name__ == "__main__":
    main()
