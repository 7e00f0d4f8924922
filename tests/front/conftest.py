"""One front for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.front.rig import Rig, settings


@pytest.fixture
def rig() -> Iterator[Rig]:
    """Serves one push door (Standard Webhooks) and the units' door."""
    with Rig().serving(settings()) as rig:
        yield rig
