"""A small city to decide about: units whose names are traps for each other, and rules from YAML."""

from __future__ import annotations

from typing import Any

from router.decisions.evaluation import appeal_from
from router.decisions.facts import CaseHistory
from router.decisions.routes import load_rules
from router.decisions.rules import RuleSet
from router.directory import Directory, Region, Spoken, Unit
from router.documents import read
from router.errors import Problem
from router.message import Appeal, Decision

DIRECTORY = Directory(
    [
        Unit("desk", "诉求受理中心", part="desk"),
        Unit("dcs", "市政府督查室", part="supervision"),
        Unit("archive", "归档", part="archive"),
        Unit("ksp", "昆山市12345平台", part="platform", region="320583"),
        Unit("sipp", "园区12345平台", part="platform", region="320571"),
        Unit(
            "rsj",
            "市人力资源和社会保障局",
            aliases=("市人社局", "人社局", "劳动监察"),
            scoped_aliases={"crm": ("1010",)},
            words={"社保": Spoken(2), "欠薪": Spoken(3), "工伤": Spoken(2.5, not_after=("非",))},
        ),
        Unit("gaj", "市公安局", aliases=("公安局", "派出所"), words={"诈骗": Spoken(2.5)}),
        Unit("jyj", "市教育局", aliases=("教育局",), words={"学校": Spoken(1)}),
        Unit("xfj", "市消防救援支队", aliases=("消防支队",), words={"消防": Spoken(2)}),
        Unit("zjj", "市住房和城乡建设局", aliases=("住建局",), words={"消防验收": Spoken(3)}),
        Unit("spj", "市行政审批局（政务办）", aliases=("市行政审批局",)),
        Unit(
            "rmyh",
            "中国人民银行苏州市分行",
            aliases=("苏州市分行", "人民银行"),
            words={"苏州市分行": Spoken(4, not_after=("银行",))},
        ),
        Unit("gsyh", "工商银行苏州市分行"),
        Unit("bzb", "市委编办", part="informed"),
    ],
    [
        Region("320500", "苏州市", ("苏州",)),
        Region("320571", "苏州工业园区", ("园区", "工业园区", "SIP"), ("320594",)),
        Region("320583", "昆山市", ("昆山",)),
        Region("320509", "吴江区", ("吴江市",), ("320584",)),
    ],
)
CATCH_ALL = "  - {name: everything-else, to: desk}\n"


def load(text: str, directory: Directory = DIRECTORY) -> tuple[RuleSet | None, list[Problem]]:
    return load_rules(read("routes.yaml", text), directory)


def rules(*routes: str, tail: str = "") -> RuleSet:
    """Rules from routes in YAML's flow form, with a catch-all behind them."""
    text = (
        "routes:\n" + "".join(f"  - {{name: r{n}, {route}}}\n" for n, route in enumerate(routes)) + CATCH_ALL
    )
    made, problems = load(text + tail)
    assert made is not None, "\n".join(map(str, problems))
    return made


def told(text: str, directory: Directory = DIRECTORY) -> list[str]:
    return [str(problem) for problem in load(text, directory)[1]]


def appeal(content: str = "-", **fields: Any) -> Appeal:
    return appeal_from({"content": content, **fields})


def route(
    made: RuleSet, content: str = "-", *, history: CaseHistory | None = None, **fields: Any
) -> Decision:
    """Decided with its reasons."""
    return made.route(appeal(content, **fields), history or CaseHistory(), explain=True)
