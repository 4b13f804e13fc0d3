"""How cost grows with a collection: `python -m warmer_evals.scale DATASETS WORK [POINTS ...]`; see docs/scale.md."""
