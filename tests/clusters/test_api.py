"""The shape of the API: one form for all errors, whatever fails."""

import uuid
from typing import Any

import pytest
from django.test import Client
from rest_framework.throttling import UserRateThrottle

from clusters.api import registry as api
from clusters.models import Cluster
from teams.models import User

API = "/api/v1/clusters"


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    client.force_login(admin)
    client.raise_request_exception = False
    return client


def error(answer: Any, status: int) -> str:
    """The error's words; also that its shape is right."""
    assert answer.headers["Content-Type"] == "application/json"
    said = answer.json()
    assert (answer.status_code, set(said)) == (status, {"error", "fields"})
    assert isinstance(said["error"], str)
    assert said["error"]
    assert isinstance(said["fields"], dict)
    return str(said["error"])


@pytest.mark.parametrize(
    "path",
    [
        "/api",
        "/api/v1/none",
        "/api/v1/clusters/",
        f"{API}/x",
        f"{API}/7",
        f"{API}/{uuid.UUID(int=7)}",
        "/api/",
    ],
)
def test_what_is_not_there_is_told_the_same_way(path: str, mcm: Client) -> None:
    if path == "/api":
        assert mcm.get(path).status_code == 404
    else:
        assert error(mcm.get(path), 404) == "Not found."


def test_what_is_not_there_needs_no_signing_in(client: Client, db: None) -> None:
    assert error(client.get("/api/v1/none"), 404) == "Not found."


@pytest.mark.parametrize("body", ["{", "", "\xff", '{"a": NaN', "[" * 5000], ids=range(5))
def test_malformed_json_is_a_400(body: str, mcm: Client) -> None:
    error(mcm.post(API, body.encode("latin-1"), content_type="application/json"), 400)


@pytest.mark.parametrize("body", ["[]", "7", "null", '"x"', '[{"name": "a"}]'])
def test_a_body_that_is_no_object_is_a_400(body: str, mcm: Client) -> None:
    error(mcm.post(API, body, content_type="application/json"), 400)


def test_a_body_of_another_kind_is_a_415(mcm: Client) -> None:
    error(mcm.post(API, "<a/>", content_type="application/xml"), 415)


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_other_methods_are_a_405(method: str, mcm: Client) -> None:
    assert method.upper() in error(getattr(mcm, method)(API), 405)


def test_html_is_not_offered(mcm: Client) -> None:
    answer = mcm.get(API, headers={"Accept": "text/html"})
    assert answer.headers["Content-Type"] == "application/json"


def test_a_huge_body_is_refused(mcm: Client) -> None:
    answer = mcm.post(
        API, b'{"name": "' + b"x" * (10 << 20) + b'"}', content_type="application/json"
    )
    error(answer, 413)


def test_what_nobody_thought_of_is_a_500_in_json(
    mcm: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_cluster: Cluster) -> dict[str, Any]:
        raise RuntimeError("planted-detail")

    monkeypatch.setattr(api, "cluster_json", fail)
    Cluster.objects.create(name="any", environment="dev", sealed_connection=b"")
    assert "planted" not in error(mcm.get(API), 500)


def test_too_many_requests_are_a_429(mcm: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {**UserRateThrottle.THROTTLE_RATES, "user": "2/min"}
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", rates)
    assert [mcm.get(API).status_code for _ in range(2)] == [200, 200]
    answer = mcm.get(API)
    error(answer, 429)
    assert int(answer.headers["Retry-After"]) > 0


def test_names_too_find_a_cluster_where_one_is_asked_for(mcm: Client, prod: Cluster) -> None:
    for key in ("prod", str(prod.pk)):
        assert mcm.get("/api/v1/releases", {"cluster": key}).json() == {"releases": [], "total": 0}
    assert error(mcm.get("/api/v1/releases", {"cluster": "none"}), 404) == "Not found."


def test_each_sees_its_own_clusters(
    client: Client, viewer: User, outsider: User, prod: Cluster, other: Cluster
) -> None:
    for user, name in ((viewer, "prod"), (outsider, "other")):
        client.force_login(user)
        said = client.get(API).json()
        assert ([cluster["name"] for cluster in said["clusters"]], said["total"]) == ([name], 1)


def test_answers_stay_private(mcm: Client, prod: Cluster) -> None:
    for path in ("/", API, f"/clusters/{prod.pk}/"):
        headers = mcm.get(path).headers
        assert "no-store" in headers["Cache-Control"], path
        assert "HX-Request" in headers["Vary"], path
    page = mcm.get("/").headers
    assert "frame-ancestors 'none'" in page["Content-Security-Policy"]
    assert page["X-Content-Type-Options"] == "nosniff"
