"""The canonical message that all contenders make: the same fields as the hub's, by a mapping in Python."""

from __future__ import annotations

import argparse
import re
from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import uuid4
from zoneinfo import ZoneInfo

from pydantic import AwareDatetime, BaseModel, Field

SHANGHAI = ZoneInfo("Asia/Shanghai")
KINDS = {"10": "consultation", "20": "complaint", "30": "help"}
REGIONS = {"320505", "320506", "320507", "320508", "320509"}
_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})")

Name = Annotated[str, Field(max_length=200)]


class Enterprise(BaseModel):
    name: Name
    uscc: Annotated[str, Field(pattern=r"^[0-9A-Z]{18}$")]


class Contact(BaseModel):
    name: Name
    phones: Annotated[list[str], Field(max_length=10)]


class Appeal(BaseModel):
    appeal_id: str
    source: str
    source_id: str
    revision: int
    channel: str
    kind: Literal["consultation", "complaint", "help", "other"]
    urgency: Literal["normal", "urgent"]
    title: Annotated[str, Field(max_length=500)]
    content: Annotated[str, Field(min_length=1, max_length=50_000)]
    category: list[Name]
    enterprise: Enterprise
    contact: Contact
    region: str
    address: Annotated[str, Field(max_length=500)]
    submitted_at: AwareDatetime
    received_at: AwareDatetime
    proposed_units: list[str]
    extensions: dict[str, str]


def convert(item: Mapping[str, Any]) -> tuple[str, Appeal]:
    """The unit that must act, and the message."""
    area = item["area"]
    appeal = Appeal.model_validate(
        {
            "appeal_id": str(uuid4()),
            "source": "crm",
            "source_id": item["no"],
            "revision": 1,
            "channel": "12345热线",
            "kind": KINDS.get(item["kind"], "other"),
            "urgency": item["urgent"],
            "title": item["title"].strip(),
            "content": item["content"].strip(),
            "category": [item["class1"], item["class2"]],
            "enterprise": {"name": item["firm"]["name"], "uscc": item["firm"]["code"]},
            "contact": {"name": item["link"]["name"].strip(), "phones": phones(item["link"])},
            "region": area if area in REGIONS else "",
            "address": item["address"],
            "submitted_at": datetime.strptime(item["time"], "%Y-%m-%d %H:%M:%S").replace(tzinfo=SHANGHAI),
            "received_at": datetime.now(SHANGHAI),
            "proposed_units": [item["unit"]],
            "extensions": {"order_no": item["no"]},
        }
    )
    return item["unit"], appeal


def phones(link: Mapping[str, str]) -> list[str]:
    """Mobile numbers as E.164, anything else as it came."""
    written = [text for text in (link["mobile"], link["tel"]) if text]
    return [f"+86{found[1]}" if (found := _MOBILE.fullmatch(text)) else text for text in written]


def arguments() -> argparse.Namespace:
    """What every contender is told."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--source", required=True)
    parser.add_argument("--pages", type=int, required=True)
    parser.add_argument("--amqp", required=True)
    parser.add_argument("--database", default="")
    return parser.parse_args()


def items_of(answer: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The items of one page. Raises ValueError for an answer that says no."""
    if answer["code"] != 0:
        raise ValueError(f"the source answered code {answer['code']}")
    found: list[dict[str, Any]] = answer["data"]["list"]
    return found
