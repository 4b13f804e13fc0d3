"""Make a command die by SIGKILL at its n-th call that changes a folder; see dying.c."""

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("dying.c")


def why_not() -> str:
    """Return what this machine lacks for it, or an empty string."""
    return "" if shutil.which("cc") and os.uname().sysname == "Linux" else "it takes Linux and a C compiler"


def build(folder: Path) -> Path:
    """Compile the library to preload, once."""
    library = folder / "dying.so"
    if not library.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
    return library


class Death:
    """Environment in which a command dies at call number `at` that changes `folder`; with 0, calls are only counted."""

    def __init__(self, library: Path, folder: Path, at: int) -> None:
        self._count = folder.parent / f"{folder.name}.count"
        self._count.write_bytes(bytes(8))
        self.environment = {
            "LD_PRELOAD": str(library),
            "DYING_FOLDER": str(folder),
            "DYING_AT": str(at),
            "DYING_COUNT": str(self._count),
        }

    @property
    def calls(self) -> int:
        return int.from_bytes(self._count.read_bytes(), "little")
