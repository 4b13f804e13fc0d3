"""docker-compose parses the compose files, without starting anything."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
FOLDER = DOCS / "compose"
SET = {"QDRANT_API_KEY": "k", "WARMER_HOST": "h", "DATA": "/d", "TOKENS": "/t", "CERTIFICATES": "/c"}


@pytest.mark.skipif(not shutil.which("docker-compose"), reason="docker-compose is not installed")
@pytest.mark.parametrize("name", ["one-node.yaml", "three-nodes.yaml", "proxy.yaml"])
def test_a_compose_file_is_valid(name: str) -> None:
    assert sorted(file.name for file in FOLDER.glob("*.yaml")) == ["one-node.yaml", "proxy.yaml", "three-nodes.yaml"]
    command = ["docker-compose", "-f", str(FOLDER / name), "config", "--quiet"]
    done = subprocess.run(command, env=os.environ | SET, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("file", sorted(FOLDER.glob("*.yaml")), ids=lambda file: file.stem)
def test_a_compose_file_requires_its_variables(file: Path) -> None:
    named = set(re.findall(r"\$\{(\w+)", file.read_text()))
    assert named <= SET.keys()
    assert named == set(re.findall(r"\$\{(\w+):\?set \1", file.read_text()))
