"""connectors/README.md names every setting, and its example of a pull loads."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import BaseModel

from connectors import answering, push, rest_paging, schemes
from connectors import rest_settings as rest
from connectors import table_exchange_settings as tables
from connectors.blocks import Says
from connectors.table_exchange import TableSource
from tests.connectors import systems
from tests.hub import StepClock

README = (Path(__file__).parents[2] / "connectors" / "README.md").read_text("utf-8")
BLOCKS = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```", README, re.M | re.S)]
TABLES = "\n".join(line for line in README.splitlines() if line.startswith("|"))
PULL = (rest.RestSettings, rest.HeaderAuth, rest.TokenAuth, rest.CertificateAuth, rest.SignatureAuth)
PARTS = (rest.DetailSettings, rest.AttachmentSettings, rest_paging.PagePaging, rest_paging.LinkPaging)
PUSH = (push.PushSettings, push.FileSettings, answering.Yes, answering.No)
TABLE = (
    tables.TableSettings,
    tables.StatusSettings,
    tables.WatermarkSettings,
    tables.UpdatedSettings,
)
SCHEMES = (schemes.HmacScheme, schemes.ParamsScheme, schemes.TokenScheme, schemes.StandardWebhooksScheme)


@pytest.mark.parametrize(
    ("model", "setting"),
    [
        pytest.param(model, name, id=f"{model.__name__}.{name}")
        for model in (*PULL, *PARTS, *PUSH, *SCHEMES, *TABLE)
        for name in model.model_fields
        if name != "kind"
    ],
)
def test_every_setting_is_in_a_table(model: type[BaseModel], setting: str) -> None:
    assert f"`{setting}`" in TABLES


def _pulls(kind: str) -> list[dict[str, Any]]:
    sources = [one for block in BLOCKS for one in (block.get("sources") or {}).values()]
    return [one["pull"] for one in sources if one.get("pull", {}).get("kind") == kind]


def test_the_example_of_a_pull_loads_and_makes_a_source() -> None:
    (pull,) = _pulls("rest")
    assert pull.pop("kind") == "rest"
    source = systems.source(pull, secrets=lambda _: "secret")
    assert source.name == "sys"
    assert Says.model_validate(pull["success"]).holds({"status": "success"})


def test_the_example_of_a_table_exchange_loads_and_makes_a_source() -> None:
    (pull,) = _pulls("table")
    settings = tables.TableSettings.model_validate(pull)
    source = TableSource("centre", settings, secrets=lambda _: "secret", clock=StepClock())
    assert source.name == "centre"
    assert settings.status is not None
    assert settings.status.taken_at == "TakeTime"
