"""
What is said only in passing: the trade in a firm's name, and a unit that was but a stop on the way.

    苏州某某建筑劳务有限公司的发票开不出来      says nothing of building or labour
    问了税务局，说不归他们管                    does not ask for the tax bureau

(Tried on labelled texts and left out, since it changed nothing: clauses in which writers introduce
themselves counting less, clauses with 请 or 希望 counting more.)
"""

from __future__ import annotations

import re
from functools import cached_property

FIRM = 0.2
"""What a word inside a firm's name counts."""
HEARSAY = 0.15
"""What a unit's name counts where it is only told what was said there."""

_FIRM = re.compile(r"有限(?:责任)?公司|股份公司|合伙企业|事务所|商行|经营部|工作室")
_FIRM_WORDS = 8
"""So far before `有限公司` the words of its trade stand."""
_CLAUSE_ENDS = re.compile(r"[，。；！？、\n,;!?\s]")
_SENT_THERE = re.compile(
    r"(?:[问找打去跑到][过了]*|(?:咨询|反映|投诉|联系)[过给到了]+|打给|电话|说[是]?[找归]|让[我们]*[去找]{1,2}|推给|推到"
    r"|叫[我们]*[去找]{1,2}|先后|[和与跟、]|向|被)$"
)
_SAID_THERE = re.compile(
    r"(?:那?[边里人]|工作人员|窗口|同志|那边|的?电话|热线|大厅|问[过了]?|[、和与]|他们|她们|人家){0,3}(?:也|都|又|却|就|只|老|总)?"
    r"(?:说|讲|回复|答复|告知|表示|称|认为|让|叫|推|不管|不归|不属|管不|没权|无权|不受理|转)"
)
_ASKED = re.compile(r"(?:请|求|希望|盼|恳请|由)$")
"""`请管委会答复` asks; `管委会答复` tells."""
_BEFORE, _BEHIND = 6, 16


class Asides:
    """The asides of one text; looked for when a word in it asks, which in most texts none does."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def firms(self) -> tuple[int, ...]:
        """Where `有限公司` and the like begin."""
        return tuple(found.start() for found in _FIRM.finditer(self.text))

    def of_word(self, start: int, end: int) -> float:
        """What a word between these places counts."""
        for firm in self.firms:
            if end <= firm <= end + _FIRM_WORDS and not _CLAUSE_ENDS.search(self.text, start, firm):
                return FIRM
        return 1.0

    def is_hearsay(self, start: int, end: int) -> bool:
        """Whether it is only told that somebody went there, or what was said there."""
        if _ASKED.search(self.text, max(0, start - _BEFORE), start):
            return False
        if _SAID_THERE.match(self.text, end, end + _BEHIND):
            return True
        return _SENT_THERE.search(self.text, max(0, start - _BEFORE), start) is not None
