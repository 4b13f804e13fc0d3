"""`python -m PACKAGE REPORT [FOLDER]`: a check with a folder to work in, its own or one that is kept."""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path


def run_check(main: Callable[[Path, Path], None], name: str) -> None:
    """Call `main` with the file of the report and the folder."""
    place = Path(sys.argv[1]).absolute()
    if len(sys.argv) > 2:
        main(place, Path(sys.argv[2]).absolute())
    else:
        with tempfile.TemporaryDirectory(prefix=f"warmer-{name}-") as folder:
            main(place, Path(folder))
