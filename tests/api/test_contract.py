"""Everything that the OpenAPI document allows and forbids, asked of a running service."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from ltpkit.api import Limits, Server
from ltpkit.live import Stream
from ltpkit.service import RealTimeSyncService

#: A query that the schema allows may still be wrong SQL.
CONFIG = """\
[[operations]]
include-path = "/api/v1/realtime/sql"
checks.positive_data_acceptance.enabled = false
"""


@pytest.mark.slow
def test_schemathesis_finds_nothing(live: Stream, tmp_path: Path) -> None:
    config = tmp_path / "schemathesis.toml"
    config.write_text(CONFIG)
    open_house = Limits(requests_per_second=1e6, burst=1e6)
    with Server(RealTimeSyncService(live), host="127.0.0.1", port=0, limits=open_house) as server:
        command = [sys.executable, "-c", "from schemathesis.cli import schemathesis; schemathesis()"]
        where = ["--config-file", str(config), "run", f"{server.url}/openapi.json"]
        how = ["--max-examples", "8", "--generation-database", "none", "--seed", "7", "--no-color"]
        done = subprocess.run(
            [*command, *where, *how],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]


def test_every_operation_has_an_example_and_says_how_it_fails(http: httpx.Client) -> None:
    document = http.get("/openapi.json").json()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            answers = operation["responses"]
            assert {"401", "403", "422", "429", "500"} <= answers.keys(), (method, path)
            assert "application/problem+json" in answers["422"]["content"]
            for parameter in operation.get("parameters", ()):
                if parameter["in"] == "path":
                    assert parameter["schema"].get("examples") or parameter.get("examples"), (path, parameter)
    examples = document["components"]["schemas"]["SubscribeRequest"]["examples"]
    assert examples == [{"symbols": ["RELIANCE", "TCS", "HDFCBANK"], "update_frequency": 1}]


def test_the_page_of_the_api_needs_no_other_site(http: httpx.Client) -> None:
    page = http.get("/docs")
    assert page.status_code == 200
    assert "https://" not in page.text
    assert http.get("/static-offline-docs/swagger-ui-bundle.js").status_code == 200
