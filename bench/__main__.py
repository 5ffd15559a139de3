"""`python -m bench [ROW…]`: measures the rows of the table of goals and writes RESULTS.md."""

import importlib
import os
import sys
import tempfile
import time
import traceback
from pathlib import Path

from bench import machine, report
from bench.bench import Bench

ROWS = {
    "a": "first_sync",
    "b": "to_browser",
    "c": "watching",
    "d": "fleet_pages",
    "f": "holding",
    "g": "sockets",
    "h": "dying",
    "i": "answers",
}


def main(chosen: list[str]) -> int:
    """0: all ran and every goal was met; 1: one was missed; 2: a row did not run to its end."""
    rows = chosen or (os.environ.get("ROWS") or ",".join(ROWS)).split(",")
    unknown = [row for row in rows if row not in ROWS]
    if unknown:
        say(f"no such row: {', '.join(unknown)}; there are {', '.join(ROWS)}")
        return 2
    scale, rounds = float(os.environ.get("BENCH_SCALE", "1")), int(os.environ.get("ROUNDS", "3"))
    target = Path(os.environ.get("BENCH_RESULTS") or Path(__file__).parent / "RESULTS.md")
    head = [
        *machine.description(),
        f"Rows {', '.join(rows)} at scale {scale:g} (1: the sizes of the table), {rounds} rounds;"
        " contestants take turns in each round; ratios are medians of each round's ratio",
    ]
    results: list[report.Result] = []
    for row in rows:
        with tempfile.TemporaryDirectory(prefix=f"mcm-bench-{row}-") as folder:
            results.append(measure(row, Bench(Path(folder), scale, rounds, say)))
        target.write_text(report.document(head, results))
    say(f"written to {target}")
    if any(result.failure for result in results):
        return 2
    return int(not all(verdict.met for result in results for verdict in result.verdicts))


def measure(row: str, bench: Bench) -> report.Result:
    """One row. What goes wrong in it is part of the results and does not stop the others."""
    began, load = time.monotonic(), machine.load_average()
    say(f"{row}: begins, load average {load}")
    try:
        result: report.Result = importlib.import_module(f"bench.{ROWS[row]}").run(bench)
    except Exception as error:  # noqa: BLE001 - written down, and told by the exit code
        say(traceback.format_exc())
        result = report.Result(row, ROWS[row].replace("_", " "), "")
        result.failure = " ".join(f"{type(error).__name__}: {error}".split())[:1000]
    result.load, result.seconds = load, time.monotonic() - began
    for verdict in result.verdicts:
        say(f"{row}: {verdict.must}: {verdict.measured}: {verdict.word}")
    return result


def say(line: str) -> None:
    """A line for people, with the time."""
    print(f"{time.strftime('%H:%M:%S')} {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
