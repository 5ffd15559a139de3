"""Helm's releases, read out of the Secrets that Helm keeps them in.

Format: helm.sh/helm/v3 pkg/storage/driver/util.go (JSON, gzip, base64). What is not shown (the
chart's files, the values, the manifest: whatever may hold a secret) is never decoded into objects
and gone when the row is made.
"""

import base64
import zlib
from typing import Any

import msgspec

from clusters.kube.project.base import LARGEST_INT32, facts, row, shared
from clusters.kube.types import Health, Row

RELEASE = "release"
TYPE = "helm.sh/release.v1"
GZIP = 16 + zlib.MAX_WBITS
GZIP_MAGIC = b"\x1f\x8b\x08"
# A Secret holds 1 MiB at most, which text can be the twentieth of.
LARGEST_RELEASE = 32 * 1024 * 1024
HEALTH: dict[str, Health] = {
    "deployed": "healthy",
    "superseded": "idle",
    "uninstalled": "idle",
    "uninstalling": "progressing",
    "failed": "failing",
    "pending-install": "progressing",
    "pending-upgrade": "progressing",
    "pending-rollback": "progressing",
}


class _Info(msgspec.Struct):
    status: str = ""


class _ChartMetadata(msgspec.Struct, rename="camel"):
    name: str = ""
    version: str = ""
    app_version: str = ""


class _Chart(msgspec.Struct):
    metadata: _ChartMetadata = msgspec.field(default_factory=_ChartMetadata)


class _Release(msgspec.Struct):
    name: str
    version: int
    info: _Info = msgspec.field(default_factory=_Info)
    chart: _Chart = msgspec.field(default_factory=_Chart)


_decoder = msgspec.json.Decoder(_Release)


def release_row(secret: Any) -> Row:
    """The row of a release in a Secret message; ValueError for whatever is none."""
    if secret.type != TYPE:
        raise ValueError("a Secret that is no release")
    data = next((each.value for each in secret.data if each.key == RELEASE), b"")
    release = _read(data)
    status = shared(release.info.status or "unknown")
    chart = release.chart.metadata
    return row(
        "HelmRelease",
        secret.metadata,
        status=status,
        health=HEALTH.get(status, "unknown"),
        facts=facts(
            release=release.name,
            revision=str(min(release.version, LARGEST_INT32)),
            chart=chart.name,
            chartVersion=chart.version,
            appVersion=chart.app_version,
            status=status,
        ),
    )


def _read(data: bytes) -> _Release:
    packed = base64.b64decode(data, validate=True)
    if packed.startswith(GZIP_MAGIC):
        packed = _inflate(packed)
    try:
        return _decoder.decode(packed)
    except (msgspec.MsgspecError, RecursionError):
        # Without its cause, which might quote the release.
        raise ValueError("no release in it") from None


def _inflate(packed: bytes) -> bytes:
    inflate = zlib.decompressobj(GZIP)
    try:
        text = inflate.decompress(packed, LARGEST_RELEASE)
    except zlib.error as error:
        raise ValueError("a damaged release") from error
    if not inflate.eof:
        raise ValueError("a release that is cut off or far too large")
    return text
