"""A transcript as a person reads it: lines with times, and nothing that a browser or a terminal
would obey.
"""

import json
from typing import Any

import pytest

from teams.audit import replay
from teams.audit.replay import Line


def cast(*events: Any) -> bytes:
    head = {"version": 2, "width": 80, "height": 24}
    return b"".join(json.dumps(each).encode() + b"\n" for each in (head, *events))


def read(*events: Any) -> list[tuple[str, str]]:
    return [(line.at, line.size or line.text) for line in replay.replay(cast(*events)).lines]


def test_lines_have_the_time_of_their_first_sign() -> None:
    assert read(
        [0.0, "r", "120x40"], [0.5, "o", "$ l"], [1.0, "o", "s\r\na\r\nb"], [2.0, "o", "c\n"],
        [4, "o", "d\n\n"], [5, "r", "1x2"],
    ) == [
        ("0:00.0", "120x40"), ("0:00.5", "$ ls"), ("0:01.0", "a"), ("0:01.0", "bc"),
        ("0:04.0", "d"), ("0:04.0", ""), ("0:05.0", "1x2"),
    ]  # fmt: skip
    assert Line(3725.26, "").at == "1:02:05.3"
    assert Line(59.96, "").at == "1:00.0"


def test_colours_are_taken_out_also_where_events_break_them() -> None:
    assert read([0, "o", "\x1b[01;34mbin\x1b[0m \x1b["], [1, "o", "3"], [1, "o", "1mx\x1b[m\r"],
                [2, "o", "\ny"]) == [("0:00.0", "bin x"), ("0:02.0", "y")]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;title\x07a", "␛]0;title␇a"),
        ("a\rb\x08c\x00", "a␍b␈c␀"),
        ("\x9b31m\x7f", "\ufffd31m␡"),
        ("\u202egpj.exe\u2066", "\\u202egpj.exe\\u2066"),
        ("a\u2028b\u2029c\x85", "a\\u2028b\\u2029c\ufffd"),
        ("tab\tworld 世界 ✓", "tab\tworld 世界 ✓"),
        ("end\x1b", "end␛"),
        ("end\x1b[1", "end␛[1"),
        ("\x1b[" + "1" * 100, "␛[" + "1" * 100),
    ],
)
def test_what_a_terminal_obeys_is_made_visible(text: str, shown: str) -> None:
    assert read([0, "o", text]) == [("0:00.0", shown)]


def test_of_many_lines_the_first_are_shown() -> None:
    found = replay.replay(cast([0, "o", "a\n" * (replay.MOST_LINES + 1)]))
    assert (len(found.lines), found.is_more) == (replay.MOST_LINES, True)
    found = replay.replay(cast([0, "o", "a\n" * replay.MOST_LINES]))
    assert (len(found.lines), found.is_more) == (replay.MOST_LINES, False)


def test_nothing_is_nothing() -> None:
    assert read() == read([1, "o", ""]) == []
