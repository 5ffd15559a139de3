"""Reads and writes .tar.gz archives of charts in memory. Refuses all but plain, small files.

An own reader, because what counts is what is refused: links, devices, sparse files, paths that
leave the folder, names given twice, bombs. What Helm is given is written anew from what was read,
so no difference between two readers can carry anything past this one.
"""

import gzip
import io
import re
import tarfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from deployments.helm.errors import BadChart

PACKED_LIMIT: Final = 10 << 20
TOTAL_LIMIT: Final = 50 << 20
FILE_LIMIT: Final = 5 << 20
COUNT_LIMIT: Final = 5_000
NAME_LIMIT: Final = 255
PATH_DEPTH: Final = 32

_BLOCK: Final = 512
_SLACK: Final = (COUNT_LIMIT * 4 + 64) * _BLOCK  # headers and padding around the contents
_NAME: Final = re.compile(r"[^\x00-\x1f\x7f\\]+")
_PAX_LIMIT: Final = 64 << 10
_FILES: Final = b"0\x007"
_FOLDER: Final = b"5"
_KINDS: Final = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"6": "a pipe",
    b"S": "a sparse file",
}

Files = dict[str, bytes]


@dataclass(slots=True)
class _Entry:
    name: str
    kind: bytes
    data: bytes


def read(packed: bytes) -> Files:
    """Unpack an archive. Out: contents by path, in the archive's order.

    Errors: `BadChart`.
    """
    if len(packed) > PACKED_LIMIT:
        raise BadChart(f"larger than {PACKED_LIMIT >> 20} MiB", "too_large")
    files: Files = {}
    total = 0
    for entry in _entries(_inflated(packed)):
        if entry.kind == _FOLDER:
            continue
        if entry.kind not in _FILES:
            kind = _KINDS.get(entry.kind, "a special entry")
            raise BadChart(f"{entry.name[:80]!r} is {kind}", "not_a_file")
        _check_path(entry.name)
        if entry.name in files:
            raise BadChart(f"{entry.name[:80]!r} occurs twice", "duplicate_file")
        total += len(entry.data)
        if len(files) >= COUNT_LIMIT or total > TOTAL_LIMIT:
            raise BadChart("too many files, or too large unpacked", "too_large")
        files[entry.name] = entry.data
    return files


def write(files: Files) -> bytes:
    """Pack files, always to the same bytes for the same files."""
    target = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=target, mode="wb", compresslevel=1, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name, data in files.items():
            about = tarfile.TarInfo(name)
            about.size = len(data)
            about.mode = 0o644
            tar.addfile(about, io.BytesIO(data))
    return target.getvalue()


def _inflated(packed: bytes) -> bytes:
    """Decompress, but never more than the limits allow; a bomb is cut there."""
    limit = TOTAL_LIMIT + _SLACK
    inflater = zlib.decompressobj(wbits=31)
    try:
        data = inflater.decompress(packed, limit + 1)
    except zlib.error:
        raise BadChart("not a .tgz archive (no gzip)", "not_an_archive") from None
    if len(data) > limit:
        raise BadChart(f"larger than {TOTAL_LIMIT >> 20} MiB unpacked", "too_large")
    if not inflater.eof:
        raise BadChart("the archive is cut short", "not_an_archive")
    if inflater.unused_data:
        raise BadChart("there is something after the archive's end", "not_an_archive")
    return data


def _entries(data: bytes) -> Iterator[_Entry]:
    """Read entry after entry; GNU long names and PAX paths are applied to what follows them."""
    offset = 0
    name = ""
    size: int | None = None
    while (header := data[offset : offset + _BLOCK]).strip(b"\0"):
        entry = _entry(data, offset, size)
        offset += _BLOCK + -(-len(entry.data) // _BLOCK) * _BLOCK
        if entry.kind == b"L":
            name, size = _text(entry.data.rstrip(b"\0")), None
        elif entry.kind == b"x":
            name, size = _pax(entry.data, name)
        elif entry.kind != b"g":  # git archive writes one; it says nothing about files
            entry.name = name or entry.name
            name, size = "", None
            yield entry
        if len(header) < _BLOCK:
            break


def _entry(data: bytes, offset: int, size: int | None) -> _Entry:
    header = data[offset : offset + _BLOCK]
    if len(header) < _BLOCK or not _sum_is_right(header):
        raise BadChart("the archive is damaged", "not_an_archive")
    length = _octal(header[124:136]) if size is None else size
    kind = header[156:157]
    limit = _PAX_LIMIT if kind in b"Lxg" and kind else FILE_LIMIT
    if length > limit:
        raise BadChart(f"a file is larger than {limit >> 10} KiB", "too_large")
    start = offset + _BLOCK
    content = data[start : start + length]
    if len(content) < length:
        raise BadChart("the archive is cut short", "not_an_archive")
    name = _text(header[:100].split(b"\0", 1)[0])
    prefix = _text(header[345:500].split(b"\0", 1)[0]) if header[257:263] == b"ustar\0" else ""
    return _Entry(f"{prefix}/{name}" if prefix else name, kind, content)


def _sum_is_right(header: bytes) -> bool:
    return _octal(header[148:156]) == sum(header) - sum(header[148:156]) + 8 * 0x20


def _octal(field: bytes) -> int:
    text = field.strip(b" \0")
    if not text.isdigit() or b"8" in text or b"9" in text:
        raise BadChart("the archive is damaged", "not_an_archive")
    return int(text, 8)


def _pax(data: bytes, name: str) -> tuple[str, int | None]:
    """Read a PAX header: path and size are all that counts here."""
    size = None
    rest = data
    while rest:
        length, _, _ = rest.partition(b" ")
        if not length.isdigit() or not len(length) < int(length) <= len(rest):
            raise BadChart("the archive is damaged", "not_an_archive")
        record, rest = rest[len(length) + 1 : int(length) - 1], rest[int(length) :]
        key, _, value = record.partition(b"=")
        if key == b"path":
            name = _text(value)
        elif key == b"size" and value.isdigit() and len(value) < 12:
            size = int(value)
        elif key in {b"linkpath", b"size"} or key.startswith(b"GNU.sparse"):
            raise BadChart("a link or a sparse file", "not_a_file")
    return name, size


def _text(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        raise BadChart("a file name is not UTF-8", "bad_path") from None


def _check_path(path: str) -> None:
    parts = path.split("/")
    fine = (
        len(path) <= NAME_LIMIT
        and len(parts) <= PATH_DEPTH
        and _NAME.fullmatch(path)
        and not re.match(r"[A-Za-z]:", path)
        and not any(part in {"", ".", ".."} for part in parts)
    )
    if not fine:
        raise BadChart(f"the path {path[:80]!r} is not accepted", "bad_path")
