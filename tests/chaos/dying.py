"""Runs a command so that it ends by SIGKILL at the n-th call that changes a folder: see dying.c."""

import os
import shutil
import subprocess
from pathlib import Path

SOURCE = Path(__file__).with_name("dying.c")


def why_not() -> str:
    """Say what is missing to do this; nothing if it can be done."""
    return "" if shutil.which("cc") and os.uname().sysname == "Linux" else "it takes Linux and a C compiler"


def build(folder: Path) -> Path:
    """Compile the library that is preloaded."""
    library = folder / "dying.so"
    if not library.exists():
        subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, SOURCE, "-ldl"], check=True)
    return library


class Death:
    """The environment in which a command dies at its n-th call that changes `folder`; 0: never, calls are counted."""

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
