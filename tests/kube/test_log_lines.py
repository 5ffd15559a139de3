"""Logs as lines: cut, made safe, and those of many merged by time."""

import pytest

from clusters.kube.logs import Line, Merger
from clusters.kube.logs.lines import LONGEST, Splitter, plain, safe
from clusters.kube.logs.merging import PATIENCE, TAKEN, WINDOW


def line(second: int, text: str) -> bytes:
    return f"2026-01-31T12:00:{second:02}.5Z {text}\n".encode()


def at(second: int) -> str:
    return f"2026-01-31T12:00:{second:02}.500000000Z"


# ---- lines ----
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_lines_are_whole_however_they_come(size: int) -> None:
    data = line(1, "one") + line(2, "zwei ü") + b"no moment\r\n" + line(3, "") + b"rest"
    splitter, found = Splitter(), []
    for begin in range(0, len(data), size):
        found += splitter.feed(data[begin : begin + size])
    found += splitter.end()
    assert found == [
        Line(at(1), "one"), Line(at(2), "zwei ü"), Line("", "no moment"), Line(at(3), ""),
        Line("", "rest"),
    ]  # fmt: skip
    assert splitter.feed(b"") == []


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-01-31T12:00:01Z", "2026-01-31T12:00:01.000000000Z"),
        ("2026-01-31T12:00:01.123456789Z", "2026-01-31T12:00:01.123456789Z"),
        ("2026-01-31T20:00:01.12+08:00", "2026-01-31T12:00:01.120000000Z"),
        ("2026-99-31T20:00:01.12+08:00", ""),
        ("0001-01-01T00:00:00+08:00", ""),
    ],
)
def test_moments_sort_as_texts(written: str, read: str) -> None:
    assert Splitter().feed(f"{written} x\n".encode())[0].at == read


def test_a_line_without_end_takes_no_memory() -> None:
    splitter = Splitter()
    for _ in range(100):
        assert splitter.feed(b"x" * 50_000) == []
        assert len(splitter._rest) <= LONGEST
    (found,) = splitter.feed(b"\n")
    assert len(found.text) < LONGEST + 50
    assert found.text.endswith(f"(+{5_000_000 - LONGEST} B)")
    assert splitter.feed(b"y" * (LONGEST + 9) + b"\nz\n")[1].text == "z"


@pytest.mark.parametrize(
    ("hostile", "harmless"),
    [
        ("\x1b[1;31mred\x1b[0m", "\x1b[1;31mred\x1b[0m"),
        ("a\x1b[2Jb\x1b[10;10Hc\x1b[?25l", "abc"),
        ("\x1b]0;title\x07x\x1b]8;;http://evil\x1b\\link\x1b]8;;\x1b\\", "xlink"),
        ("\x1bP+q544e\x1b\\x\x1bcy\x1b(0", "xy"),
        ("\x9b31mx\x9d0;t\x9cy", "xy"),
        ("\x1b]0;never ends", ""),
        ("a\rb\x08\x00\x7f\x85", "a␍b␈␀␡\ufffd"),
        ("\u202egnp.exe\u2066\u2028", "\ufffdgnp.exe\ufffd\ufffd"),
        ("tab\tstays, ü and 中文 too", "tab\tstays, ü and 中文 too"),
        ("\x1b", "␛"),
        (f"\x1b[{'1;' * 500}m", ""),
    ],
)
def test_control_sequences_do_nothing(hostile: str, harmless: str) -> None:
    assert safe(hostile) == harmless
    assert "\x1b" not in plain(safe(hostile))


# ---- merging ----
def merged(merger: Merger[str], now: float) -> list[str]:
    return [found.text for _source, found in merger.take(1000, now)]


def made(*sources: str) -> Merger[str]:
    merger = Merger[str](1_000_000, 0.0)
    for source in sources:
        merger.join(source)
    return merger


def test_lines_of_many_come_by_their_moments() -> None:
    merger = made("a", "b", "c")
    merger.put("a", [Line(at(1), "a1"), Line(at(4), "a4")], 0.0)
    merger.put("b", [Line(at(2), "b2"), Line(at(5), "b5")], 0.0)
    assert merged(merger, 0.1) == []  # c has not said anything
    merger.put("c", [Line(at(3), "c3"), Line(at(6), "c6")], 0.2)
    assert merged(merger, 0.2) == ["a1", "b2", "c3", "a4"]
    assert merged(merger, 0.2 + WINDOW) == ["b5", "c6"]  # a has gone silent


def test_who_stays_silent_is_waited_for_so_long_and_no_longer() -> None:
    merger = made("a", "b")
    merger.put("a", [Line(at(1), "a1")], 0.0)
    assert merger.due(0.0) == PATIENCE
    assert merged(merger, PATIENCE) == ["a1"]
    merger.put("a", [Line(at(9), "a9")], 5.0)
    assert merger.due(5.0) == pytest.approx(WINDOW)
    merger.put("b", [Line(at(8), "b8")], 5.0 + WINDOW / 2)  # late on its way, said before
    assert merged(merger, 5.0 + WINDOW) == ["b8"]
    assert merged(merger, 5.0 + 2 * WINDOW) == ["a9"]


def test_who_is_still_speaking_is_waited_for() -> None:
    merger = made("a", "b")
    merger.put("a", [Line(at(9), "a9")], 0.0)
    for n in range(4):
        now = WINDOW * (n + 1) * 0.9
        merger.put("b", [Line(at(n), f"b{n}")], now)
        assert merged(merger, now) == [f"b{n}"]
    assert merger.due(now) == pytest.approx(WINDOW)
    assert merged(merger, now + WINDOW) == ["a9"]


def test_logs_that_have_an_end_are_merged_however_long_it_takes() -> None:
    merger = Merger[str](1_000_000, 0.0, strict=True)
    merger.join("a")
    merger.join("b")
    merger.put("a", [Line(at(2), "a2")], 0.0)
    assert merger.due(1000.0) is None
    merger.put("b", [Line(at(1), "b1"), Line(at(3), "b3")], 1000.0)
    assert merged(merger, 1000.0) == ["b1", "a2"]
    merger.leave("a")
    assert merged(merger, 1000.0) == ["b3"]
    assert not merger.waits


def test_one_source_keeps_its_order_whatever_its_clock_says() -> None:
    merger = made("a", "b")
    lines = [Line(at(5), "1"), Line(at(3), "2"), Line("", "3"), Line(at(6), "4")]
    merger.put("a", lines, 0.0)
    merger.put("b", [Line(at(4), "b")], 0.0)
    merger.leave("b")
    assert merged(merger, 10.0) == ["b", "1", "2", "3", "4"]


def test_what_has_left_is_not_waited_for_and_loses_nothing() -> None:
    merger = made("a", "b")
    merger.put("b", [Line(at(1), "b1")], 0.0)
    merger.leave("b")
    merger.put("a", [Line(at(2), "a2"), Line(at(3), "a3")], 0.0)
    assert merged(merger, 0.0) == ["b1", "a2", "a3"]


def test_there_is_room_for_so_much_and_no_more() -> None:
    merger = made("a", "b")
    merger.put("b", [Line(at(1), "b")], 0.0)
    size = 0
    while merger.room("a"):
        merger.put("a", [Line(at(2), "x" * 1000)], 0.0)
        size += 1000
    assert size < 600_000
    assert merger.room("b")
    assert len(some := merged(merger, 10.0)) > 200
    assert sum(map(len, some)) <= TAKEN + 1000
    assert merger.room("a")


def test_a_burst_of_lines_is_in_order() -> None:
    merger = made("a", "b", "c")
    for n in range(30_000):
        merger.put("abc"[n % 3], [Line(f"{n:09}", str(n))], 0.0)
    found: list[str] = []
    while some := [line.text for _source, line in merger.take(500, 10.0)]:
        assert len(some) <= 500
        found += some
    assert found == [str(n) for n in range(30_000)]
