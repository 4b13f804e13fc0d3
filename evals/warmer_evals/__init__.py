"""Evaluations: is relevance feedback worth having on your own data?"""

from warmer.errors import WarmerError


class EvalError(WarmerError):
    """An evaluation cannot run with this dataset, judge or setting."""
