"""The time that journals keep."""

import time as system
from typing import Annotated

from pydantic import AfterValidator


def exact(seconds: float) -> float:
    """Round to microseconds: Qdrant reads longer fractions from its JSON with a wrong last bit."""
    return round(seconds, 6)


Time = Annotated[float, AfterValidator(exact)]


def time() -> float:
    """Give the seconds since 1970, to the microsecond."""
    return exact(system.time())
