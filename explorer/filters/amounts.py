"""What is compared in a query: "5", "1h30m", "250m" of CPU, "1Gi" of memory."""

import re
from datetime import timedelta

from clusters.kube import quantity

# Ages are told by when they began.
SINCE = {"age": "created", "since": "since"}
_UNITS = {
    "s": timedelta(seconds=1), "m": timedelta(minutes=1), "h": timedelta(hours=1),
    "d": timedelta(days=1), "w": timedelta(weeks=1), "y": timedelta(days=365),
}  # fmt: skip
_AGE = re.compile(r"(?:\d{1,6}[smhdwy]){1,6}", re.ASCII)
# Before it there was nothing that could be so old.
_LONGEST = timedelta(days=365 * 1000)
_LARGEST = 2**31 - 1
_ZERO = re.compile(r"0+(?:\.0*)?[A-Za-z]{0,2}")


def read(field: str, text: str) -> int | timedelta | None:
    """The amount in the unit of the stored rows; None for what is none."""
    if field in SINCE:
        return _age(text)
    if field in {"cpu", "memory"}:
        return _quantity(field, text)
    is_number = text.isascii() and text.isdecimal() and len(text) < 11
    return min(int(text), _LARGEST) if is_number else None


def _age(text: str) -> timedelta | None:
    if not _AGE.fullmatch(text):
        return None
    parts = re.findall(r"(\d+)([smhdwy])", text)
    total = sum((int(number) * _UNITS[unit] for number, unit in parts), timedelta())
    return min(total, _LONGEST)


def _quantity(field: str, text: str) -> int | None:
    """Millicores, or MiB; a part of a MiB counts as one, as nothing is stored finer."""
    if _ZERO.fullmatch(text):
        return 0
    found = quantity.millis(text) if field == "cpu" else quantity.whole(text)
    if not found:
        return None
    return found if field == "cpu" else -(-found // quantity.MEBIBYTE)
