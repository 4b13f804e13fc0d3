"""Size on disk of a distribution and everything it requires, in MB (10^6 bytes): `python environment.py NAME`.

Runs in the environment that is measured. The interpreter and extras that nothing requires do not count.
"""

import json
import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement


def closure(name: str) -> dict[str, Distribution]:
    """Return a distribution and its transitive requirements, as far as installed, by normalised name."""
    found: dict[str, Distribution] = {}
    done: set[tuple[str, str]] = set()
    waiting = [(name, "")]
    while waiting:
        name, extra = waiting.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if (key, extra) in done:
            continue
        done.add((key, extra))
        try:
            found[key] = distribution(name)
        except PackageNotFoundError:
            continue
        for requirement in map(Requirement, found[key].requires or ()):
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                waiting += [(requirement.name, wanted) for wanted in ("", *requirement.extras)]
    return found


def measure(name: str) -> dict[str, float]:
    """Count the packages, and sum the sizes of their files that exist."""
    found = closure(name)
    files = {Path(str(one.locate_file(file))) for one in found.values() for file in one.files or ()}
    size = sum(file.stat().st_size for file in files if file.is_file())
    return {"packages": len(found), "MB": size / 1e6}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1])))
