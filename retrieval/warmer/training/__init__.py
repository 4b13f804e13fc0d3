"""Scored searches to parameters: the fit, and whether held-out queries gain by it."""
