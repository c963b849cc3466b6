"""What pyproject.toml asks for, environment.yml gives, and constraints.txt pins inside its bounds."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.paths import ROOT

#: What conda-forge calls a package, where that is not its name on PyPI in another spelling.
CONDA_NAMES = {"python-duckdb": "duckdb"}


def read_project() -> dict[str, Any]:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project: dict[str, Any] = tomllib.load(file)["project"]
    return project


def bounds(lines: Iterable[str]) -> dict[str, str]:
    """The version bounds by normalised PyPI name."""
    found = {}
    for line in lines:
        requirement = Requirement(line)
        name = canonicalize_name(requirement.name)
        name = CONDA_NAMES.get(name, name)
        assert name not in found, f"{name} is asked for twice"
        found[name] = str(requirement.specifier)
    return found


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return read_project()


@pytest.fixture(scope="module")
def conda() -> list[Any]:
    loaded = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    dependencies: list[Any] = loaded["dependencies"]
    return dependencies


def asked_for(project: dict[str, Any]) -> list[str]:
    """Every requirement, of the package and of each extra, without the extras that only gather others."""
    extras = project["optional-dependencies"]
    lines = [*project["dependencies"], *(line for extra in extras.values() for line in extra)]
    return [line for line in lines if canonicalize_name(Requirement(line).name) != project["name"]]


def test_environment_yml_holds_every_dependency_and_extra_with_the_same_bounds(
    project: dict[str, Any], conda: list[Any]
) -> None:
    by_conda = [line for line in conda if isinstance(line, str)]
    (by_pip,) = [entry["pip"] for entry in conda if isinstance(entry, dict)]
    given = bounds([*by_conda, *(line for line in by_pip if not line.startswith("-e"))])

    assert given.pop("python") == project["requires-python"]
    assert given.pop("pip") == ""
    assert given == bounds(asked_for(project))


def test_environment_yml_installs_the_package_itself(conda: list[Any]) -> None:
    (by_pip,) = [entry["pip"] for entry in conda if isinstance(entry, dict)]
    assert "-e ." in by_pip


def test_the_all_extra_holds_every_extra_a_user_may_want(project: dict[str, Any]) -> None:
    extras = project["optional-dependencies"]
    (gathered,) = map(Requirement, extras["all"])
    assert canonicalize_name(gathered.name) == project["name"]
    assert gathered.extras == set(extras) - {"all", "dev"}


def pins() -> list[Requirement]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


def test_every_dependency_is_pinned_inside_its_bounds(project: dict[str, Any]) -> None:
    pinned: dict[str, list[str]] = {}
    for pin in pins():
        (version,) = pin.specifier
        assert version.operator == "==", f"{pin} does not pin"
        pinned.setdefault(canonicalize_name(pin.name), []).append(version.version)

    for line in asked_for(project):
        requirement = Requirement(line)
        versions = pinned.get(canonicalize_name(requirement.name))
        assert versions, f"{requirement.name} is not in constraints.txt: run `make lock`"
        outside = [version for version in versions if version not in requirement.specifier]
        assert not outside, f"constraints.txt pins {requirement.name} {outside}: run `make lock`"


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13", "3.14"])
def test_a_package_has_at_most_one_pin_on_each_python(python: str) -> None:
    where = {"python_version": python, "python_full_version": f"{python}.9"}
    names = [canonicalize_name(pin.name) for pin in pins() if not pin.marker or pin.marker.evaluate(where)]
    assert sorted(set(names)) == sorted(names)
    assert "panel" in names


def test_the_pins_name_no_registry_and_no_place_on_disk() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    found = [line for line in text.splitlines() if "/" in line or "@" in line or line.startswith("-")]
    assert found == []
