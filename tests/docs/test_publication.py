"""Published files: consistent versions, valid formats, pins that the oldest supported Python can install."""

import json
import re
import tomllib
from importlib.metadata import distributions
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from warmer import __version__
from warmer_server.settings import Settings
from warmer_tools import give_feedback, search, train_params

ROOT = Path(__file__).parents[2]
SETTINGS = {str(field.validation_alias) for field in Settings.model_fields.values()}


def read(path: str) -> dict[str, Any]:
    raw: dict[str, Any] = json.loads((ROOT / path).read_text(encoding="utf-8"))
    return raw


def test_the_version_is_the_same_everywhere() -> None:
    server = read("server.json")
    assert server["version"] == server["packages"][0]["version"] == __version__
    assert read("mcpb/manifest.json")["version"] == __version__
    newest = re.search(r"^## (\S+?),? ", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert newest and newest[1] == __version__


def test_the_registry_accepts_server_json() -> None:
    """The registry's own schema ships with a linter for such files."""
    dated = read("server.json")["$schema"].split("/")[-2]
    schema = files("skillsaw.schemas.mcp_registry") / f"v{dated.replace('-', '_')}" / "server.schema.json"
    jsonschema.validate(read("server.json"), json.loads(schema.read_text(encoding="utf-8")))


def test_the_registry_finds_its_name_in_the_readme() -> None:
    """The registry looks for its name in the README on PyPI to verify the publisher."""
    assert f"<!-- mcp-name: {read('server.json')['name']} -->" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_the_registry_names_the_package_and_its_settings() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        project = tomllib.load(file)["project"]
    package = read("server.json")["packages"][0]
    assert package["identifier"] == project["name"]
    assert package["identifier"] in project["scripts"]  # `uvx NAME` runs it
    assert {variable["name"] for variable in package["environmentVariables"]} <= SETTINGS


def test_the_bundle_names_existing_tools_and_settings() -> None:
    """`make mcpb` lets the bundler check the format."""
    manifest = read("mcpb/manifest.json")
    assert {tool["name"] for tool in manifest["tools"]} == {
        tool.name for tool in (search.TOOL, give_feedback.TOOL, train_params.TOOL)
    }
    launch = manifest["server"]["mcp_config"]
    assert launch["env"].keys() <= SETTINGS
    requested = {value.removeprefix("${user_config.").removesuffix("}") for value in launch["env"].values()}
    assert requested == manifest["user_config"].keys()
    # An empty field must be passed as an empty string, not as an unexpanded variable.
    assert all(field["default"] == "" for field in manifest["user_config"].values())
    assert (ROOT / "mcpb" / manifest["server"]["entry_point"]).is_file()
    assert launch["args"][-1] == manifest["server"]["entry_point"]


def test_the_oldest_python_can_install_the_pins() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        oldest = tomllib.load(file)["project"]["requires-python"].removeprefix(">=") + ".0"
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").split()
    pinned = {canonicalize_name(name): version for name, _, version in (line.partition("==") for line in lines)}
    needs = {
        canonicalize_name(found.name): found.metadata["Requires-Python"]
        for found in distributions()
        if pinned.get(canonicalize_name(found.name)) == found.version
    }
    if len(needs) < len(pinned) / 2:
        pytest.skip("the packages here are not those that are pinned")
    assert [name for name, python in needs.items() if python and oldest not in SpecifierSet(python)] == []
