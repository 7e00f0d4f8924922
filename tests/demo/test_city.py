"""The city in a folder: the shipped configuration, and nothing in it that a city would not have."""

from __future__ import annotations

from pathlib import Path

import pytest

from config.files import read_folder
from config.loading import check, load
from config.secrets import Secrets
from demo.city import CONFIG, MAPPINGS, City
from mappings import cases

SERVERS = {
    "amqp": "amqp://hub:a%2Fpassword@127.0.0.1:5672/city",
    "management": "http://hub:a%2Fpassword@127.0.0.1:15672",
    "database": "postgresql+psycopg://hub:word@127.0.0.1:5432/suqiu",
}


@pytest.mark.parametrize("servers", [pytest.param({}, id="embedded"), pytest.param(SERVERS, id="servers")])
def test_the_city_of_a_day_has_no_problem(tmp_path: Path, servers: dict[str, str]) -> None:
    city = City(tmp_path, **servers)
    city.write()
    assert check(read_folder(city.config), Secrets(city.secrets, city.config)) == []


def test_no_password_and_no_token_stands_in_its_files(tmp_path: Path) -> None:
    city = City(tmp_path, **SERVERS)
    city.write()
    text = "".join(read_folder(city.config).files.values())
    assert city.secrets["SUQIU_AMQP_PASSWORD"] == "a/password"
    assert [name for name, value in city.secrets.items() if len(value) > 8 and value in text] == []
    assert "a%2Fpassword" not in text
    assert (tmp_path / "secrets.env").stat().st_mode & 0o077 == 0


def test_only_addresses_and_the_pace_differ_from_what_is_shipped(tmp_path: Path) -> None:
    city = City(tmp_path)
    city.write()
    shipped, ours = read_folder(CONFIG), read_folder(city.config)
    assert {name for name in shipped.files if shipped.files[name] != ours.files.get(name)} == {"hub.yaml"}
    assert shipped.files.keys() == ours.files.keys()


def test_every_unit_has_an_office_that_answers_for_it() -> None:
    """R20: the responsible office is named."""
    units = load(read_folder(CONFIG)).units.values()
    assert [unit.id for unit in units if not unit.office] == []
    assert len([unit for unit in units if unit.part == "unit"]) >= 12


def test_every_county_level_place_has_its_code() -> None:
    directory = load(read_folder(CONFIG)).directory
    counties = {code for code in directory.regions if code != "320500"}
    assert counties == {
        "320505", "320506", "320507", "320508", "320509",
        "320571", "320581", "320582", "320583", "320585",
    }  # fmt: skip
    assert directory.region("320502") == "320508"
    assert directory.region("苏州高新区") == "320505"


@pytest.mark.parametrize("name", ["sst", "sst_direct", "crm"])
def test_the_cases_beside_a_mapping_come_out_as_expected(name: str) -> None:
    translator = load(read_folder(CONFIG)).translators[name]
    results = cases.run(translator, cases.read(MAPPINGS / f"{name}.cases"), name)
    assert len(results) >= 3
    assert {result.case: result.differences for result in results if not result.is_as_expected} == {}
