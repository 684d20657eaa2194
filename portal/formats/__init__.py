"""How dates look where Django itself writes them, by language."""
