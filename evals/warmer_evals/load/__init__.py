"""Load and soak tests of `warmer serve --http`: throughput, latency, fairness, errors and memory with many agents."""
