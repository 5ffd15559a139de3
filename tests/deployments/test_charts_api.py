"""Uploading charts: checked before they are stored."""

import tarfile
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from deployments.models import Chart
from teams.models import AuditEvent, User
from tests.helm.archives import CHART, chart, member, packed, with_entries

API = "/api/v1/charts"


@pytest.fixture
def mcm(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def upload(client: Client, data: bytes) -> Any:
    return client.post(API, {"file": SimpleUploadedFile("chart.tgz", data)})


def test_a_good_chart_is_stored_and_listed(mcm: Client) -> None:
    answer = upload(mcm, chart({"values.yaml": "replicas: 1\n"}))
    assert answer.status_code == 201
    said = answer.json()
    assert (said["name"], said["version"], said["appVersion"]) == ("demo", "1.2.3", "9")
    assert len(said["digest"]) == 64
    assert mcm.get(API, {"q": "DEM"}).json() == {"charts": [said], "total": 1}
    assert mcm.get(API, {"q": "other"}).json() == {"charts": [], "total": 0}
    assert Chart.objects.get().values == "replicas: 1\n"


def test_the_same_archive_is_the_same_chart(mcm: Client) -> None:
    first, second = (upload(mcm, chart()).json() for _ in range(2))
    assert first == second
    assert AuditEvent.objects.filter(action="chart.upload").count() == 1


HOSTILE = {
    "empty": b"",
    "no archive": b"planted",
    "no chart": packed(member("x/readme", b"hello")),
    "climbs out": with_entries(member("../planted", b"x")),
    "absolute": with_entries(member("/etc/planted", b"x")),
    "a link": with_entries(member("demo/x", kind=tarfile.SYMTYPE, link="/etc/passwd")),
    "a device": with_entries(member("demo/x", kind=tarfile.CHRTYPE)),
    "a name that climbs": chart(about=CHART.replace("demo", "../demo")),
    "a long version": chart(about=CHART.replace("1.2.3", "1.2.3-" + "a" * 100)),
    "values with a NUL": chart({"values.yaml": "a: \0"}),
    "an endless number": chart(about=CHART.replace("'9'", "0x" + "f" * 5000)),
    "a bomb": packed(member("demo/Chart.yaml", CHART.encode()), member("demo/x", bytes(200 << 20))),
}


@pytest.mark.parametrize("data", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_one_is_a_400_that_names_the_field(data: bytes, mcm: Client) -> None:
    answer = upload(mcm, data)
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == ["file"]
    assert not Chart.objects.exists()
    assert not AuditEvent.objects.filter(action="chart.upload").exists()


def test_words_of_a_chart_are_cut_to_their_columns(mcm: Client) -> None:
    words = CHART.replace("'9'", "v" * 101).replace("A demo", '"A\\0 demo"')
    answer = upload(mcm, chart({"README.md": "a\0"}, about=words))
    assert answer.status_code == 201
    said = answer.json()
    assert (said["appVersion"], said["description"]) == ("v" * 100, "A demo")


def test_no_file_and_a_huge_file_are_refused(mcm: Client) -> None:
    for answer in (mcm.post(API, {"file": "text"}), upload(mcm, bytes((10 << 20) + 1))):
        assert answer.status_code == 400
        assert list(answer.json()["fields"]) == ["file"]


def test_charts_are_for_those_who_may_install(client: Client, viewer: User, chart: Chart) -> None:
    client.force_login(viewer)
    assert client.get(API).json() == {"charts": [], "total": 0}
    assert upload(client, b"x").status_code == 403
