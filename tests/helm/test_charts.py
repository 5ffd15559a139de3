"""Chart archives: what is read, and that nothing hostile passes."""

import gzip
import hashlib
import io
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from deployments.helm import archive, charts
from deployments.helm.errors import BadChart
from tests.helm.archives import CHART, DEPLOYMENT, chart, member, packed, with_entries

BOMB = b"\0" * (1 << 20)


def bomb() -> bytes:
    """One gigabyte of zeros in one megabyte."""
    target = io.BytesIO()
    with gzip.GzipFile(fileobj=target, mode="wb") as file:
        for _ in range(1024):
            file.write(BOMB)
    return target.getvalue()


def about(**changes: str) -> bytes:
    """Return a chart whose Chart.yaml has other fields."""
    fields = {"apiVersion": "v2", "name": "demo", "version": "1.2.3"} | changes
    return chart(about="".join(f"{key}: {value}\n" for key, value in fields.items()))


def schema(text: str) -> bytes:
    """Return a chart with this schema."""
    return chart({"values.schema.json": text})


def damaged() -> bytes:
    """Return an archive whose header does not add up."""
    data = bytearray(gzip.decompress(chart()))
    data[0] ^= 1
    return gzip.compress(bytes(data))


HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "symbolic link": (
        lambda: with_entries(member("demo/x", kind=b"2", link="/etc/passwd")),
        "not_a_file",
    ),
    "Chart.lock is a link": (
        lambda: with_entries(member("demo/Chart.lock", kind=b"2", link="/etc/hostname")),
        "not_a_file",
    ),
    "hard link": (
        lambda: with_entries(member("demo/x", kind=b"1", link="demo/Chart.yaml")),
        "not_a_file",
    ),
    "device": (lambda: with_entries(member("demo/x", kind=b"3")), "not_a_file"),
    "pipe": (lambda: with_entries(member("demo/x", kind=b"6")), "not_a_file"),
    "parent folder": (lambda: with_entries(member("demo/../../x")), "bad_path"),
    "absolute path": (lambda: with_entries(member("/etc/x")), "bad_path"),
    "drive letter": (lambda: with_entries(member("C:/x")), "bad_path"),
    "backslashes": (lambda: with_entries(member("demo\\..\\..\\x")), "bad_path"),
    "control character": (lambda: with_entries(member("demo/a\x1b[31m")), "bad_path"),
    "long name": (lambda: with_entries(member("demo/" + "x" * 300)), "bad_path"),
    "long GNU name": (
        lambda: packed(member("demo/" + "x" * 300), form=tarfile.GNU_FORMAT),
        "bad_path",
    ),
    "deep folders": (lambda: with_entries(member("demo/" + "x/" * 40 + "y")), "bad_path"),
    "same name twice": (lambda: with_entries(member("demo/Chart.yaml")), "duplicate_file"),
    "two folders": (lambda: with_entries(member("other/x")), "bad_layout"),
    "file beside the folder": (lambda: with_entries(member("Chart.yaml")), "bad_layout"),
    "no Chart.yaml": (lambda: packed(member("demo/values.yaml")), "bad_layout"),
    "empty": (packed, "bad_layout"),
    "no archive": (lambda: b"hello", "not_an_archive"),
    "cut short": (lambda: chart(DEPLOYMENT)[:-20], "not_an_archive"),
    "something behind": (lambda: chart() + b"x", "not_an_archive"),
    "damaged": (damaged, "not_an_archive"),
    "bomb": (bomb, "too_large"),
    "large upload": (lambda: b"\x1f\x8b" + b"x" * (11 << 20), "too_large"),
    "large file": (lambda: with_entries(member("demo/x", b"\0" * (6 << 20))), "too_large"),
    "large in all": (
        lambda: with_entries(*(member(f"demo/{n}", b"\0" * (5 << 20)) for n in range(11))),
        "too_large",
    ),
    "many files": (lambda: with_entries(*(member(f"demo/{n}") for n in range(5001))), "too_large"),
    "name of dots": (lambda: about(name="'..'"), "bad_metadata"),
    "name with a path": (lambda: about(name="../../x"), "bad_metadata"),
    "name missing": (lambda: about(name=""), "bad_metadata"),
    "no version": (lambda: about(version="latest"), "bad_metadata"),
    "version is a number": (lambda: about(version="1.2"), "bad_metadata"),
    "apiVersion": (lambda: about(apiVersion="v3"), "bad_metadata"),
    "library": (lambda: about(type="library"), "library"),
    "aliases": (lambda: chart(about=CHART + "a: &a [x]\nb: *a\n"), "bad_metadata"),
    "tag": (lambda: chart(about=CHART + "a: !!python/none x\n"), "bad_metadata"),
    "schema on the network": (
        lambda: schema('{"$ref": "https://evil.example/s"}'),
        "remote_schema",
    ),
    "schema from a device": (
        lambda: schema('{"properties": {"a": {"$ref": "file:///dev/zero"}}}'),
        "remote_schema",
    ),
    "schema beside": (lambda: schema('{"$ref": "../../../etc/passwd"}'), "remote_schema"),
    "schema dialect": (lambda: schema('{"$schema": "http://evil.example/s"}'), "remote_schema"),
    "schema too deep": (lambda: schema("[" * 100_000 + "]" * 100_000), "bad_schema"),
    "schema no JSON": (lambda: schema("{"), "bad_schema"),
    "hostile subchart": (
        lambda: with_entries(member("demo/charts/sub.tgz", with_entries(member("../x")))),
        "bad_path",
    ),
    "packed in packed": (
        lambda: with_entries(
            member("demo/charts/a.tgz", with_entries(member("demo/charts/b.tgz", chart())))
        ),
        "bad_subchart",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_hostile_archive_is_refused_quickly(case: str) -> None:
    make, code = HOSTILE[case]
    data = make()
    start = time.monotonic()
    with pytest.raises(BadChart) as caught:
        charts.inspect(data)
    assert caught.value.code == code, caught.value
    assert time.monotonic() - start < 2


def test_a_good_chart_says_what_it_is(tmp_path: Path) -> None:
    data = chart(DEPLOYMENT | {"values.schema.json": '{"$ref": "#/x"}', "README.md": "Read"})
    path = tmp_path / "demo.tgz"
    path.write_bytes(data)
    info = charts.inspect(path)
    assert info == charts.inspect(data)
    assert (info.name, info.version, info.app_version) == ("demo", "1.2.3", "9")
    assert info.digest == hashlib.sha256(data).hexdigest()
    assert info.values.startswith("replicas: 1")
    assert (info.readme, info.has_schema, info.size) == ("Read", True, len(data))


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(BadChart, match="cannot be read"):
        charts.inspect(tmp_path / "nothing.tgz")


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_survive_in_every_format(form: int) -> None:
    name = "demo/templates/" + "folder-with-a-name/" * 6 + "file.yaml"
    data = packed(
        member("demo", kind=tarfile.DIRTYPE), member(name, b"x"), member("demo/ü", b""), form=form
    )
    assert list(archive.read(data)) == [name, "demo/ü"]


def test_what_is_given_to_helm_is_written_anew() -> None:
    sub = chart(DEPLOYMENT)
    data = with_entries(member("demo/charts/sub.tgz", sub), member("demo/files/a b", b"\0"))
    again = charts.repacked(data)
    files = archive.read(again)
    assert files["demo/files/a b"] == b"\0"
    assert archive.read(files["demo/charts/sub.tgz"]) == archive.read(sub)
    assert charts.repacked(again) == again
