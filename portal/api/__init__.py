"""The door for other machines: everything that staff can read, and no decision."""
