"""The live screen: what arrives, where it goes and why, who has got how much, and how everybody is."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta, timezone
from types import TracebackType
from typing import Any, Self

from rich import box
from rich.console import Console, Group
from rich.layout import Layout
from rich.live import Live
from rich.markup import escape
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from demo.city import City
from demo.record import CHANNELS, read
from demo.town import Town
from router.ledger.measures import numbers
from router.ledger.views import Filter

LOCAL = timezone(timedelta(hours=8))
RECENT = 18
BAR = 24
SYSTEMS = {"sst": "苏商通", "crm": "热线工单系统", "exchange": "企业服务中心前置库", "mailbox": "汇总表邮箱"}
WHY = {
    "closed-to-archive": "已办结，只归档",
    "withdrawn-before-us": "到达前已撤单",
    "no-owner-found": "协商后仍无承办单位",
    "complex": "跨部门疑难，督查室协调",
    "county": "直报未办结，归属地平台",
    "proposed": "来源已判明单位",
    "wages-and-disorder": "讨薪并有治安事件",
    "by-words": "正文词语明显指向",
    "everything-else": "说不清的先由受理中心答",
}


class Screen:
    """Drawn anew by `refresh`; leaves the terminal as it was."""

    def __init__(self, city: City, town: Town) -> None:
        self._city = city
        self._town = town
        self._names = {id_: entry.name for id_, entry in town.installation.configuration.units.items()}
        self._layout = Layout()
        self._layout.split_column(
            Layout(name="head", size=4), Layout(name="body"), Layout(name="foot", size=7)
        )
        self._layout["body"].split_row(Layout(name="recent", ratio=3), Layout(name="side", ratio=2))
        self._live = Live(self._layout, console=Console(), screen=True, auto_refresh=False)

    def __enter__(self) -> Self:
        self.refresh()
        self._live.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.__exit__(kind, error, trace)

    def refresh(self) -> None:
        """One look at ledger, files and processes."""
        self._layout["head"].update(self._head())
        self._layout["recent"].update(self._recent())
        self._layout["side"].update(Group(self._counts(), self._health()))
        self._layout["foot"].update(self._hints())
        self._live.update(self._layout, refresh=True)

    def _head(self) -> Panel:
        text = Text("诉求 Suqiu · 一座城市的企业诉求，模拟运行中", style="bold cyan", justify="center")
        text.append(
            f"\n枢纽入口 {self._city.front_url}   监控 {self._city.monitoring_url}/metrics", style="dim"
        )
        return Panel(text, box=box.SIMPLE)

    def _recent(self) -> Panel:
        table = Table(box=None, expand=True, header_style="bold", pad_edge=False)
        for heading, width in (("时间", 8), ("来源", 10), ("诉求", None), ("去向与原因", None)):
            table.add_column(heading, width=width, no_wrap=width is not None, overflow="ellipsis")
        for row in self._town.installation.views.appeals(Filter(limit=RECENT)):
            table.add_row(
                f"{row['created_at'].astimezone(LOCAL):%H:%M:%S}",
                CHANNELS.get(row["source"], row["source"]),
                escape(row["title"] or "（无法识别）"),
                self._whither(row),
            )
        return Panel(table, title="刚刚收到", border_style="cyan")

    def _whither(self, row: dict[str, Any]) -> str:
        rule = row["rule"]
        if rule is None:
            return "[red]死信：待人工登记[/red]"
        found = self._town.installation.views.tasks(Filter(source=row["source"], source_id=row["source_id"]))
        units = "、".join(self._names.get(str(task["unit"]), str(task["unit"])) for task in reversed(found))
        return f"[green]{escape(units)}[/green] [dim]{WHY.get(rule, rule)}[/dim]"

    def _counts(self) -> Panel:
        got = Counter[str]()
        for path in self._city.folder.glob("got-*.jsonl"):
            got[path.stem.removeprefix("got-")] = len(read(path))
        most = max(got.values(), default=1) or 1
        table = Table(box=None, show_header=False, pad_edge=False)
        for unit, count in got.most_common():
            bar = "█" * max(1, round(BAR * count / most)) if count else ""
            table.add_row(escape(self._names.get(unit, unit)), f"[cyan]{bar}[/cyan]", str(count))
        return Panel(table, title="各单位收到的消息", border_style="cyan")

    def _health(self) -> Panel:
        now = numbers(self._town.installation.database)
        under_way, inside = self._town.waiting()
        lines = [
            _line("枢纽", f"运行中，进程 {self._town.hub.pid}，启动 {self._town.hub.starts} 次"),
            _line("待送达单位", str(under_way)),
            _line("受理中心与督查室待办", str(inside)),
            _line("待处理死信", str(sum(now.dead.values()))),
        ]
        for name in self._town.sources:
            lines.append(_line(SYSTEMS[name], f"已发出 {_made(self._town.state_of(name))} 次"))
        return Panel(Group(*lines), title="状态", border_style="cyan")

    def _hints(self) -> Panel:
        config = self._city.config
        lines = (
            f"set -a; . {self._city.folder}/secrets.env; set +a        # 先载入本次演示的密钥",
            f"suqiu appeals list --config {config}        # 再用 suqiu appeals explain 编号 看每一步的依据",
            f"curl -s {self._city.monitoring_url}/metrics | grep suqiu_        # 指标",
            f"kill -9 {self._town.hub.pid}        # 杀掉枢纽：它会重新启动，一件也不会丢",
        )
        return Panel(
            Text("\n".join(lines), overflow="ellipsis", no_wrap=True),
            title="试试看（Ctrl-C 结束）",
            border_style="dim",
        )


def _line(name: str, value: str) -> Text:
    return Text.assemble((f"{name}  ", "bold"), value)


def _made(state: dict[str, Any]) -> int:
    """Appeals and changes that a system has handed out or pushed."""
    return int(state.get("handed_out", 0) + state.get("pushes", 0) - state.get("pushes_left", 0))
