"""A small city and one mapping that uses most of the syntax, for the tests of mappings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from mappings.loading import Mappings, load
from mappings.registry import Call, Surroundings
from mappings.translator import MappingTranslator
from router import jsontext
from router.directory import Directory, Region, Unit
from router.message import Appeal, Attachment, Envelope
from router.places import Places
from router.ports import Identity

UNITS = [
    Unit("rsj", "市人社局", aliases=("人社局",), scoped_aliases={"crm": ("1010",)}),
    Unit("zgh", "市总工会", aliases=("工会",)),
    Unit("gaj", "市公安局", scoped_aliases={"crm": ("1020",)}),
    Unit("desk", "企业服务专席", part="desk"),
]
REGIONS = [
    Region("320505", "虎丘区", ("苏州高新区", "高新区", "新区")),
    Region("320506", "吴中区"),
    Region("320508", "姑苏区", (), ("320502", "320503")),
    Region("320571", "苏州工业园区", ("园区", "工业园区", "SIP")),
    Region("320581", "常熟市", ("常熟",)),
    Region("320583", "昆山市", ("昆山",)),
]
DIRECTORY = Directory(UNITS, REGIONS)
KINDS = 'codes:\n  "10": consultation\n  "20": complaint\n'
IDENTITY = Identity("00000000-0000-7000-8000-000000000000", 1)
RECEIVED = datetime(2026, 1, 2, 3, 4, tzinfo=UTC)

SST = """\
revision_of: [title, content, contact, attachments, standing]
source_time: {from: gmtModified, apply: [{to_time: ["%Y-%m-%d %H:%M:%S"]}]}
echo: {from: updatedBy, equals: suqiu}
fields:
  channel: {value: 苏商通自报}
  title: appealTitle
  content: {from: appealContent, apply: [trim], required: true}
  contact.name: linkman.name
  contact.phones: {first_of: [linkman.mobile, linkman.tel], apply: [phones]}
  kind: {from: appealType, apply: [{code: kinds}], default: other}
  submitted_at: {from: createTime, apply: [{to_time: ["%Y-%m-%d %H:%M:%S", epoch_ms]}]}
  region: {first_of: [areaCode, address], apply: [region]}
  proposed_units: {from: deptName, apply: [unit]}
  enterprise.name: '"企业名称"'
  enterprise.uscc: {from: uscc, apply: [uscc]}
  enterprise.key_enterprise: {from: isKey, apply: [yes_no]}
  category: {all_of: [levelOne, levelTwo]}
  standing: {from: state, apply: [{code: standings}]}
  closure.satisfaction: {from: score, apply: [int]}
  extensions.order_no: {from: orderNo}
  extensions.first_file: {from: "files[?size > `0`].name | [0]"}
"""
STANDINGS = 'codes:\n  "90": withdrawn\n  "100": closed\n  "1": open\n'
ORDER: dict[str, Any] = {
    "appealTitle": " 关于欠薪 ",
    "appealContent": "员工反映工资未按时发放",
    "linkman": {"name": "王先生", "mobile": "", "tel": "65220000"},
    "appealType": "20",
    "createTime": "2023-04-03 09:30:00",
    "gmtModified": "2023-04-04 09:30:00",
    "areaCode": "",
    "address": "苏州市吴中区东吴南路1号",
    "deptName": "市人社局、工会",
    "企业名称": "某某机械有限公司",
    "uscc": "91320500MA00000010",
    "isKey": "是",
    "levelOne": "劳动",
    "levelTwo": "工资",
    "state": "1",
    "orderNo": 12345678901234567890123,
    "files": [{"name": "a.jpg", "size": 0}, {"name": "b.jpg", "size": 9}],
    "updatedBy": "clerk",
}
FILES = {
    "mappings/sst.yaml": SST,
    "mappings/codes/kinds.yaml": KINDS,
    "mappings/codes/standings.yaml": STANDINGS,
}


def read(text: str, **more: str) -> Mappings:
    """Load one mapping called `m` beside the code tables, and more files by their path below mappings/."""
    extra = {f"mappings/{path}.yaml": body for path, body in more.items()}
    return load({**FILES, "mappings/m.yaml": text, **extra}, DIRECTORY)


def translator(text: str = SST, name: str = "m") -> MappingTranslator:
    loaded = read(text)
    assert loaded.problems == ()
    return loaded.translators[name]


def fields(body: str) -> MappingTranslator:
    """A mapping with channel and content, and these fields."""
    return translator(f"fields:\n  channel: {{value: 测试}}\n  content: {{from: c, default: 内容}}\n{body}")


def envelope(body: Any, source: str = "sst", attachments: tuple[Attachment, ...] = ()) -> Envelope:
    raw = body if isinstance(body, bytes) else jsontext.dumps(body)
    return Envelope(source=source, source_id="A-1", body=raw, received_at=RECEIVED, attachments=attachments)


def appeal(mapping: MappingTranslator, body: Any, source: str = "sst") -> Appeal:
    return mapping.translate(envelope(body, source)).appeal(IDENTITY)


def call(scope: str = "sst") -> Call:
    codes = {"kinds": {"10": "consultation", "20": "complaint"}}
    return Call(Surroundings(DIRECTORY, Places(DIRECTORY), codes), scope)
