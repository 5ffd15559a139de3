import base64
import gzip
import json
import zlib
from itertools import count
from typing import Any

import pytest

from clusters.kube import decode
from clusters.kube.kinds import KINDS
from clusters.kube.project.helm import LARGEST_RELEASE, release_row
from tests.kube import objects
from tests.kube.helm_secrets import packed, release, secret


def test_a_release_is_read_out_of_its_secret() -> None:
    found = release_row(secret(packed(release())))
    assert (found.kind, found.name) == ("HelmRelease", "sh.helm.release.v1.shop.v3")
    assert (found.status, found.health) == ("deployed", "healthy")
    assert found.facts == {
        "release": "shop",
        "revision": "3",
        "chart": "web",
        "chartVersion": "1.4.2",
        "appVersion": "v7",
        "status": "deployed",
    }
    assert "planted" not in str(found)


def test_helm_may_leave_out_the_compression() -> None:
    data = base64.b64encode(json.dumps(release()).encode())
    assert release_row(secret(data)).facts["chart"] == "web"


@pytest.mark.parametrize(
    ("status", "health"),
    [
        ("superseded", "idle"),
        ("uninstalled", "idle"),
        ("failed", "failing"),
        ("pending-upgrade", "progressing"),
        ("uninstalling", "progressing"),
        ("", "unknown"),
        ("new\x1b[31m-word", "unknown"),
    ],
)
def test_health_follows_helms_word(status: str, health: str) -> None:
    found = release_row(secret(packed(release(status=status))))
    assert found.health == health
    assert found.status.isprintable()
    assert found.status


def bomb(size: int) -> bytes:
    """A release of `size` bytes that is a thousandth of that when packed."""
    content = release()
    content["manifest"] = "a" * size
    return packed(content)


HOSTILE = [
    b"",
    b"no base64!",
    base64.b64encode(b"no json"),
    base64.b64encode(gzip.compress(b"no json")),
    base64.b64encode(gzip.compress(json.dumps(release()).encode())[:-9]),
    base64.b64encode(b"\x1f\x8b\x08" + b"\xff" * 50),
    base64.b64encode(b'{"chart":' * 200_000),
    packed([]),
    packed({"name": "shop"}),
    packed({**release(), "version": "3"}),
    packed({**release(), "chart": "web"}),
    bomb(LARGEST_RELEASE + 1),
]


@pytest.mark.parametrize("data", HOSTILE, ids=count())
def test_hostile_releases_cost_one_object(data: bytes) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        release_row(secret(data))
    assert "planted" not in str(caught.value)
    good = secret(packed(release()))
    page = objects.page([secret(data), good], 9)
    found = decode.page(KINDS["HelmRelease"], page)
    assert ([row.name for row in found.rows], found.skipped) == ([good.metadata.name], 1)


def test_a_bomb_is_not_unpacked_whole() -> None:
    # 256 MiB of zeros in 256 KiB; only the first 32 MiB are ever made.
    squeeze = zlib.compressobj(9, zlib.DEFLATED, 31)
    zeros = bytes(2**20)
    data = b"".join(squeeze.compress(zeros) for _ in range(256)) + squeeze.flush()
    with pytest.raises(ValueError, match="far too large"):
        release_row(secret(base64.b64encode(data)))


def test_another_secret_is_no_release() -> None:
    with pytest.raises(ValueError, match="no release"):
        release_row(secret(packed(release()), "Opaque"))


def test_a_huge_revision_is_bounded() -> None:
    found: Any = release_row(secret(packed(release(version=10**30))))
    assert found.facts["revision"] == str(2**31 - 1)
