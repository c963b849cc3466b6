"""The lines that the project began with, as they stand in its document: Python, curl and JavaScript."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import httpx
import pytest

import ltpkit as lk
from ltpkit import LTPUpdate, RealTimeSyncService
from ltpkit.api import Server
from tests.api.clients import BASE, subscribe
from tests.paths import SHARED, needs_shared

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


def blocks(language: str) -> list[str]:
    """Return the document's examples in a language."""
    [document] = (SHARED / "seed").glob("*.txt")
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", document.read_text(), re.DOTALL)
    return found


@pytest.fixture(scope="module")
def at_8001() -> Iterator[Server]:
    """The service where the document has it."""
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", 8001)) == 0:
            pytest.skip("something else listens at port 8001, where the document's lines go")
    with lk.stream(["RELIANCE", "TCS"], name="seed", rate=2_000) as live:
        yield live.serve(port=8001)


@needs_shared
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_every_curl_line_works_as_written(at_8001: Server) -> None:
    text = "\n".join(blocks("bash")).replace("\\\n", " ")
    lines = list(dict.fromkeys(line.strip() for line in text.splitlines() if line.strip().startswith("curl")))
    assert len(lines) == 4
    answers = {}
    for line in lines:
        done = subprocess.run(
            f"{line} --silent --show-error --fail-with-body",
            shell=True,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == 0, (line, done.stdout, done.stderr)
        answers[line.split("8001")[1].split()[0]] = json.loads(done.stdout)
    assert answers["/health/"]["status"] == "ok"
    assert answers["/api/v1/realtime/subscribe"]["symbols"] == ["NSE:RELIANCE"]
    assert answers["/api/v1/realtime/depth/RELIANCE"]["bids"]
    assert answers["/metrics/realtime-stats"]["state"] == "live"


@needs_shared
def test_every_address_of_the_document_is_served(http: httpx.Client) -> None:
    listed = re.findall(r"^(GET|POST|DELETE) (/\S+)$", "\n".join(blocks("bash")), re.MULTILINE)
    assert len(listed) == 8
    made = subscribe(http, "RELIANCE")
    wanted = {"symbols": ["RELIANCE", "TCS", "HDFCBANK"], "update_frequency": 1}
    for method, path in sorted(listed, key=lambda one: one[0] == "DELETE"):
        address = path.replace("{subscription_id}", made["subscription_id"])
        answer = http.request(method, address, json=wanted if method == "POST" else None)
        assert answer.is_success, (method, path, answer.text)


@needs_shared
@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium here")
def test_the_javascript_lines_print_prices_in_a_browser(at_8001: Server) -> None:
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with httpx.Client(base_url=at_8001.url) as http:
        made = subscribe(http, "RELIANCE", update_frequency=0.2)["subscription_id"]
    first, second = blocks("javascript")
    with playwright.sync_playwright() as browsers:
        browser = browsers.chromium.launch(
            executable_path=CHROMIUM,
            args=["--no-sandbox", "--disable-background-networking", "--disable-component-update"],
        )
        try:
            for script, told in ((first, r"LTP Update: .*ltp_update"), (second, r"RELIANCE: ₹\d+(\.\d+)?$")):
                page = browser.new_page()
                page.goto(f"{at_8001.url}/docs")
                line = script.replace("{subscription_id}", made).replace("abc-123", made)
                with page.expect_console_message(
                    lambda one, told=told: re.match(told, one.text), timeout=20_000
                ):
                    page.add_script_tag(content=line)
                page.close()
            page = browser.new_page()
            page.goto("data:text/html,<title>a page of another site</title>")
            refused = page.evaluate(
                "address => new Promise(done => { const ws = new WebSocket(address);"
                " ws.onopen = () => done('opened'); ws.onerror = () => done('refused'); })",
                f"ws://localhost:8001{BASE}/ws/{made}",
            )
            assert refused == "refused"
        finally:
            browser.close()


@pytest.mark.anyio
async def test_the_python_lines_work_as_written(tmp_path: Path) -> None:
    service = RealTimeSyncService(store=tmp_path / "ticks.duckdb")
    subscription_id = await service.subscribe_symbols(["RELIANCE", "TCS"])
    status = await service.get_subscription_status(subscription_id)
    assert status["symbols"] == ["NSE:RELIANCE", "NSE:TCS"]
    await service.unsubscribe(subscription_id)
    await service.stop()
    assert service.stream.status().state == "stopped"
    ltp_update = LTPUpdate(symbol="RELIANCE", timestamp=datetime.now(), ltp=2500.50, volume=1000)  # noqa: DTZ005
    assert (ltp_update.ltp, ltp_update.bid) == (2500.5, None)
