"""What is asked of an install before anything is queued."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from clusters.models import Cluster, Namespace
from deployments.models import Chart, Release
from operations.models import Operation
from teams.models import User
from tests.helm.archives import chart as archive

API = "/api/v1/releases"


@pytest.fixture
def mcm(client: Client, operator: User) -> Client:
    client.force_login(operator)
    return client


def body(stored: Chart, /, **fields: Any) -> dict[str, Any]:
    good = {
        "cluster": "prod",
        "namespace": "shop",
        "name": "web",
        "chart": {"upload": str(stored.pk)},
    }
    return {**good, **fields}


NO_CHART = "00000000-0000-0000-0000-000000000000"
BAD: list[tuple[str, Any, str]] = [
    ("name", "Web", "name"),
    ("name", "x" * 54, "name"),
    ("name", "--kubeconfig", "name"),
    ("name", "a/b", "name"),
    ("name", "namespace_", "name"),
    ("namespace", "Shop", "namespace"),
    ("namespace", "a.b", "namespace"),
    ("namespace", "-n", "namespace"),
    ("cluster", "none", "cluster"),
    ("cluster", "other", "cluster"),
    ("chart", {"upload": NO_CHART}, "chart.upload"),
    ("chart", {"upload": "x"}, "chart.upload"),
    ("chart", {"upload": NO_CHART, "colour": 1}, "chart.colour"),
    ("chart", "x", "chart"),
    ("values", "a: [", "values"),
    ("values", "- a", "values"),
    ("values", "a: &x 1\nb: *x", "values"),
    ("values", "a: 1\na: 2", "values"),
    ("values", "a: !!python/object:os.system {}", "values"),
    ("values", {"a": 1}, "values"),
    ("options", {"timeout": 5}, "options.timeout"),
    ("options", {"timeout": "long"}, "options.timeout"),
    ("options", {"wiat": True}, "options.wiat"),
    ("options", None, "options"),
    ("colour", "red", "colour"),
]


@pytest.mark.parametrize(("name", "value", "field"), BAD, ids=[f"{n} {v!r}" for n, v, _ in BAD])
def test_a_bad_field_is_a_400_that_names_it(
    name: str, value: Any, field: str, mcm: Client, chart: Chart, other: Cluster
) -> None:
    answer = mcm.post(API, body(chart, **{name: value}), content_type="application/json")
    assert answer.status_code == 400
    assert list(answer.json()["fields"]) == [field]
    assert not Operation.objects.exists()


def test_a_namespace_of_ones_own_is_enough(
    client: Client, shop_operator: User, chart: Chart, bank: Namespace
) -> None:
    client.force_login(shop_operator)
    for namespace, status in (("shop", 202), ("bank", 403)):
        given = body(chart, namespace=namespace)
        assert client.post(API, given, content_type="application/json").status_code == status
    assert Operation.objects.count() == 1


def form(prod: Cluster, **fields: Any) -> dict[str, Any]:
    good = {
        "cluster": str(prod.pk),
        "namespace": "shop",
        "name": "web",
        "timeout": "60",
        "wait": "on",
    }
    return {**good, **fields}


def test_the_page_installs_an_upload(mcm: Client, prod: Cluster) -> None:
    upload = SimpleUploadedFile("demo.tgz", archive())
    answer = mcm.post("/releases/install/", form(prod, archive=upload))
    operation = Operation.objects.get()
    assert answer.headers["Location"] == f"/operations/{operation.pk}/"
    assert (operation.kind, operation.target) == ("helm.install", "web")


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": "Web"}, "name"), ({"namespace": "Shop"}, "namespace"),
        ({"values": "- a"}, "values"),
        ({"timeout": "1"}, "timeout"), ({"cluster": "x"}, "cluster"), ({"chart": ""}, "archive"),
    ],
    ids=str,
)  # fmt: skip
def test_the_page_shows_what_is_wrong_beside_the_field(
    fields: dict[str, str], field: str, mcm: Client, prod: Cluster, chart: Chart
) -> None:
    answer = mcm.post("/releases/install/", form(prod, **{"chart": str(chart.pk), **fields}))
    assert answer.status_code == 422
    assert list(answer.context["form"].errors) == [field]
    assert not Operation.objects.exists()


def test_the_cluster_of_the_list_is_chosen_already(mcm: Client, prod: Cluster) -> None:
    text = mcm.get("/releases/install/", {"cluster": "prod"}).content.decode()
    assert f'<option value="{prod.pk}" selected>prod</option>' in text


def test_uninstalling_asks_for_the_name(mcm: Client, release: Release) -> None:
    url = f"/releases/{release.pk}/uninstall/"
    assert mcm.post(url, {"confirm_name": "wbe"}).status_code == 422
    assert not Operation.objects.exists()
    answer = mcm.post(url, {"confirm_name": "web"}, headers={"HX-Request": "true"})
    assert answer.headers["HX-Redirect"] == f"/operations/{Operation.objects.get().pk}/"


def test_uninstalling_twice_leads_to_the_one_that_runs(mcm: Client, release: Release) -> None:
    url = f"/releases/{release.pk}/uninstall/"
    first, second = (mcm.post(url, {"confirm_name": "web"}) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]


def test_the_list_finds_by_name_chart_and_cluster(
    mcm: Client, release: Release, other: Cluster
) -> None:
    for query, found in (
        ({"q": "WE"}, 1), ({"q": "dem"}, 1), ({"q": "x"}, 0), ({"q": "%"}, 0),
        ({"cluster": "prod"}, 1), ({"cluster": "other"}, 0), ({"namespace": "shop"}, 1),
    ):  # fmt: skip
        page = mcm.get("/releases/", query)
        assert page.context["total"] == found, query
