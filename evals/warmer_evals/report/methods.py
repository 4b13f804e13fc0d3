"""Labels and notes of the retrieval methods in a report."""

_METHODS = {
    "vanilla": ("No feedback", "the next hits of the dense list"),
    "vanilla_hybrid": ("No feedback, hybrid", "the next hits by vectors and words"),
    "feedback": ("Feedback", "as the server serves it"),
    "feedback_dense": ("Feedback, dense", "without the words"),
    "feedback_default": ("Feedback, untrained", "the default parameters"),
    "feedback_reference": ("Reference feedback", "all pairs, the reference's own fit"),
    "rocchio": ("Rocchio", "towards the mean of the good hits"),
    "rerank_only": ("Rerank only", "scored hits sorted, nothing retrieved"),
    "rerank_only_hybrid": ("Rerank only, hybrid", "the same by vectors and words"),
}


def method_label(name: str) -> str:
    """Return a method's label; for an unknown method, its name."""
    return _METHODS[name][0] if name in _METHODS else name


def method_note(name: str) -> str:
    """Return a short description of a method; empty for an unknown one."""
    return _METHODS[name][1] if name in _METHODS else ""
