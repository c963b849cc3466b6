"""What deploys the service names what there is: commands, settings, metrics, paths."""

from __future__ import annotations

import importlib.util
import json
import re
import shlex
from typing import Any

import pytest
import yaml
from typer.testing import CliRunner

import ltpkit as lk
from ltpkit.cli import app
from ltpkit.service import RealTimeSyncService
from ltpkit.service.metrics import Metrics
from ltpkit.settings import Settings
from tests.paths import ROOT


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture(scope="module")
def dockerfile() -> str:
    return (ROOT / "Dockerfile").read_text(encoding="utf-8")


def variables() -> set[str]:
    return {str(field.validation_alias) for field in Settings.model_fields.values()}


def test_every_setting_that_is_given_exists(compose: dict[str, Any], dockerfile: str) -> None:
    given = set(compose["services"]["realtime-sync"]["environment"])
    given |= set(re.findall(r"\b([A-Z]+_[A-Z_]+)=", dockerfile.partition("\nENV")[2])) - {"PYTHONUNBUFFERED"}
    assert given <= variables()
    assert {"SERVICE_HOST", "LTPKIT_API_TOKEN"} <= given


def test_the_command_takes_the_options_that_are_given(compose: dict[str, Any], dockerfile: str) -> None:
    said = json.loads(re.findall(r"^ENTRYPOINT (.*)$", dockerfile, re.MULTILINE)[0])
    given = {*said[2:], *compose["services"]["realtime-sync"]["command"]}
    assert said[:2] == ["ltpkit", "serve"]
    told = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200"}).output
    for option in (one for one in given if one.startswith("--")):
        assert option in told


def test_the_image_holds_what_it_copies_and_is_not_run_by_root(dockerfile: str) -> None:
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    for line in re.findall(r"^COPY (?!--)(.*)$", dockerfile, re.MULTILINE):
        *sources, _ = shlex.split(line)
        for source in sources:
            assert (ROOT / source).exists()
            assert f"!{source}" in allowed
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE) == ["10001"]


def test_the_image_has_what_is_compiled(dockerfile: str) -> None:
    assert dockerfile.index("USER 10001") < dockerfile.index("RUN python -m ltpkit.compiled")
    assert importlib.util.find_spec("ltpkit.compiled") is not None


def test_the_store_is_in_the_volume(compose: dict[str, Any], dockerfile: str) -> None:
    assert "VOLUME /data" in dockerfile
    assert '"/data/ticks.duckdb"' in dockerfile
    assert "ticks:/data" in compose["services"]["realtime-sync"]["volumes"]


def test_nothing_listens_beyond_this_machine(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", []))


def test_the_service_comes_alone_and_monitoring_on_request(compose: dict[str, Any]) -> None:
    assert [name for name, one in compose["services"].items() if "profiles" not in one] == ["realtime-sync"]


def test_every_file_that_is_mounted_exists(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service["volumes"]:
            source = volume.partition(":")[0]
            assert source in compose["volumes"] or (ROOT / source).exists()


def test_prometheus_asks_the_service_where_it_listens_and_with_its_token(compose: dict[str, Any]) -> None:
    (job,) = yaml.safe_load((ROOT / "deploy/prometheus.yaml").read_text())["scrape_configs"]
    (target,) = job["static_configs"][0]["targets"]
    assert target.partition(":")[0] in compose["services"]
    assert compose["services"]["realtime-sync"]["environment"]["LTPKIT_SERVICE_ORIGINS"] == f"http://{target}"
    assert job["metrics_path"] == "/metrics/"
    assert job["authorization"]["credentials_file"] == "/run/secrets/api_token"


def test_the_dashboard_shows_metrics_that_there_are() -> None:
    board = json.loads((ROOT / "deploy/grafana/dashboards/ltpkit.json").read_text())
    asked = {target["expr"] for panel in board["panels"] for target in panel["targets"]}
    named = {name for one in asked for name in re.findall(r"\b[a-z]+(?:_[a-z]+)+\b(?!\()", one)}
    named -= {"histogram_quantile"}
    with lk.stream(["NSE:TCS"], name="deployed") as live:
        metrics = Metrics(RealTimeSyncService(live))
        metrics.observe_request("GET", "/health/", 200, 0.001)
        text = metrics.exposition()[0].decode()
    there = set(re.findall(r"^([a-z_]+)[{ ]", text, re.MULTILINE))
    assert named <= there, named - there
    assert len(named) >= 11
