"""Coverage-guided fuzzing of everything that reads what strangers write (S-16)."""
