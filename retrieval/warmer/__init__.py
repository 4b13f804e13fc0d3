"""Relevance feedback over Qdrant: scores of an agent steer a second retrieval."""

import os

__version__ = "0.1.0"

# Read when NumPy is imported. Our products are small: a second thread gains nothing, and where other programs keep the
# cores busy the first one waits for it, 38 ms at the 95th percentile instead of 0.1.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
