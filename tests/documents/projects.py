"""Source archives of ten projects, as pip brings them from PyPI."""

import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Project:
    """A project whose source archive has documentation.

    Attributes:
        name: Name on PyPI.
        version: Version.
        what: What the documentation is written in.
        folder: Where it is in the archive; empty for all of it.
    """

    name: str
    version: str
    what: str
    folder: str = ""


PROJECTS = (
    Project("flask", "3.1.0", "Sphinx, reStructuredText; Python"),
    Project("attrs", "24.3.0", "Sphinx with MyST, Markdown; Python"),
    Project("pymdown-extensions", "10.14", "MkDocs Material, Markdown", "docs"),
    Project("markdown", "3.7", "MkDocs, Markdown; Python"),
    Project("fastmcp", "2.10.6", "Mintlify, MDX", "docs"),
    Project("nbsphinx", "0.9.6", "Jupyter notebooks, Sphinx"),
    Project("mako", "1.3.8", "Sphinx, as built HTML and in reStructuredText", "doc"),
    Project("docutils", "0.21.2", "reStructuredText in .txt; man page", "docs"),
    Project("httpie", "3.2.4", "Markdown, man pages; Python"),
    Project("qutebrowser", "3.7.0", "AsciiDoc, the man page and the HTML made of it", "doc"),
)


def fetch(project: Project, work: Path) -> Path:
    """Unpack a project's archive in `work`, if it is not there, and return the folder of its documentation.

    Raises:
        subprocess.CalledProcessError: pip failed.
    """
    folder = work / f"{project.name}-{project.version}"
    if not folder.is_dir():
        archives = work / "archives" / project.name
        archives.mkdir(parents=True, exist_ok=True)
        asked = ["--no-deps", "--no-binary", project.name, f"{project.name}=={project.version}"]
        # pip makes the archive's metadata, by build tools whose versions the archive names.
        plain = {name: value for name, value in os.environ.items() if name not in {"PIP_CONSTRAINT", "PYTHONPATH"}}
        pip = [sys.executable, "-m", "pip", "download", "--quiet", *asked]
        subprocess.run(pip, cwd=archives, check=True, env=plain, stdout=subprocess.DEVNULL)
        [archive] = archives.iterdir()
        unpacked = work / f"{folder.name}.part"
        with tarfile.open(archive) as opened:
            opened.extractall(unpacked, filter="data")
        [top] = unpacked.iterdir()
        top.rename(folder)
        unpacked.rmdir()
    return folder / project.folder
