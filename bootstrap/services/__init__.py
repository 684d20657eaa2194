"""Verbs. Each changes rows in one transaction, with its audit entry."""
