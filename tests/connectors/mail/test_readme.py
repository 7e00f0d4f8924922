"""connectors/mail/README.md names every setting, and its example loads."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import BaseModel

from connectors.mail import settings as s
from tests.connectors.mail import writing

README = (Path(__file__).parents[3] / "connectors" / "mail" / "README.md").read_text("utf-8")
TABLES = "\n".join(line for line in README.splitlines() if line.startswith("|"))
MODELS = (s.MailboxSettings, s.ImapSettings, s.SmtpSettings, s.SenderSettings, s.AuthenticationSettings)


@pytest.mark.parametrize(
    ("model", "setting"),
    [
        pytest.param(model, field.alias or name, id=f"{model.__name__}.{name}")
        for model in (*MODELS, s.ReplySettings)
        for name, field in model.model_fields.items()
        if name != "kind"
    ],
)
def test_every_setting_is_in_a_table(model: type[BaseModel], setting: str) -> None:
    assert f"`{setting}`" in TABLES


def test_the_example_loads_and_makes_a_source() -> None:
    (block,) = re.findall(r"^```yaml\n(.*?)^```", README, re.M | re.S)
    pull = yaml.safe_load(block)["sources"]["mailbox"]["pull"]
    settings = s.MailboxSettings.model_validate(pull)
    assert settings.imap is not None
    assert settings.imap.done_folder == "企业诉求/已处理"
    assert writing.source(settings).name == "mailbox"
