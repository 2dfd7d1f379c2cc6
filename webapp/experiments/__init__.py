"""Runs, their curves, evaluations and fusions, and the charts that explain them."""
