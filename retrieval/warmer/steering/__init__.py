"""Words and scores to one query, and its candidates to one list; the same on every engine."""
