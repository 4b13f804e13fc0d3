"""How costs grow with the size of a collection: `python -m warmer_evals.scale`; see docs/scale.md."""
