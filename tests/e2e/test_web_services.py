"""The services of the page on web services, behind a real server that is told to end."""

import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from prefactor_trace.server import Store

ROOT = Path(__file__).parent.parent.parent
MORE = """
@all_recorded.get("/body")
async def body() -> StreamingResponse:
    async def lines() -> AsyncIterator[str]:
        yield "the run is "
        await asyncio.sleep(0)
        with prefactor.span("in the body"):
            yield prefactor.current_instance().status
    return StreamingResponse(lines())

app.mount("/all", all_recorded)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM cannot be caught there")
def test_services_of_the_page_lose_nothing_on_shutdown(tmp_path: Path, monkeypatch) -> None:
    """Each request is one run with all that it did, though nothing was due before the end."""
    pytest.importorskip("uvicorn")
    pytest.importorskip("fastapi")
    page = (ROOT / "docs" / "web-services.md").read_text("utf-8")
    code = "\n".join(re.findall(r"^```python\n(.*?)^```", page, re.DOTALL | re.MULTILINE))
    (tmp_path / "app.py").write_text(code + MORE, "utf-8")
    monkeypatch.setenv("PREFACTOR_LOCAL_DB", str(tmp_path / "local.db"))
    monkeypatch.setenv("PREFACTOR_FLUSH_INTERVAL", "3600")
    command = [sys.executable, "-m", "uvicorn", "app:app", "--port", "0"]
    with subprocess.Popen(command, cwd=tmp_path, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        try:
            listening = next(line for line in server.stderr if "running on" in line)
            url = re.findall(r"http://\S+", listening)[0]
            with httpx.Client(base_url=url, timeout=60) as client:
                assert client.get("/answer?question=a").json() == "A"
                assert client.get("/ask?question=b").json() == "B"
                assert client.get("/stream?question=c+d").text == "cd"
                assert client.get("/all/body").text == "the run is active"
                assert client.post("/documents").status_code == 200
                asked = {"user": "u", "conversation": "c", "request_id": "r-1"}
                assert client.get("/chat", params=asked).json() == "hello"
        finally:
            server.terminate()
            said = server.stderr.read()
    assert server.returncode == -signal.SIGTERM
    assert "prefactor" not in said, said
    with Store(tmp_path / "local.db") as store:
        runs = store.list_instances()[::-1]
        spans = [store.list_spans(run.id) for run in runs]
    assert {(run.agent_name, run.status) for run in runs} == {("support-agent", "complete")}
    assert runs[-1].external_identifier == "r-1"
    assert {span.status for of_run in spans for span in of_run} == {"complete"}
    payloads = [sorted(repr(span.payload) for span in of_run) for of_run in spans]
    assert payloads == [
        ["{'query': 'a'}"],
        ["{'query': 'b'}"],
        ["{'word': 'c'}", "{'word': 'd'}"],
        ["{}"],
        ["{'name': 'later'}", "{'name': 'meanwhile'}"],
        ["{'user_id': 'u', 'conversation_id': 'c'}"],
    ]
