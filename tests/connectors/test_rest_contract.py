"""The source contract, kept by the one REST connector for very different systems."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from router.ports import Source
from tests.connectors import systems
from tests.connectors.contract import SourceContract


class _OfSystem(SourceContract):
    EXPECTED = systems.IDS
    SYSTEM: type[systems.System] = systems.App

    @pytest.fixture
    def source(self) -> Iterator[Source]:
        self.system = self.SYSTEM()
        yield systems.source(self.system.settings)
        self.system.server.close()

    def break_off(self) -> None:
        self.system.is_broken = True

    def mend(self) -> None:
        self.system.is_broken = False


class TestAppWithTokenAndPages(_OfSystem):
    SYSTEM = systems.App


class TestCrmWithSignedForms(_OfSystem):
    SYSTEM = systems.Crm


class TestOffset(_OfSystem):
    SYSTEM = systems.Offset


class TestKeyset(_OfSystem):
    SYSTEM = systems.Keyset


class TestNextCursor(_OfSystem):
    SYSTEM = systems.NextCursor


class TestLinkHeader(_OfSystem):
    SYSTEM = systems.Linked
