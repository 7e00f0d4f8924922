"""Whatever people do to the files, the check answers with places that exist, and never breaks."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from config.beginning import STARTER
from config.files import HUB, Bundle
from config.loading import check

FILES = {
    path.relative_to(STARTER).as_posix(): path.read_text("utf-8") for path in sorted(STARTER.rglob("*.yaml"))
}
PIECES = st.sampled_from(
    [
        "",
        "x",
        "3",
        "null",
        "[]",
        "{}",
        "[1, 2]",
        "{a: {b: c}}",
        "  - x",
        "true",
        "&a [*a]",
        "? ",
        "\t",
        '"',
        "{env: NONE}",
    ]
)


def spoil(text: str, number: int, piece: str, way: str) -> str:
    lines = text.split("\n")
    number %= len(lines)
    head, colon, _ = lines[number].partition(":")
    changed = {
        "drop": [],
        "twice": [lines[number]] * 2,
        "value": [f"{head}{colon} {piece}"],
        "key": [lines[number].replace("e", "3", 1)],
        "deeper": ["  " + lines[number]],
        "instead": [piece],
    }[way]
    return "\n".join(lines[:number] + changed + lines[number + 1 :])


@settings(max_examples=80, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(sorted(FILES)),
            st.integers(0, 200),
            PIECES,
            st.sampled_from(["drop", "twice", "value", "key", "deeper", "instead"]),
        ),
        min_size=1,
        max_size=4,
    )
)
def test_spoiled_files_are_answered(changes: list[tuple[str, int, str, str]]) -> None:
    files = dict(FILES)
    for file, number, piece, way in changes:
        files[file] = spoil(files[file], number, piece, way)
    for problem in check(Bundle(files)):
        path, _, line = problem.where.rpartition(":")
        assert path in files
        assert 1 <= int(line) <= files[path].count("\n") + 1
        assert problem.what.strip()
        assert len(str(problem)) < 1000


@given(st.text(max_size=200))
@settings(max_examples=50, deadline=None)
def test_any_text_is_answered(text: str) -> None:
    assert check(Bundle({**FILES, HUB: text}))
