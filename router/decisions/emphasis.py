"""
How much it counts where in a text something is said.

Most words of an appeal tell who is writing and what was tried before, not what is wanted:
`我们是做民宿的`, `苏州某某建筑劳务有限公司`, `问了税务局，说不归他们管`. So a clause in which the writers
introduce themselves counts less, one that asks for something more, the name of a firm hardly, and a
unit that is only named as a stop on the way hardly either.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

INTRODUCTION = 0.5
REQUEST = 1.3
FIRM = 0.2
HEARSAY = 0.15

_CLAUSE = re.compile(r"[^，。；！？\n,;!?\s]+")
_INTRODUCES = re.compile(
    r"^(?:.{0,6}[好:：])?(?:我们?(?:公司|厂|店|司|单位|企业|家|校|院|中心)?|本(?:公司|店|厂|人|司|企业|单位|院|校)|咱们?|俺们?)"
    r"[^是有开做办搞在]{0,5}(?:是|有|开了?|做|办了?|搞|从事|经营|主营|专做|在)"
)
_ASKS = re.compile(
    r"请|希望|建议|能否|能不能|可否|可不可以|要求|诉求|咨询|想问|问一下|怎么|如何|麻烦|帮|投诉|举报|反映|恳|是否|吗$|有没有|什么|哪"
)
_FIRM = re.compile(r"有限(?:责任)?公司|股份公司|合伙企业|事务所|商行|经营部|工作室")
_FIRM_WORDS = 8
"""So far before `有限公司` the words of its trade stand."""
_SENT_THERE = re.compile(
    r"(?:[问找打去跑到][过了]*|咨询[过了]?|反映[过给到了]*|联系[过了]?|打给|电话|说[是]?[找归]|让[我们]*[去找]{1,2}|推给|推到"
    r"|叫[我们]*[去找]{1,2}|先后|[和与跟、]|向|被)$"
)
_SAID_THERE = re.compile(
    r"(?:那?[边里人]|工作人员|窗口|同志|那边|的?电话|热线|大厅|问[过了]?|[、和与]|他们|她们|人家){0,3}(?:也|都|又|却|就|只|老|总)?"
    r"(?:说|讲|回复|答复|告知|表示|称|认为|让|叫|推|不管|不归|不属|管不|没权|无权|不受理|转)"
)
_BEFORE, _BEHIND = 6, 16


@dataclass(frozen=True, slots=True)
class Emphasis:
    """What the clauses of one text count; made once per text."""

    text: str
    starts: tuple[int, ...]
    factors: tuple[float, ...]
    firms: tuple[int, ...]
    """Where `有限公司` and the like begin."""

    @classmethod
    def of(cls, text: str) -> Emphasis:
        clauses = list(_CLAUSE.finditer(text))
        return cls(
            text,
            tuple(clause.start() for clause in clauses),
            tuple(_factor(clause.group()) for clause in clauses),
            tuple(found.start() for found in _FIRM.finditer(text)),
        )

    def of_word(self, start: int, end: int) -> float:
        """What a word between these places counts."""
        factor = self.factors[bisect_right(self.starts, start) - 1]
        for firm in self.firms:
            if end <= firm <= end + _FIRM_WORDS and self._is_one_clause(start, firm):
                return factor * FIRM
        return factor

    def of_name(self, start: int, end: int) -> float:
        """What a unit's name counts on top: hardly anything where it was only a stop on the way."""
        return HEARSAY if self.is_hearsay(start, end) else 1.0

    def is_hearsay(self, start: int, end: int) -> bool:
        """Whether it is only told that somebody went there, or what was said there."""
        if _SAID_THERE.match(self.text, end, end + _BEHIND):
            return True
        return _SENT_THERE.search(self.text, max(0, start - _BEFORE), start) is not None

    def _is_one_clause(self, start: int, other: int) -> bool:
        return bisect_right(self.starts, start) == bisect_right(self.starts, other)


def _factor(clause: str) -> float:
    if _ASKS.search(clause):
        return REQUEST
    return INTRODUCTION if _INTRODUCES.match(clause) else 1.0
