"""Measurements: `make bench` prints tables of medians and ratios, one run each."""
