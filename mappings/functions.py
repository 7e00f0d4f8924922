"""
The closed list of functions that a mapping may apply. One short function each, nothing hidden.

A function gets the value so far, its arguments and the call. It returns the next value, None for
"nothing", or raises Unreadable: then the field takes its default, the raw value is kept under
`extensions.<field>_raw`, and the appeal carries a flag. Nothing here sees an empty value.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from stdnum.cn import uscc as stdnum_uscc

from mappings import phones as phone_numbers
from mappings import times
from mappings.plain import MAX_DIGITS, MAX_TEXT, code_of, narrow, text_of
from mappings.registry import REGISTRY, Arguments, Call, Example, Function, Unreadable, function, is_empty

_BLANKS = " \t\r\n\v\f\u3000\xa0\u200b\u200c\u200d\u2060\ufeff"
_UNITS_BETWEEN = re.compile(r"[、,，;；/|\s]+")
_YES = frozenset({"是", "有", "对", "y", "yes", "true", "t", "1", "√", "on"})
_NO = frozenset({"否", "无", "不是", "没有", "n", "no", "false", "f", "0", "×", "off"})

MAX_PHONES = 50
"""Looked at in one list; ten are kept."""

Text = Annotated[str, Field(max_length=200)]
Short = Annotated[str, Field(min_length=1, max_length=200)]
Folded = Annotated[Text, AfterValidator(str.casefold)]


@function(each=True, example=Example("trim", "\u3000人社局 \u200b", "人社局"))
def trim(value: Any, _: Any, call: Call) -> Any:
    """Takes blanks off both ends, full-width and zero-width ones too."""
    return (value if type(value) is str and len(value) <= MAX_TEXT else text_of(value)).strip(_BLANKS)


class Concat(Arguments):
    between: Text = ""
    before: Text = ""
    after: Text = ""


@function(Concat, example=Example({"concat": {"before": "No."}}, ["GS", 7], "No.GS7"))
def concat(value: Any, args: Concat, call: Call) -> Any:
    """Glues all parts that are not empty into one text, with fixed text `between`, `before` and `after`."""
    parts = value if isinstance(value, list) else [value]
    return args.before + args.between.join(text_of(p) for p in parts if not is_empty(p)) + args.after


class Join(Arguments):
    by: Text


@function(Join, example=Example({"join": "、"}, ["阀门", "水表"], "阀门、水表"))
def join(value: Any, args: Join, call: Call) -> Any:
    """Makes one text of a list, with this text in between."""
    return concat(value, Concat(between=args.by), call)


class Split(Arguments):
    by: Annotated[list[Short], Field(min_length=1, max_length=10)] | Short


@function(Split, example=Example({"split": ["/", ">"]}, "劳动/工资>欠薪", ["劳动", "工资", "欠薪"]))
def split(value: Any, args: Split, call: Call) -> Any:
    """Makes a list of a text, cut at this text or at any of these; empty pieces are dropped."""
    cuts = [args.by] if isinstance(args.by, str) else args.by
    pieces = re.split("|".join(map(re.escape, cuts)), text_of(value), maxsplit=1000)
    return [piece.strip() for piece in pieces if piece.strip()]


@function(example=Example("first", ["", "甲", "乙"], "甲"))
def first(value: Any, _: Any, call: Call) -> Any:
    """The first item of a list that is not empty; anything but a list is left alone."""
    return next((i for i in value if not is_empty(i)), None) if isinstance(value, list) else value


class Replace(Arguments):
    find: Short
    by: Annotated[str, Field(max_length=200)] = ""


@function(
    Replace, each=True, example=Example({"replace": {"find": "<br>", "by": "\n"}}, "一<br>二", "一\n二")
)
def replace(value: Any, args: Replace, call: Call) -> Any:
    """Replaces every occurrence of one text by another (by nothing if `by` is left out)."""
    return text_of(value).replace(args.find, args.by)


@function(each=True, example=Example("digits", "单号：２０２３-0117", "20230117"))
def digits(value: Any, _: Any, call: Call) -> Any:
    """Keeps the digits only; full-width digits become plain ones."""
    return re.sub(r"[^0-9]", "", narrow(code_of(value)))


@function(each=True, example=Example("upper", "gs-7", "GS-7"))
def upper(value: Any, _: Any, call: Call) -> Any:
    """Latin letters in capitals."""
    return text_of(value).upper()


@function(each=True, example=Example("lower", "GS-7", "gs-7"))
def lower(value: Any, _: Any, call: Call) -> Any:
    """Latin letters in small."""
    return text_of(value).lower()


class Cut(Arguments):
    to: Annotated[int, Field(ge=1, le=50_000)]


@function(Cut, each=True, example=Example({"cut": 4}, "关于欠薪的诉求", "关于欠薪"))
def cut(value: Any, args: Cut, call: Call) -> Any:
    """Keeps the first so many characters; what was cut is flagged."""
    text = text_of(value)
    if len(text) > args.to:
        call.note("cut", "", None)
    return text[: args.to]


@function(each=True, example=Example("int", "3.0", 3))
def int_(value: Any, _: Any, call: Call) -> Any:
    """A whole number; `3.0` is one, `3.5` is unreadable."""
    text = narrow(code_of(value)).strip()
    if not re.fullmatch(rf"[+-]?\d{{1,{MAX_DIGITS}}}(\.0*)?", text):
        raise Unreadable("not a whole number")
    return int(text.partition(".")[0])


@function(
    example=Example(
        "phones", "１３８００００００１２ / 65220000转801", ["+8613800000012", "+8651265220000;ext=801"]
    )
)
def phones(value: Any, _: Any, call: Call) -> Any:
    """
    A list of phone numbers in E.164 (an extension as `;ext=`), from a text or a list. Splits at
    / 、 ; , and 或; a landline without area code is Suzhou's; what cannot be read is kept as it is, flagged.
    """
    if type(value) is str and (number := phone_numbers.mobile(code_of(value))):  # nearly always
        return [number]
    found: dict[str, None] = {}
    items = value[:MAX_PHONES] if isinstance(value, list) else [value]
    for item in (i for i in items if not is_empty(i)):
        numbers, readable = phone_numbers.read(code_of(item))
        found.update(dict.fromkeys(numbers))
        if not readable:
            call.flag("phone_unreadable")
        if len(found) > 10:
            call.note("cut", "", None)
            break
    return list(found)[:10]


class ToTime(Arguments):
    formats: Annotated[list[times.Reading], Field(min_length=1, max_length=10)] | times.Reading


@function(
    ToTime,
    example=Example(
        {"to_time": ["%Y-%m-%d %H:%M:%S", "epoch_ms"]},
        "2023-04-03 09:30:00",
        datetime(2023, 4, 3, 1, 30, tzinfo=UTC),
    ),
)
def to_time(value: Any, args: ToTime, call: Call) -> Any:
    """
    A moment, by the first format that fits: strptime formats and the words `iso`, `epoch_s`, `epoch_ms`,
    `excel_serial`. A time without a zone is Asia/Shanghai; inside, everything is UTC.
    """
    return times.read(value, [args.formats] if isinstance(args.formats, str) else args.formats)


class FormatTime(Arguments):
    form: times.Writing


@function(
    FormatTime,
    each=True,
    example=Example({"format_time": "%Y/%m/%d %H:%M"}, "2023-04-03T01:30:00Z", "2023/04/03 09:30"),
)
def format_time(value: Any, args: FormatTime, call: Call) -> Any:
    """For projections: a moment in Shanghai time, by a strftime format, `iso`, `epoch_s` or `epoch_ms`."""
    return times.write(value, args.form)


@function(example=Example("region", "苏州市吴中区东吴南路1号", "320506"))
def region(value: Any, _: Any, call: Call) -> Any:
    """
    The code of the county-level place: from its code (old codes and those of smaller places too), its name,
    or the longest place name inside a text. An 18-character credit code is never a place.
    """
    text = code_of(value)
    found = call.around.places.region(text)
    if found is None and re.fullmatch(r"\d{1,12}", text):
        call.note("unknown_code", "regions", text)
    return found


class UnitArguments(Arguments):
    keep_unknown: bool = False


@function(UnitArguments, each=True, example=Example("unit", "市人社局、工会", ["rsj", "zgh"]))
def unit(value: Any, args: UnitArguments, call: Call) -> Any:
    """
    The id of the unit that is called this, in the source's own words first; a text that names several gives
    a list. A name nobody has is flagged and dropped, or left as it is with `keep_unknown: true`.
    """
    text = code_of(value)
    known = call.around.directory.unit(text, call.scope)
    if known:
        return known
    pieces = [piece for piece in _UNITS_BETWEEN.split(text[:2000]) if piece]
    made = [_unit(piece, args.keep_unknown, call) for piece in pieces]
    return made[0] if len(made) == 1 else [name for name in made if name]


def _unit(piece: str, keep_unknown: bool, call: Call) -> str | None:
    known = call.around.directory.unit(piece, call.scope)
    if not known:
        call.note("unknown_unit", "units", piece)
    return known or (piece if keep_unknown else None)


class Code(Arguments):
    table: Annotated[str, Field(min_length=1, max_length=64)]


@function(Code, each=True, example=Example({"code": "kinds"}, Decimal("20.0"), "complaint"))
def code(value: Any, args: Code, call: Call) -> Any:
    """Our word for the source's, from `codes/<table>.yaml`. An unknown code is kept, flagged and counted."""
    text = code_of(value)
    codes = call.around.codes[args.table]
    if text not in codes:
        call.note("unknown_code", args.table, text)
        return None
    return codes[text]


class YesNo(Arguments):
    yes: list[Folded] = Field([], max_length=20)
    no: list[Folded] = Field([], max_length=20)


@function(YesNo, example=Example("yes_no", "是", True))
def yes_no(value: Any, args: YesNo, call: Call) -> Any:
    """
    True for 是, 有, Y, true, 1 …, False for 否, 无, N, false, 0 …; more words, or other ones, as
    `yes: [..]` and `no: [..]`.
    """
    text = narrow(code_of(value)).strip().casefold()
    if text in args.yes or text in args.no:
        return text in args.yes
    if text in _YES or text in _NO:
        return text in _YES
    raise Unreadable("neither yes nor no")


class Has(Arguments):
    any_of: Annotated[list[Short], Field(min_length=1, max_length=50)] | Short


@function(Has, example=Example({"has": ["特急", "加急"]}, "【加急】停产", True))
def has(value: Any, args: Has, call: Call) -> Any:
    """Whether any of these words stands in the text, or is an item of the list, or a key of the object."""
    words = [args.any_of] if isinstance(args.any_of, str) else args.any_of
    if isinstance(value, dict):
        return any(word in value for word in words)
    if isinstance(value, list):
        return any(code_of(item) in words for item in value if not isinstance(item, (list, dict)))
    text = text_of(value)
    return any(word in text for word in words)


@function(example=Example("uscc", "9132 0500 ma00 0000 10", "91320500MA00000010"))
def uscc(value: Any, _: Any, call: Call) -> Any:
    """A credit code (统一社会信用代码), spelt plainly; a wrong check digit is flagged, never refused."""
    text = re.sub(r"[\s\-]", "", narrow(code_of(value))).upper()
    if len(text) > 32:
        raise Unreadable("longer than any credit code")
    if not stdnum_uscc.is_valid(text):
        call.flag("uscc_check_digit")
    return text


FUNCTIONS: Mapping[str, Function] = MappingProxyType(REGISTRY)
"""The whole list, by name."""
