"""How the methods of retrieval are called in a report."""

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


def named(name: str) -> tuple[str, str]:
    """Give a method's label and a note; an unknown method is called what it is."""
    return _METHODS.get(name, (name, ""))
