"""
JSON Schemas: of every configuration file, for editors; of every canonical message, as the contract.

`suqiu schema` writes the first, `export_contracts` the second (docs/contracts/).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import mappings.spec
from config.rules import routes_schema
from config.samples import SAMPLES
from config.settings import HubSettings
from config.units import RegionsFile, UnitsFile
from connectors.front import contract

DIALECT = "https://json-schema.org/draft/2020-12/schema"


def configuration_schemas() -> dict[str, dict[str, Any]]:
    """File name → schema. A file names its schema in its first line: `# yaml-language-server: $schema=…`."""
    own: dict[str, type[BaseModel]] = {"hub": HubSettings, "units": UnitsFile, "regions": RegionsFile}
    schemas = {name: model.model_json_schema(by_alias=True) for name, model in own.items()}
    schemas["routes"] = routes_schema()
    schemas.update(mappings.spec.json_schemas())
    return {f"{name}.schema.json": {"$schema": DIALECT, **schema} for name, schema in schemas.items()}


def contract_files() -> dict[str, str]:
    """File name → text: a schema and a sample per message type, and the OpenAPI of the front."""
    files = {}
    for message in SAMPLES:
        model, name = type(message), type(message).__name__.lower()
        schema = {"$schema": DIALECT, **model.model_json_schema(mode="serialization")}
        files[f"{name}.schema.json"] = _text(schema)
        files[f"{name}.sample.json"] = _text(message.model_dump(mode="json"))
    files["openapi.json"] = _text(contract())
    return files


def export_contracts(folder: Path) -> list[Path]:
    """Write docs/contracts anew; files that no message has any more are removed."""
    folder.mkdir(parents=True, exist_ok=True)
    files = contract_files()
    for path in folder.glob("*.json"):
        if path.name not in files:
            path.unlink()
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    return [folder / name for name in files]


def _text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2) + "\n"
