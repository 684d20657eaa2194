"""The environment, read once and typed; an error names the variable."""

from __future__ import annotations

from typing import Final

import environ

env: Final = environ.Env()
