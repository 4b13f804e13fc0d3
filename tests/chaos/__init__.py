"""Faults that are done to real processes, files, disks and connections, and what is left afterwards."""

from dataclasses import dataclass, field


@dataclass
class Trial:
    """One kind of fault, done many times.

    Attributes:
        name: What was done to what.
        survived: How often everything that must hold held.
        broken: What did not hold: in words, with where.
        outcomes: How often each thing came of it.
        note: How it was done.
        known: Why what did not hold is left so.
    """

    name: str
    survived: int = 0
    broken: list[str] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    note: str = ""
    known: str = ""

    @property
    def tried(self) -> int:
        return self.survived + len(self.broken)

    def add(self, where: object, outcome: str, wrong: str = "") -> None:
        """Count one fault; `wrong` says what did not hold."""
        came = "not survived" if wrong else outcome
        self.outcomes[came] = self.outcomes.get(came, 0) + 1
        if wrong:
            self.broken.append(f"{where}: {wrong}")
        else:
            self.survived += 1


@dataclass(frozen=True)
class Skipped:
    """A kind of fault that cannot be done on this machine."""

    name: str
    why: str
