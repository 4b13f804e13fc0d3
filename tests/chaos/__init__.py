"""Inject faults into real processes, files, disks and connections, and check what survives."""

from dataclasses import dataclass, field


@dataclass
class Trial:
    """One kind of fault, injected many times.

    Attributes:
        name: The fault.
        survived: Number of faults after which everything held that must.
        broken: Where and what did not hold, one entry per fault.
        outcomes: Number of faults by outcome.
        note: How the faults were injected.
        known: Why this kind of fault need not be survived, if so.
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
        """Count one fault; `wrong` describes what did not hold, if anything."""
        counted = "not survived" if wrong else outcome
        self.outcomes[counted] = self.outcomes.get(counted, 0) + 1
        if wrong:
            self.broken.append(f"{where}: {wrong}")
        else:
            self.survived += 1


@dataclass(frozen=True)
class Skipped:
    """A kind of fault that cannot be injected on this machine."""

    name: str
    why: str
