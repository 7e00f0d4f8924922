"""Secrets: read from where the pointer says, and never repeated in an error."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.secrets import Secrets
from router.errors import ConfigError
from router.secrets import SecretRef

ENV, FILE = SecretRef(env="SUQIU_TOKEN"), SecretRef(file="secrets/t")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "t").write_text("from file\n")
    (tmp_path / "secrets" / "t").chmod(0o600)
    return tmp_path


def test_a_secret_comes_from_the_environment_that_was_handed_in(folder: Path) -> None:
    assert Secrets({"SUQIU_TOKEN": "from env"}, folder)(ENV) == "from env"


def test_a_secret_comes_from_a_file_without_its_last_line_end(folder: Path) -> None:
    assert Secrets({}, folder)(FILE) == "from file"
    assert Secrets({}, Path("/"))(SecretRef(file=str(folder / "secrets" / "t"))) == "from file"


@pytest.mark.parametrize(
    ("ref", "what"),
    [
        (ENV, "environment variable SUQIU_TOKEN is not set"),
        (SecretRef(file="secrets/none"), "file secrets/none does not exist"),
        (SecretRef(file="secrets"), "file secrets cannot be read"),
        (SecretRef(file="a\x00b"), "cannot be read"),
        (SecretRef(file="secrets/empty"), "file secrets/empty is empty"),
        (SecretRef(file="secrets/huge"), "larger than 64 KiB"),
        (SecretRef(file="secrets/binary"), "not UTF-8"),
    ],
)
def test_a_missing_secret_says_which_and_what_to_do(folder: Path, ref: SecretRef, what: str) -> None:
    (folder / "secrets" / "empty").write_text(" \n")
    (folder / "secrets" / "huge").write_text("x" * 70_000)
    (folder / "secrets" / "binary").write_bytes(b"hidden\xff\xfe")
    with pytest.raises(ConfigError) as refused:
        Secrets({}, folder)(ref)
    (problem,) = refused.value.problems
    assert what in problem.what
    assert problem.hint
    assert "hidden" not in str(problem)


@pytest.mark.parametrize(("mode", "is_open"), [(0o600, False), (0o400, False), (0o640, True), (0o604, True)])
def test_a_file_that_others_can_read_is_noticed(folder: Path, mode: int, is_open: bool) -> None:
    (folder / "secrets" / "t").chmod(mode)
    assert Secrets({}, folder).is_open_to_others(FILE) is is_open
    assert Secrets({}, folder).is_open_to_others(ENV) is False
