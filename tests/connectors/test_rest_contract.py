"""The source contract, kept by the one REST connector for four very different systems."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from router.ports import Source
from tests.connectors import systems
from tests.connectors.contract import SourceContract


class _OfSystem(SourceContract):
    EXPECTED = systems.IDS
    SYSTEM: type = systems.App

    @pytest.fixture
    def source(self) -> Iterator[Source]:
        self.system = self.SYSTEM()
        yield systems.source(self.system.settings)
        self.system.server.close()

    def break_off(self) -> None:
        self.system.broken = True


class TestAppWithTokenAndPages(_OfSystem):
    SYSTEM = systems.App


class TestCrmWithSignedForms(_OfSystem):
    SYSTEM = systems.Crm


class TestKeyset(_OfSystem):
    SYSTEM = systems.Keyset


class TestNextCursor(_OfSystem):
    SYSTEM = systems.NextCursor
