"""Evals: whether feedback is worth having, on data of your own."""

from warmer.errors import WarmerError


class EvalError(WarmerError):
    """A dataset, judge or setting that an evaluation cannot be run with."""
