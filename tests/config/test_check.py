"""
`suqiu check`: every mistake by file and line, each once, in words that help.

Each mistake is made on a fresh starter configuration, which has none; so whatever is told was caused
by it. `LINE` stands for the line on which the mistake was made, `<text>` for the first line where that
text is.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from config.files import Bundle, read_folder
from config.loading import check, load
from config.problems import Advice
from router.errors import ConfigError
from tests.config.folders import add, checked, starter, swap, told

Make = Callable[[Path], int]


@dataclass(frozen=True)
class Mistake:
    name: str
    make: Make
    said: tuple[str, ...]
    """What is told, all of it: the beginning of each problem."""


def swapping(file: str, old: str, new: str) -> Make:
    return lambda folder: swap(folder, file, old, new)


def adding(file: str, text: str) -> Make:
    return lambda folder: add(folder, file, text)


def removing(file: str) -> Make:
    def remove(folder: Path) -> int:
        (folder / file).unlink()
        return 1

    return remove


def overwriting(file: str, text: str) -> Make:
    def overwrite(folder: Path) -> int:
        (folder / file).parent.mkdir(exist_ok=True)
        (folder / file).write_text(text)
        return 1

    return overwrite


HTTP = """\
  - id: x
    name: x
    office: x
    destination:
      kind: http
      url: {url}
      signing: {{kind: standard_webhooks, secrets: [{{env: {env}}}]}}
"""
EXAMPLE = "mappings/example.yaml"
MISTAKES = [
    Mistake(
        "an unknown key is named with the nearest one",
        swapping("hub.yaml", "  port: 8800", "  prot: 8800"),
        ("hub.yaml:LINE: unknown key prot (did you mean port?)",),
    ),
    Mistake(
        "an unknown block is named",
        adding("hub.yaml", "databse: {url: 'sqlite:///x.db'}\n"),
        ("hub.yaml:LINE: unknown key databse (did you mean database?)",),
    ),
    Mistake(
        "an unknown key of a unit is named",
        swapping("units.yaml", "    office: 综合处 ", "    ofice: 综合处 "),
        (
            "units.yaml:<  - id: rsj>: rsj has no office",
            "units.yaml:LINE: unknown key ofice (did you mean office?)",
        ),
    ),
    Mistake(
        "an unknown key of a region is named",
        swapping("regions.yaml", "    old_codes: []", "    old_code: []"),
        ("regions.yaml:LINE: unknown key old_code (did you mean old_codes?)",),
    ),
    Mistake(
        "a key that stands twice is told by the file's reader",
        swapping("hub.yaml", "  port: 8801", "  port: 8801\n  port: 8802"),
        ("hub.yaml:",),
    ),
    Mistake(
        "what is not YAML is told with its line",
        adding("units.yaml", "  - [\n"),
        ("units.yaml:",),
    ),
    Mistake(
        "a limit that is exceeded is told with the limit and the value",
        swapping("hub.yaml", "  port: 8800", "  port: 70000"),
        ("hub.yaml:LINE: front.port must be at most 65535, not 70000",),
    ),
    Mistake(
        "a duration out of range is told in the words of the file",
        adding("hub.yaml", "retry: {first: 5d}\n"),
        ("hub.yaml:LINE: retry.first must be between 100ms and 1h, not 5d",),
    ),
    Mistake(
        "a duration without a unit is refused",
        adding("hub.yaml", "retry: {first: 30}\n"),
        ("hub.yaml:LINE: retry.first: write a duration with its unit",),
    ),
    Mistake(
        "a bad URL is told without jargon",
        swapping("hub.yaml", "http://127.0.0.1:8800\n", "htp://127.0.0.1:8800\n"),
        ("hub.yaml:LINE: front.public_url must begin with http:// or https://",),
    ),
    Mistake(
        "a database that the hub cannot use is refused",
        swapping("hub.yaml", "  url: sqlite:///suqiu.db", "  url: mysql://localhost/x"),
        ("hub.yaml:LINE: database.url must begin with sqlite:// or postgresql+psycopg://",),
    ),
    Mistake(
        "a database in memory would lose everything",
        swapping("hub.yaml", "  url: sqlite:///suqiu.db", '  url: "sqlite:///:memory:"'),
        ("hub.yaml:LINE: database.url must name a file: sqlite:///suqiu.db",),
    ),
    Mistake(
        "a password inside a URL is refused and not repeated",
        adding("hub.yaml", 'broker: {url: "amqp://suqiu:hunter2@127.0.0.1:5672/%2F"}\n'),
        ("hub.yaml:LINE: broker.url must not hold a password",),
    ),
    Mistake(
        "a secret that is written out is refused and not repeated",
        adding("hub.yaml", 'broker: {url: "amqp://127.0.0.1", password: hunter2}\n'),
        ("hub.yaml:LINE: broker.password must point to a secret",),
    ),
    Mistake(
        "a secret that is nowhere is told where it is pointed to",
        swapping("units.yaml", "{file: secrets/gxj.token}", "{env: SUQIU_GXJ_TOKEN}"),
        ("units.yaml:LINE: secret: environment variable SUQIU_GXJ_TOKEN is not set",),
    ),
    Mistake(
        "a secret's file that does not exist is told where it is pointed to",
        swapping("units.yaml", "secrets/gxj.token", "secrets/gjx.token"),
        ("units.yaml:LINE: secret: file secrets/gjx.token does not exist",),
    ),
    Mistake(
        "a key that is not 32 bytes is refused and not repeated",
        adding("secrets/k1.key", "hunter2"),
        ("hub.yaml:<k1: {file>: file secrets/k1.key is not 32 random bytes as base64",),
    ),
    Mistake(
        "a secret that does not fit its scheme is refused and not repeated",
        overwriting("secrets/example-push.key", "hunter2"),
        ("hub.yaml:<scheme:>: secret: file secrets/example-push.key is no key of Standard Webhooks",),
    ),
    Mistake(
        "a token that two units share is told",
        swapping("units.yaml", "secrets/gxj.token", "secrets/rsj.token"),
        ("units.yaml:LINE-1: gxj has the same token as rsj",),
    ),
    Mistake(
        "a push path that two sources share is told",
        swapping(
            "hub.yaml",
            "sources:\n",
            "sources:\n  other:\n    mapping: example\n    push:\n      path: example\n"
            "      scheme: {kind: token, secrets: [{env: SUQIU_X}]}\n",
        ),
        ("hub.yaml:<    push:\n      kind>: sources other and example have the same push path example",),
    ),
    Mistake(
        "an unknown key deep inside is named with the nearest one",
        swapping("hub.yaml", "        secrets: [{file", "        secret: [{file"),
        (
            "hub.yaml:<scheme:>: secrets is missing",
            "hub.yaml:LINE: unknown key secret (did you mean secrets?)",
        ),
    ),
    Mistake(
        "an unknown key of a source is named with the nearest one",
        swapping("hub.yaml", "      id: orderNo ", "      ids: orderNo "),
        ("hub.yaml:LINE: unknown key ids (did you mean id?)",),
    ),
    Mistake(
        "a name of a source that no queue could have is refused",
        adding(
            "hub.yaml",
            "  苏商通: {mapping: example, push: {scheme: {kind: token, secrets: [{env: SUQIU_X}]}}}\n",
        ),
        ("hub.yaml:LINE: ",),
    ),
    Mistake(
        "a bad path in a source is told",
        swapping("hub.yaml", "      id: orderNo ", '      id: "orderNo[" '),
        ("hub.yaml:LINE: example.push.id is not JMESPath",),
    ),
    Mistake(
        "several mistakes of a polled source are all told",
        adding(
            "hub.yaml",
            "    pull:\n      kind: rest\n      url: example.org\n      evry: 1m\n"
            "      paging: {kind: page, size: 5000}\n      timeout: 10m\n",
        ),
        (
            "hub.yaml:<      url: example>: example.pull.url is not a URL",
            "hub.yaml:<      evry>: unknown key evry (did you mean every?)",
            "hub.yaml:<      paging: {kind: page, size: 5>: pull.paging.size must be at most 1000, not 5000",
            "hub.yaml:<      timeout>: example.pull.timeout must be between 1s and 5m, not 10m",
        ),
    ),
    Mistake(
        "a polled source of an unknown kind is told",
        adding("hub.yaml", "    pull: {kind: soap, url: 'https://example.org'}\n"),
        ("hub.yaml:<    pull: {>: sources.example.pull: no kind soap",),
    ),
    Mistake(
        "an unknown scheme is told",
        swapping("hub.yaml", "kind: standard_webhooks", "kind: standard_webhook"),
        ("hub.yaml:<scheme:>: example.push.scheme: no kind standard_webhook (did you mean",),
    ),
    Mistake(
        "access without a way in is told",
        swapping("units.yaml", "      token: {file: secrets/gxj.token}", "      rate: {}"),
        ("units.yaml:LINE-1: units.access needs a token or a signature",),
    ),
    Mistake(
        "the current key must be in the ring",
        swapping("hub.yaml", "  current: k1", "  current: k2"),
        ("hub.yaml:<keys:>: keys: current is k2, which the ring does not have",),
    ),
    Mistake(
        "a source without a mapping is told",
        swapping("hub.yaml", "    mapping: example", "    mapping: exampel"),
        ("hub.yaml:LINE: source example: no mapping is called exampel (did you mean example?)",),
    ),
    Mistake(
        "a source that only has a base of mappings has none",
        adding(EXAMPLE, "abstract: true\n"),
        ("hub.yaml:<    mapping: example>: source example: the mapping example is abstract",),
    ),
    Mistake(
        "a port that is used twice is told",
        swapping("hub.yaml", "  port: 8801", "  port: 8800"),
        ("hub.yaml:LINE: port 8800 is used twice: by front and by monitoring",),
    ),
    Mistake(
        "a file that is missing is told where it is named",
        removing("regions.yaml"),
        ("hub.yaml:1: regions.yaml does not exist",),
    ),
    Mistake(
        "an alias that two units claim is told with both",
        swapping("units.yaml", "[市工信局, 工信局]", "[市工信局, 人社局]"),
        ("units.yaml:LINE: name 人社局 is claimed by gxj and by rsj (rsj has it at units.yaml:",),
    ),
    Mistake(
        "a source's own number that two units claim is told",
        swapping("units.yaml", '["1020"]', '["1010"]'),
        ("units.yaml:LINE: name 1010 (for example) is claimed by gxj and by rsj",),
    ),
    Mistake(
        "a scope that is no source is told",
        swapping("units.yaml", '      example: ["1020"]', '      exmaple: ["1020"]'),
        ("units.yaml:LINE: no source is called exmaple (did you mean example?)",),
    ),
    Mistake(
        "a unit that stands twice is told",
        adding(
            "units.yaml",
            "  - {id: rsj, name: 又一个, office: x, access: {token: {file: secrets/rsj.token}}}\n",
        ),
        ("units.yaml:LINE: unit rsj stands twice",),
    ),
    Mistake(
        "a second desk is told",
        adding("units.yaml", "  - {id: desk2, part: desk, name: 又一个受理中心}\n"),
        ("units.yaml:LINE: a second desk: desk2",),
    ),
    Mistake(
        "a unit without a responsible office is refused",
        adding("units.yaml", "  - {id: x, name: 某局, access: {token: {env: SUQIU_X}}}\n"),
        ("units.yaml:LINE: x has no office (责任处室, R20)",),
    ),
    Mistake(
        "a later name that another unit has is told",
        adding(
            "units.yaml",
            "  - {id: x, name: 某局, office: x, access: {token: {env: SUQIU_X}},\n"
            "     renamed: [{name: 人社局, since: 2026-01-01}]}\n",
        ),
        ("units.yaml:",),
    ),
    Mistake(
        "a file of words that belongs to nobody is told",
        overwriting("words/rjs.yaml", "strong: 欠薪\n"),
        ("words/rjs.yaml:LINE: no unit is called rjs (did you mean rsj?)",),
    ),
    Mistake(
        "a word that stands twice is told with its line",
        overwriting("words/rsj.yaml", "strong: |\n  欠薪\nhint: |\n  工资\n  奖金 欠薪\n"),
        ("words/rsj.yaml:5: the word 欠薪 stands twice (first at words/rsj.yaml:2",),
    ),
    Mistake(
        "a word of one character is told with its line",
        overwriting("words/rsj.yaml", "strong: |\n  欠薪\n  薪\n"),
        ("words/rsj.yaml:3: the word 薪 must have 2 to 50 characters",),
    ),
    Mistake(
        "an unknown level of words is told with those that there are",
        overwriting("words/rsj.yaml", "srtong: 欠薪\n"),
        ("words/rsj.yaml:LINE: unknown key srtong (did you mean strong?)",),
    ),
    Mistake(
        "a class of a unit that does not exist is told",
        overwriting("categories.yaml", "categories:\n  - {path: [用工], unit: rjs}\n"),
        ("categories.yaml:2: no unit rjs can be given tasks (did you mean rsj?)",),
    ),
    Mistake(
        "a class that stands twice is told",
        overwriting(
            "categories.yaml", "categories:\n  - {path: [用工], unit: rsj}\n  - {path: [用工], unit: gxj}\n"
        ),
        ("categories.yaml:3: class 用工 is claimed by entry 2 and by entry 1",),
    ),
    Mistake(
        "a unit that fetches needs a way in",
        adding("units.yaml", "  - {id: x, name: 某局, office: x}\n"),
        ("units.yaml:LINE: x fetches its tasks but has no access",),
    ),
    Mistake(
        "the word for an office is not another unit's id",
        swapping(
            "units.yaml",
            "{id: archive, part: archive,",
            "{id: archive, office: x, destination: {kind: amqp}, access: {token: {env: SUQIU_X}},",
        ),
        (
            "routes.yaml:<    to: archive>: there is no archive in units.yaml",
            "units.yaml:LINE: the id archive is kept for the unit with part: archive",
        ),
    ),
    Mistake(
        "a destination kind that does not exist is told with those that do",
        swapping("units.yaml", "    kind: pull ", "    kind: pul "),
        ("units.yaml:<  destination:>: defaults.destination: no kind pul (did you mean pull?)",),
    ),
    Mistake(
        "an office cannot be sent to",
        swapping("units.yaml", "name: 诉求受理中心}", "name: 诉求受理中心, destination: {kind: pull}}"),
        ("units.yaml:LINE: desk is the desk and must be of kind internal",),
    ),
    Mistake(
        "a unit cannot be internal",
        adding("units.yaml", "  - {id: x, name: 某局, office: x, destination: {kind: internal}}\n"),
        ("units.yaml:LINE: x is a unit and cannot be of kind internal",),
    ),
    Mistake(
        "a projection that does not exist is told",
        adding(
            "units.yaml",
            "  - {id: x, name: x, office: x, access: {token: {env: SUQIU_X}}, "
            "destination: {kind: pull, projection: p}}",
        ),
        ("units.yaml:LINE: x: no projection is called p (",),
    ),
    Mistake(
        "the address of a unit's own system is checked",
        adding("units.yaml", HTTP.format(url="gxj.example.org", env="SUQIU_X")),
        ("units.yaml:<      url:>: destination.url is not a URL",),
    ),
    Mistake(
        "a secret to sign with must fit its scheme",
        adding("units.yaml", HTTP.format(url="https://gxj.example.org", env="SUQIU_SHORT")),
        ("units.yaml:<      signing:>: secret: env SUQIU_SHORT is no key",),
    ),
    Mistake(
        "a platform needs a region",
        swapping("units.yaml", '    region: "320506"\n', ""),
        ("units.yaml:<  - id: wzq>: platform wzq has no region",),
    ),
    Mistake(
        "a region code must be in quotes",
        swapping("units.yaml", '    region: "320506"\n', "    region: 320506\n"),
        ("units.yaml:LINE: units.region must be text; put numbers that are codes in quotes",),
    ),
    Mistake(
        "a place's name that two places claim is told",
        swapping("regions.yaml", "[苏州高新区, 高新区]", "[吴中区]"),
        ("regions.yaml:LINE: name 吴中区 is claimed by",),
    ),
    Mistake(
        "an unknown code table is told",
        swapping(EXAMPLE, "{code: kinds}", "{code: kind}"),
        (f"{EXAMPLE}:LINE: ",),
    ),
    Mistake(
        "a code whose word does not fit the field is told",
        swapping("mappings/codes/kinds.yaml", '"15": help', '"15": []'),
        ("mappings/codes/kinds.yaml:LINE: no value of kind: ",),
    ),
    Mistake(
        "a block that is used as a key is told as what it is",
        adding("regions.yaml", "{a: b}: c\n"),
        ("regions.yaml:1: a key must be text (put it in quotes)",),
    ),
    Mistake(
        "an unknown function is told",
        swapping(EXAMPLE, "{from: text, apply: [trim]", "{from: text, apply: [trimm]"),
        (f"{EXAMPLE}:LINE: ",),
    ),
    Mistake(
        "a bad path is told",
        swapping(EXAMPLE, "contact.name: caller.name", 'contact.name: "caller.[name"'),
        (f"{EXAMPLE}:LINE: ",),
    ),
    Mistake(
        "a field that the canonical model does not have is told",
        swapping(EXAMPLE, "  title: {from: subject", "  tilte: {from: subject"),
        (f"{EXAMPLE}:LINE: ",),
    ),
    Mistake(
        "extends that go in a circle are told",
        lambda folder: (
            add(folder, "mappings/other.yaml", "extends: example\n")
            and add(folder, EXAMPLE, "extends: other\n")
        ),
        (f"{EXAMPLE}:LINE: extends goes in a circle", "mappings/other.yaml:1: extends goes in a circle"),
    ),
    Mistake(
        "what extends an unknown mapping is told",
        adding(EXAMPLE, "extends: bas\n"),
        (f"{EXAMPLE}:LINE: ",),
    ),
    Mistake(
        "a field that stands twice does not hide what else is wrong in the mapping",
        swapping(EXAMPLE, "  address: address\n", "  address: address\n  title: again\n  tilte: x\n"),
        (
            f"{EXAMPLE}:<  title: again>: duplicate key title (first on line ",
            f"{EXAMPLE}:<  tilte>: ",
        ),
    ),
    Mistake(
        "a route to an unknown unit is told",
        swapping("routes.yaml", "    to: rsj", "    to: rjs"),
        ("routes.yaml:LINE: ",),
    ),
    Mistake(
        "an unknown key of a route is told",
        swapping("routes.yaml", "    to: rsj", "    to: rsj\n    asisting: [gxj]"),
        ("routes.yaml:<    asisting>: unknown key asisting",),
    ),
    Mistake(
        "a route that asks for a field that appeals do not have is told",
        swapping("routes.yaml", "      mode: direct_report", "      mood: direct_report"),
        ("routes.yaml:LINE: ",),
    ),
    Mistake(
        "a name of two routes is told",
        swapping("routes.yaml", "  - name: county", "  - name: wages"),
        ("routes.yaml:LINE: ",),
    ),
    Mistake(
        "a route that nothing can reach is told",
        swapping(
            "routes.yaml",
            "  - name: everything-else",
            "  - name: too-late\n    when: {standing: closed}\n    to: rsj\n\n  - name: everything-else",
        ),
        ("routes.yaml:LINE: route too-late is never reached",),
    ),
    Mistake(
        "a missing catch-all is told",
        swapping("routes.yaml", "  - name: everything-else\n    to: desk\n", ""),
        ("routes.yaml:",),
    ),
]


def located(folder: Path, expected: str) -> str:
    file, needle, rest = re.fullmatch(r"([^:]+):(?:<(.+?)>)?(.*)", expected, re.DOTALL).groups()
    if needle is None:
        return expected
    text = (folder / file).read_text("utf-8")
    assert needle in text
    return f"{file}:{text[: text.index(needle)].count(chr(10)) + 1}{rest}"


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_is_told(tmp_path: Path, mistake: Mistake) -> None:
    folder = starter(tmp_path / "c")
    line = mistake.make(folder)
    said = told(folder)
    assert len(said) == len(mistake.said), "\n".join(said)
    for text, expected in zip(said, mistake.said, strict=True):
        begins = located(folder, expected.replace("LINE-1", str(line - 1)).replace("LINE", str(line)))
        assert text.startswith(begins), (text, begins)
    assert "hunter2" not in "\n".join(said)
    assert "pydantic" not in "\n".join(said)


def test_the_starter_is_silent_and_loads(tmp_path: Path) -> None:
    folder = starter(tmp_path / "c")
    assert told(folder) == []
    configuration = load(read_folder(folder))
    assert configuration.hash == read_folder(folder).hash
    assert configuration.destinations["desk"].kind == "internal"
    assert configuration.destinations["rsj"].kind == "pull"
    assert set(configuration.translators) == {"example"}


def test_what_has_a_problem_does_not_load_and_names_all(tmp_path: Path) -> None:
    folder = starter(tmp_path / "c")
    swap(folder, "hub.yaml", "  port: 8800", "  prot: 8800")
    swap(folder, "units.yaml", "    office: 综合处 ", "    ofice: 综合处 ")
    with pytest.raises(ConfigError) as refused:
        load(read_folder(folder))
    assert {problem.where.split(":")[0] for problem in refused.value.problems} == {"hub.yaml", "units.yaml"}


def test_an_open_secret_is_advice_and_does_not_stop(tmp_path: Path) -> None:
    folder = starter(tmp_path / "c")
    (folder / "secrets" / "rsj.token").chmod(0o644)
    (problem,) = checked(folder)
    assert isinstance(problem, Advice)
    assert "can be read by others" in problem.what
    assert load(read_folder(folder))


def test_secrets_are_not_looked_for_without_a_reader(tmp_path: Path) -> None:
    folder = starter(tmp_path / "c")
    (folder / "secrets" / "k1.key").unlink()
    assert check(read_folder(folder)) == []


def test_one_mistake_does_not_hide_another_in_the_same_block(tmp_path: Path) -> None:
    folder = starter(tmp_path / "c")
    swap(folder, "hub.yaml", "  port: 8801", "  port: 8800\n  hots: x")
    swap(folder, "hub.yaml", "  current: k1", "  curent: k1")
    said = "\n".join(told(folder))
    assert "unknown key hots" in said
    assert "unknown key curent" in said
    assert "keys.current is missing" in said or "current is missing" in said
    assert "port 8800 is used twice" in said


@pytest.mark.parametrize("text", ["", "[]", "x", "null", "- a\n- b", "1: 2", "keys: 3", "keys: {ring: []}"])
@pytest.mark.parametrize("file", ["hub.yaml", "units.yaml", "regions.yaml", "routes.yaml"])
def test_any_content_is_answered_with_problems_and_never_with_a_crash(
    tmp_path: Path, file: str, text: str
) -> None:
    folder = starter(tmp_path / "c")
    (folder / file).write_text(text)
    said = checked(folder)
    assert all(problem.where.rpartition(":")[2].isdigit() for problem in said)
    assert said or (file, text) in {("regions.yaml", ""), ("regions.yaml", "null")}


def test_an_empty_folder_is_told_what_to_do(tmp_path: Path) -> None:
    said = told(tmp_path)
    assert said[0] == "hub.yaml:1: hub.yaml does not exist (suqiu init writes a commented one)"
    assert check(Bundle({})) == check(Bundle({}))


def test_problems_come_by_file_and_line(tmp_path: Path) -> None:
    folder = starter(tmp_path / "c")
    for old in ("  port: 8800", "  port: 8801"):
        swap(folder, "hub.yaml", old, old.replace("port", "prot"))
    add(folder, "hub.yaml", "aaa: 1\n")
    lines = [int(problem.where.rpartition(":")[2]) for problem in checked(folder)]
    assert lines == sorted(lines)
    assert len(lines) == 3


def test_the_city_that_is_shipped_has_no_problem() -> None:
    folder = Path(__file__).parents[2] / "config" / "suzhou"
    bundle = read_folder(folder)
    assert len(bundle.files) > 10
    assert [str(problem) for problem in check(bundle)] == []
