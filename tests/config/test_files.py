"""Bundles: the same text is the same configuration everywhere, and nothing outside gets in."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.files import Bundle, read_folder
from config.loading import load
from tests.config.folders import add, starter, swap


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return starter(tmp_path / "c")


def test_the_hash_is_the_contents_and_not_the_place(folder: Path, tmp_path: Path) -> None:
    again = starter(tmp_path / "elsewhere")
    assert read_folder(folder).hash == read_folder(again).hash
    add(folder, "routes.yaml", "# a comment is a change too\n")
    assert read_folder(folder).hash != read_folder(again).hash


def test_moving_text_between_files_changes_the_hash() -> None:
    assert Bundle({"a": "x", "b": ""}).hash != Bundle({"a": "", "b": "x"}).hash


def test_windows_line_ends_are_the_same_configuration(folder: Path) -> None:
    before = read_folder(folder).hash
    path = folder / "hub.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read_folder(folder).hash == before


def test_a_kept_bundle_comes_back_and_loads(folder: Path) -> None:
    bundle = read_folder(folder)
    back = Bundle.from_json(bundle.to_json())
    assert back == bundle
    assert back.hash == bundle.hash
    assert load(back).directory.unit("人社局") == "rsj"


@pytest.mark.parametrize("text", ["[]", '{"a": 1}', '"x"'])
def test_what_is_no_kept_bundle_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="kept configuration"):
        Bundle.from_json(text)


def test_secrets_and_data_are_not_in_the_bundle(folder: Path) -> None:
    bundle = read_folder(folder)
    assert sorted(bundle.files) == [
        "hub.yaml",
        "mappings/codes/kinds.yaml",
        "mappings/example.yaml",
        "regions.yaml",
        "routes.yaml",
        "units.yaml",
    ]
    for secret in (folder / "secrets").iterdir():
        assert secret.read_text().strip() not in bundle.to_json()


def test_mappings_may_stand_beside_the_folder(folder: Path) -> None:
    (folder / "mappings").rename(folder.parent / "shared")
    swap(folder, "hub.yaml", "# mappings: mappings", "mappings: ../shared")
    bundle = read_folder(folder)
    assert "../shared/codes/kinds.yaml" in bundle.files
    assert set(bundle.mapping_files()) == {"example.yaml", "codes/kinds.yaml"}
    assert load(bundle).tables == ("kinds",)


def test_links_out_of_the_folder_are_not_followed(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.yaml"
    outside.write_text("token: hidden\n")
    (folder / "mappings" / "stolen.yaml").symlink_to(outside)
    (folder / "regions.yaml").unlink()
    (folder / "regions.yaml").symlink_to(outside)
    bundle = read_folder(folder)
    assert "hidden" not in bundle.to_json()
    assert set(bundle.unreadable) == {"mappings/stolen.yaml", "regions.yaml"}


def test_links_inside_the_folder_are_followed_as_kubernetes_makes_them(folder: Path) -> None:
    (folder / "..data").mkdir()
    (folder / "units.yaml").rename(folder / "..data" / "units.yaml")
    (folder / "units.yaml").symlink_to("..data/units.yaml")
    assert read_folder(folder).files["units.yaml"].startswith("#")
    assert not read_folder(folder).unreadable


def test_a_huge_file_is_named_and_not_read(folder: Path) -> None:
    (folder / "mappings" / "huge.yaml").write_bytes(b"#" * (3 * 1024 * 1024))
    bundle = read_folder(folder)
    assert "MiB" in bundle.unreadable["mappings/huge.yaml"]


def test_what_is_not_text_is_named(folder: Path) -> None:
    (folder / "mappings" / "gbk.yaml").write_bytes("名称: 市人社局".encode("gbk"))
    os.mkfifo(folder / "mappings" / "pipe.yaml")
    bundle = read_folder(folder)
    assert set(bundle.unreadable) == {"mappings/gbk.yaml", "mappings/pipe.yaml"}


def test_an_empty_place_gives_an_empty_bundle(tmp_path: Path) -> None:
    assert read_folder(tmp_path / "nothing").files == {}
