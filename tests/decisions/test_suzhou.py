"""The shipped city: its names, and every trap of real appeals."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

import config
from config.files import read_folder
from config.loading import Configuration, load
from router.decisions.evaluation import appeal_from
from router.decisions.facts import CaseHistory
from router.message import Decision

CITY = Path(config.__file__).parent / "suzhou"


@pytest.fixture(scope="module")
def city() -> Configuration:
    return load(read_folder(CITY))


def routed(
    city: Configuration, content: str, *, history: CaseHistory | None = None, **fields: Any
) -> Decision:
    appeal = appeal_from({"content": content, "source": "crm", **fields})
    return city.rules.route(appeal, history or city.first_look(appeal))


TRAPS: list[tuple[str, str, dict[str, Any], str]] = [
    ("a county's own bureau is the platform's", "请昆山市教育局解决员工子女入学", {}, "ksp"),
    ("a firm lying in a county is not", "我们是昆山市的一家企业，员工子女入学怎么办", {}, "jyj"),
    ("a town's government", "要求木渎镇政府兑现承诺的搬迁补偿", {}, "wzp"),
    ("a bank's own branch is not the central bank", "工商银行苏州市分行硬要我们买保险才放贷", {}, "jrz"),
    ("an industrial park is not the Industrial Park", "产业园区的海关查验太慢，货卡住了", {}, "hg1"),
    ("customs in the Park by the appeal's place", "货柜被海关查验", {"region": "320571"}, "hg2"),
    ("customs in the Park by the text's place", "苏州工业园区的企业，货柜被海关查验", {}, "hg2"),
    ("customs elsewhere", "货柜被海关查验", {"region": "320583"}, "hg1"),
    ("the Park's customs by its name", "请园区海关尽快放行", {}, "hg2"),
    ("the bank's own business", "苏州银行把我们的对公账户冻结了", {}, "szy"),
    ("a matter for its regulator", "举报苏州银行违规搭售保险，要求监管部门查处", {}, "jrz"),
    ("a licence is registered", "营业执照地址变更被退回", {}, "spj"),
    ("a licence is revoked", "营业执照被吊销，罚款不服", {}, "sjg"),
    ("a food licence is applied for", "想办食品经营许可证，材料怎么交", {}, "spj"),
    ("a telephone company has no unit", "移动公司的宽带断了三天没人修", {}, "desk"),
    ("nor a gas company", "燃气公司开户费太贵，天然气接不进来", {}, "desk"),
    ("nor a water company", "自来水公司说要收开户费，水压又低", {}, "desk"),
    ("nor the state's shareholders", "国资委下属公司的事请国资委管管", {}, "desk"),
    ("nor statistics", "统计局要我们填一套表，报表看不懂", {}, "desk"),
    ("a bureau that was only asked", "问了税务局，说不归他们管。仓库被盗了", {}, "gaj"),
    ("a bureau that is not meant", "不是社保问题，是公积金封存不了", {}, "gjj"),
    ("the trade in a firm's name", "苏州建筑劳务消防有限公司的发票开不出来", {}, "sws"),
    ("fire inspection and fire acceptance", "新厂房消防验收一直排不上", {}, "zjj"),
    ("which is not the same", "开业前的消防安全检查找谁", {}, "xfj"),
    ("a former name", "请银保监局管管保险公司，拖着不赔", {}, "jrz"),
    ("the new name of a renamed unit", "请苏州市数据局核查办事窗口的态度", {}, "spj"),
]


@pytest.mark.parametrize(
    ("content", "fields", "unit"), [row[1:] for row in TRAPS], ids=[row[0] for row in TRAPS]
)
def test_traps(city: Configuration, content: str, fields: dict[str, Any], unit: str) -> None:
    assert routed(city, content, **fields).lead == unit


ORDER: list[tuple[str, str, dict[str, Any], str, str]] = [
    ("what is closed is archived, whatever it says", "欠薪", {"standing": "closed"}, "archive", ""),
    ("what was taken back too", "欠薪", {"standing": "withdrawn"}, "archive", ""),
    ("a quarterly row too", "欠薪", {"mode": "quarterly"}, "archive", ""),
    ("in court", "工程款的事法院已经立案，下月开庭", {}, "desk", "不予受理审核"),
    ("in arbitration", "欠薪已申请仲裁，仲裁委已受理", {}, "desk", "不予受理审核"),
    ("under review", "处罚不服，已申请行政复议", {}, "desk", "不予受理审核"),
    ("in the petition procedure", "信访局已受理，信访件还在走程序", {}, "desk", "不予受理审核"),
    ("how to apply is a question", "员工欠薪怎么申请仲裁", {}, "rsj", ""),
    ("an emergency", "车间着火了快来人", {}, "desk", "不予受理审核"),
    ("of the party", "向纪委举报某干部", {}, "desk", "不予受理审核"),
    (
        "nobody wants to have it",
        "五个部门都说不归自己管，互相推诿，请市里指定牵头部门",
        {},
        "supervision",
        "指定牵头部门",
    ),
    (
        "two departments touched are not that",
        "欠薪的包工头跑了，派出所和人社都去过",
        {},
        "rsj",
        "",
    ),
    (
        "a question nobody has screened",
        "公积金怎么降比例",
        {"kind": "consultation", "source": "sst"},
        "desk",
        "在线答复",
    ),
    ("one that an agent has", "公积金怎么降比例", {"kind": "consultation"}, "gjj", ""),
    ("no question", "公积金封存不了", {"kind": "help", "source": "sst"}, "gjj", ""),
    (
        "a report goes to the platform of its place",
        "企业反映用地不足",
        {"mode": "direct_report", "source": "sst_direct", "region": "320509"},
        "wjp",
        "",
    ),
    (
        "by the place in its text",
        "走访昆山一家企业，反映用地不足",
        {"mode": "direct_report", "source": "sst_direct"},
        "ksp",
        "",
    ),
    (
        "never back to who reported it",
        "企业反映招工难",
        {"mode": "direct_report", "source": "sst_direct", "reporter": {"unit": "rsj"}},
        "desk",
        "核实诉求",
    ),
    ("what the source proposes", "说不清", {"proposed_units": ["hbj", "cgj"]}, "hbj", ""),
    ("but not who is only informed", "某事", {"proposed_units": ["bzb"]}, "desk", "核实诉求"),
    ("nothing that anybody could act on", "请尽快回电", {}, "desk", ""),
]


@pytest.mark.parametrize(
    ("content", "fields", "unit", "asks"), [row[1:] for row in ORDER], ids=[row[0] for row in ORDER]
)
def test_the_order_of_thought(
    city: Configuration, content: str, fields: dict[str, Any], unit: str, asks: str
) -> None:
    decision = routed(city, content, **fields)
    assert (decision.lead, decision.asks) == (unit, asks or decision.asks)


def test_r12_a_hard_appeal_needs_both_the_desk_s_verdict_and_the_consultation(city: Configuration) -> None:
    both = CaseHistory(desk_could_not_answer=True, consulted=True)
    one = CaseHistory(desk_could_not_answer=True)
    assert routed(city, "说不清的事", history=both).lead == "supervision"
    assert routed(city, "说不清的事", history=one).lead == "desk"


def test_r11_the_desk_is_asked_once(city: Configuration) -> None:
    tried = CaseHistory(unscreened=True, desk_could_not_answer=True)
    decision = routed(city, "公积金怎么降比例", kind="consultation", source="sst", history=tried)
    assert decision.lead == "gjj"


def test_r13_a_lead_with_assistants_is_not_for_the_supervision_office(city: Configuration) -> None:
    decision = routed(city, "包工头欠薪，工人堵门打砸")
    assert (decision.lead, decision.assisting) == ("rsj", ("gaj",))


def test_r25_all_of_annex_4_stand_under_their_verbatim_names(city: Configuration) -> None:
    units = [entry for entry in city.units.values() if entry.part == "unit"]
    assert len(units) == 48
    numbers = {entry.scoped_aliases["crm"][0] for entry in units}
    assert numbers == {str(1000 + place) for place in range(1, 49)}
    for name in ("市委统战部(市工商联)", "江苏省专用通信局苏州分局", "国网苏州供电分公司"):
        assert city.directory.unit(name) is not None


def test_r20_everybody_who_is_given_tasks_has_an_office_and_a_contact_role(city: Configuration) -> None:
    acting = [unit for unit in city.directory.units.values() if unit.part in ("unit", "platform")]
    assert [unit.id for unit in acting if not unit.office or not unit.contact] == []


def test_every_place_has_its_platform(city: Configuration) -> None:
    places = [code for code in city.directory.regions if not code.endswith("00")]
    assert len(places) == 10
    assert all(city.directory.platform_of(code) for code in places)


def test_names_are_shown_as_they_were_at_the_time(city: Configuration) -> None:
    shown = [
        city.directory.name_at("spj", datetime.fromisoformat(f"{day}T12:00:00+08:00"))
        for day in ("2023-05-01", "2024-10-24")
    ]
    assert shown == ["市行政审批局", "苏州市数据局"]
    assert city.directory.unit("市行政审批局<政务办>") == city.directory.unit("苏州市数据局") == "spj"
