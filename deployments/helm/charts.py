"""Checks chart archives: nothing reaches Helm that was not read here first."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from deployments.helm import archive, schemas, strict
from deployments.helm.archive import Files
from deployments.helm.errors import BadChart, BadValues
from deployments.helm.types import ChartInfo

TEXT_LIMIT: Final = 1 << 20
_NAME: Final = re.compile(r"[A-Za-z0-9](?:[-A-Za-z0-9_.]*[A-Za-z0-9])?", re.ASCII)
_NAME_LIMIT: Final = 250
_VERSION_LIMIT: Final = 100
# As lenient as Helm: "1.2" and "v1.2.3-rc.1+build" are versions.
_VERSION: Final = re.compile(
    r"v?\d{1,19}(?:\.\d{1,19}){0,2}(?:-[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?"
    r"(?:\+[0-9A-Za-z-]+(?:\.[0-9A-Za-z-]+)*)?",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class _Chart:
    """A checked chart: what it says of itself, and its files under its one folder."""

    info: ChartInfo
    files: Files


def inspect(chart: Path | bytes) -> ChartInfo:
    """Check a chart archive. In: its path or bytes. Out: what it says of itself.

    Errors: `BadChart`; its `code` is one of `unreadable`, `too_large`, `not_an_archive`,
    `not_a_file`, `bad_path`, `duplicate_file`, `bad_layout`, `bad_metadata`, `library`,
    `bad_default_values`, `bad_schema`, `remote_schema`, `bad_subchart`.
    """
    return _load(chart).info


def repacked(chart: Path | bytes) -> bytes:
    """Check a chart and pack what was read anew. Out: the archive for Helm. Errors: `BadChart`."""
    return archive.write(_load(chart).files)


def _load(chart: Path | bytes) -> _Chart:
    packed = _bytes(chart)
    files = archive.read(packed)
    top = _top(files)
    about = _metadata(files.get(f"{top}/Chart.yaml"))
    if about.get("type") == "library":
        raise BadChart("a library chart cannot be installed", "library")
    if b"\0" in files.get(f"{top}/values.yaml", b""):
        raise BadChart("values.yaml is not a text file", "bad_default_values")
    for path, data in files.items():
        if path.endswith("/values.schema.json"):
            schemas.check(path, data)
    info = ChartInfo(
        name=about["name"],
        version=about["version"],
        app_version=_words(about, "appVersion", _VERSION_LIMIT),
        description=_words(about, "description", 1000),
        digest=hashlib.sha256(packed).hexdigest(),
        size=len(packed),
        values=_text(files, f"{top}/values.yaml"),
        readme=_text(files, f"{top}/README.md"),
        has_schema=f"{top}/values.schema.json" in files,
    )
    return _Chart(info, _with_subcharts(files))


def _bytes(chart: Path | bytes) -> bytes:
    if isinstance(chart, bytes):
        return chart
    try:
        with chart.open("rb") as file:
            return file.read(archive.PACKED_LIMIT + 1)
    except OSError as error:
        raise BadChart(f"cannot be read: {error.strerror}", "unreadable") from error


def _top(files: Files) -> str:
    tops = {path.partition("/")[0] for path in files}
    if len(tops) != 1 or any("/" not in path for path in files):
        raise BadChart("a chart archive holds one folder and nothing beside it", "bad_layout")
    return tops.pop()


def _metadata(data: bytes | None) -> dict[str, Any]:
    """Read Chart.yaml and check what Helm's other parts trust."""
    if data is None:
        raise BadChart("there is no Chart.yaml in the top folder", "bad_layout")
    try:
        about = strict.load(data.decode())
    except UnicodeDecodeError:
        raise BadChart("Chart.yaml is not UTF-8", "bad_metadata") from None
    except BadValues as error:
        raise BadChart(f"Chart.yaml: {error.message}", "bad_metadata") from error
    if not isinstance(about, dict):
        raise BadChart("Chart.yaml is not a mapping", "bad_metadata")
    if about.get("apiVersion") not in {"v1", "v2"}:
        raise BadChart("apiVersion must be v1 or v2", "bad_metadata")
    _expect(about, "name", _NAME, _NAME_LIMIT)
    _expect(about, "version", _VERSION, _VERSION_LIMIT)
    if ".." in about["name"]:
        raise BadChart("the chart's name holds '..'", "bad_metadata")
    if about.get("type", "application") not in {"", None, "application", "library"}:
        raise BadChart("the chart's type must be application", "bad_metadata")
    return about


def _expect(about: dict[str, Any], key: str, words: re.Pattern[str], limit: int) -> None:
    value = about.get(key)
    if isinstance(value, int | float) and key == "version":
        raise BadChart("the chart's version must be a text: quote it", "bad_metadata")
    if not isinstance(value, str) or len(value) > limit or not words.fullmatch(value):
        raise BadChart(f"the chart's {key} is missing or not valid", "bad_metadata")


def _words(about: dict[str, Any], key: str, limit: int) -> str:
    """Cut what a chart says in free words, to what can be stored."""
    value = about.get(key)
    try:
        text = "" if value is None else str(value)
    except ValueError:  # a number of more digits than Python writes
        raise BadChart(f"the chart's {key} is missing or not valid", "bad_metadata") from None
    return text.replace("\0", "")[:limit]


def _text(files: Files, path: str) -> str:
    return files.get(path, b"")[:TEXT_LIMIT].decode("utf-8", "replace")


def _with_subcharts(files: Files) -> Files:
    """Replace every packed subchart by what was read of it; packed ones inside are refused."""
    return {path: _subchart(path, data) if _packed(path) else data for path, data in files.items()}


def _packed(path: str) -> bool:
    folder, _, name = path.rpartition("/")
    return folder.rpartition("/")[2] == "charts" and name.endswith((".tgz", ".tar.gz"))


def _subchart(path: str, data: bytes) -> bytes:
    name = path.rpartition("/")[2][:80]
    try:
        files = archive.read(data)
        _metadata(files.get(f"{_top(files)}/Chart.yaml"))
        for inner, content in files.items():
            if _packed(inner):
                raise BadChart("a packed chart in a packed chart", "bad_subchart")
            if inner.endswith("/values.schema.json"):
                schemas.check(inner, content)
    except BadChart as error:
        raise BadChart(f"subchart {name}: {error.reason}", error.code) from error
    return archive.write(files)
