"""Ten mistakes at once, several in one file: all are named with file and line, and nothing else is."""

from __future__ import annotations

from pathlib import Path

from tests.config.folders import add, starter, swap, told


def test_ten_mistakes_at_once_are_all_named(tmp_path: Path) -> None:
    folder = starter(tmp_path / "c")
    expected: dict[str, str] = {}

    def mistake(file: str, old: str, new: str, says: str, *, below: int = 0) -> None:
        line = swap(folder, file, old, new)
        expected[f"{file}:{line + below}: "] = says

    mistake(
        "hub.yaml", "  host: 127.0.0.1\n  port: 8801", "  hots: 127.0.0.1\n  port: 8801", "unknown key hots"
    )
    mistake("hub.yaml", "    mapping: example", "    mapping: exampel", "no mapping is called exampel")
    mistake("hub.yaml", "{file: secrets/hashing.key}", "{env: SUQIU_HASH_KEY}", "SUQIU_HASH_KEY is not set")
    mistake("hub.yaml", "http://127.0.0.1:8800\n", "127.0.0.1:8800\n", "must begin with http://")
    mistake(
        "units.yaml",
        "    office: 综合处 ",
        "    office: 综合处\n    name: 又一个名字 ",
        "duplicate key name",
        below=1,
    )
    mistake("units.yaml", "[市工信局, 工信局]", "[人社局]", "claimed by gxj and by rsj")
    mistake("mappings/example.yaml", "{code: kinds}", "{code: kindz}", "kindz")
    mistake("mappings/example.yaml", "  title: {from: subject", "  tilte: {from: subject", "tilte")
    mistake("mappings/example.yaml", "enterprise.name: company", "enterprise.name: 'company.['", "company.[")
    line = add(folder, "mappings/example.yaml", "extends: example\n")
    expected[f"mappings/example.yaml:{line}: "] = "circle"

    said = told(folder)
    assert len(expected) == len(said) == 10, "\n".join(said)
    for where, says in expected.items():
        assert any(text.startswith(where) and says in text for text in said), (where, says, said)
