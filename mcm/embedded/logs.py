"""Log files of the supervised programs: capped at a start, their last lines, following one."""

from pathlib import Path

CAP = 10 * 1024 * 1024


def rotate(log: Path) -> None:
    """At a start: a log past the cap moves aside, in place of the one moved before."""
    if log.exists() and log.stat().st_size > CAP:
        log.replace(log.with_suffix(".log.1"))


def tail(log: Path, lines: int = 8) -> str:
    """The last lines, indented."""
    with log.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8192))
        text = file.read().decode(errors="replace")
    return "\n".join(f"    {line}" for line in text.splitlines()[-lines:])


def after(log: Path, offset: int) -> tuple[list[str], int]:
    """The complete lines written since the offset, and the offset to go on from."""
    with log.open("rb") as file:
        file.seek(offset)
        data = file.read()
    complete = data[: data.rfind(b"\n") + 1]
    return complete.decode(errors="replace").splitlines(), offset + len(complete)
