"""`suqiu init`: what it writes works as it stands, and it never overwrites."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from config.beginning import init
from config.files import read_folder
from config.loading import load
from mappings import cases
from router.errors import ConfigError
from tests.config.folders import checked, starter, told


def test_the_cases_of_the_starter_come_out_as_written(tmp_path: Path) -> None:
    folder = starter(tmp_path / "c")
    translator = load(read_folder(folder)).translators["example"]
    (result,) = cases.run(translator, cases.read(folder / "mappings" / "example.cases"))
    assert result.differences == ()


def test_secrets_are_for_the_owner_only_and_each_is_different(tmp_path: Path) -> None:
    folder = starter(tmp_path / "c")
    secrets = list((folder / "secrets").iterdir())
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700
    assert len({path.read_text() for path in secrets}) == len(secrets) == 6
    assert "secrets/" in (folder / ".gitignore").read_text()


def test_init_refuses_to_overwrite_and_writes_nothing(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(ConfigError, match="is not empty"):
        init(tmp_path, os.urandom)
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
    with pytest.raises(ConfigError):
        init(tmp_path / "mine.txt", os.urandom)


def test_an_empty_folder_is_taken(tmp_path: Path) -> None:
    init(tmp_path, os.urandom)
    assert told(tmp_path) == []


def test_every_option_of_hub_yaml_is_shown_or_explained(tmp_path: Path) -> None:
    text = (starter(tmp_path / "c") / "hub.yaml").read_text("utf-8")
    from config.settings import HubSettings

    for name, info in HubSettings.model_fields.items():
        assert f"{name}:" in text
        inner = getattr(info.annotation, "model_fields", {})
        assert all(f"{key}:" in text for key in inner), name


def uncommented(text: str, begins: str) -> str:
    """The block that is commented out from this line on, without the explanations beside it."""
    lines = text.split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith(begins))
    prefix = begins[: begins.index("#") + 2]
    end = start
    while (
        end < len(lines)
        and lines[end].startswith(prefix)
        and (end == start or lines[end][len(prefix)] == " ")
    ):
        lines[end] = prefix[:-2] + lines[end][len(prefix) :]
        end += 1
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("file", "begins"),
    [
        ("hub.yaml", "# broker:"),
        ("hub.yaml", "# worker:"),
        ("hub.yaml", "# retry:"),
        ("hub.yaml", "    # pull:"),
        ("units.yaml", "    # destination:"),
    ],
)
def test_what_is_shown_as_a_comment_works_when_it_is_uncommented(
    tmp_path: Path, file: str, begins: str
) -> None:
    folder = starter(tmp_path / "c")
    path = folder / file
    before = path.read_text("utf-8")
    path.write_text(uncommented(before, begins), "utf-8")
    if file == "units.yaml":
        (folder / "mappings" / "projections").mkdir()
        (folder / "mappings" / "projections" / "gxj.yaml").write_text("fields: {title: appeal.title}\n")
    assert path.read_text("utf-8") != before
    secrets = {"SUQIU_EXAMPLE_KEY": "x" * 40, "SUQIU_AMQP_PASSWORD": "x"}
    assert [str(problem) for problem in checked(folder, secrets)] == []
