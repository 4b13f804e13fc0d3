"""Training of parameters on scored searches: the fit, and its check on held-out queries."""
