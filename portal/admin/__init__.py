"""The second door; `portal.apps` has Django find the tables here."""
