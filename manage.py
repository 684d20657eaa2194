#!/usr/bin/env python
"""Django's command line; what the surroundings lack is said in one line."""

from __future__ import annotations

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError, ProgrammingError


def main() -> int:
    """Run the command of the command line; return the exit status."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if sys.argv[1:2] == ["demo"]:
        os.environ["PORTAL_DEMO"] = "1"  # the demo brings its own keys and database
    try:
        execute_from_command_line(sys.argv)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except (ImproperlyConfigured, OperationalError, ProgrammingError) as fault:
        if "--traceback" in sys.argv:
            raise
        sys.stderr.write(f"{told(fault)}\n")
        return 1
    return 0


def told(fault: Exception) -> str:
    """Return what is wrong with settings or database, and what to do about it."""
    words = " ".join(str(fault).split())
    if isinstance(fault, ImproperlyConfigured):
        return f"Settings: {words}"
    if "no such table" in words or "does not exist" in words:
        cure = "Bring its tables up to date: manage.py migrate."
    else:
        cure = "Is DATABASE_URL right, and does the database accept us?"
    return f"Database: {words}. {cure} (--traceback shows where.)"


if __name__ == "__main__":
    sys.exit(main())
