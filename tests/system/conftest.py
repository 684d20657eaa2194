"""Servers that several system tests share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.conftest import needs
from tests.support import world as worlds


@pytest.fixture
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[worlds.World]:
    """The small Internet of real servers, fresh for each test."""
    needs(*worlds.PROGRAMS)
    with worlds.running(tmp_path_factory.mktemp("world")) as running:
        yield running
