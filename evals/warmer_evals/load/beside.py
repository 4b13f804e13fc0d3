"""What goes on beside the agents: trainings, and commands that change the collection and the journal."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import anyio
from mcp import Client, MCPError

from warmer_evals.load.agents import Tally
from warmer_evals.load.server import COMMAND

TRAIN, INDEX, PRUNE, IMPORT = KINDS = "train", "index", "prune", "import"
_SECTIONS = 50
_DAYS = str(10 / 24 / 60)  # older searches are pruned, scored or not: no agent comes back to one after ten minutes


@dataclass(frozen=True, slots=True)
class Beside:
    """One thing of `KINDS` again and again.

    Attributes:
        url: Endpoint of the server.
        settings: Environment of the commands.
        folder: Where the changing document and the exported journal are written.
        collection: Name of the collection that is indexed.
        pause: Seconds from the end of one run to the beginning of the next.
    """

    url: str
    settings: Mapping[str, str]
    folder: Path
    collection: str
    pause: float

    async def repeat(self, kind: str, tally: Tally) -> None:
        """Do it until cancelled; count broken connections and failed commands as errors."""
        do = {TRAIN: self._train, INDEX: self._index, PRUNE: self._prune, IMPORT: self._import}[kind]
        while True:
            try:
                await do(tally)
            except (MCPError, ExceptionGroup, OSError) as error:
                tally.count(error)
            await anyio.sleep(self.pause)

    async def _train(self, tally: Tally) -> None:
        async with Client(self.url) as client:
            result = await client.call_tool("train_params", {"wait_seconds": 30})
        tally.trainings[str((result.structured_content or {"status": "refused"})["status"])] += 1

    async def _index(self, tally: Tally) -> None:
        sections = (f"## Section {n}\n\nWritten in run {tally.runs[INDEX]}.\n" for n in range(_SECTIONS))
        changing = anyio.Path(self.folder / "changing")
        await changing.mkdir(exist_ok=True)
        await (changing / "changing.md").write_text("# Changing\n\n" + "\n".join(sections), encoding="utf-8")
        await self._run(tally, INDEX, "index", str(changing), "--collection", self.collection)

    async def _prune(self, tally: Tally) -> None:
        await self._run(tally, PRUNE, "journal", "prune", "--older-than", _DAYS)

    async def _import(self, tally: Tally) -> None:
        file = self.folder / "journal.jsonl"
        file.unlink(missing_ok=True)
        await self._run(tally, "export", "journal", "export", str(file))
        await self._run(tally, IMPORT, "journal", "import", str(file))

    async def _run(self, tally: Tally, name: str, *arguments: str) -> None:
        done = await anyio.run_process([*COMMAND, *arguments], env=self.settings, check=False)
        if done.returncode:
            tally.errors[f"{name}: {done.stderr.decode(errors='replace').strip()[-200:]}"] += 1
        else:
            tally.runs[name] += 1
