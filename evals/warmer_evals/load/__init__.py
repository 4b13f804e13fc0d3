"""Many agents at once on `warmer serve --http`: throughput, latency, fairness, errors and memory, also over hours."""
