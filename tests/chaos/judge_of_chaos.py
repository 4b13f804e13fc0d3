"""A slow judge with deterministic scores that records each query in the file CHAOS_CALLS."""

import os
from pathlib import Path
from time import sleep


class Slow:
    def score(self, query: str, passages: list[str]) -> list[float]:
        with Path(os.environ["CHAOS_CALLS"]).open("a", encoding="utf-8") as calls:
            calls.write(query + "\n")
        sleep(0.02)
        return [float(len(passage) % 11) for passage in passages]
