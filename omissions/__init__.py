"""Mutants of the engine, each with one rule left out, tried on the conformance kit."""
