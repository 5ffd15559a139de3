"""The kubeconfig that a person downloads: where it leads, whose token it holds, how long."""

import base64
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.exceptions import ImproperlyConfigured
from django.test import Client

from clusters.kube import kubeconfig
from clusters.models import Cluster, Namespace
from kubectl.access import bearer
from mcm import env
from mcm.embedded import certificates
from teams.models import AuditEvent, Token, User
from tests.kubectl.conftest import token_of

NEVER = datetime.max.replace(tzinfo=UTC)
URL = "https://mcm.example.com:8443"


@pytest.fixture(autouse=True)
def public(settings: Any, tmp_path: Path) -> Path:
    """An MCM that knows where it is reached."""
    certificates.ensure(tmp_path)
    settings.PUBLIC_URL = URL
    settings.PUBLIC_CA = certificates.files(tmp_path).authority
    return certificates.files(tmp_path).authority


def download(client: Client, user: User, cluster: Cluster, **form: Any) -> Any:
    client.force_login(user)
    return client.post(f"/clusters/{cluster.pk}/kubeconfig/", {"hours": 8, **form})


def test_it_leads_through_mcm_as_the_person(
    client: Client, viewer: User, prod: Cluster, public: Path
) -> None:
    answer = download(client, viewer, prod)
    assert answer.status_code == 200
    assert answer.headers["Content-Disposition"] == 'attachment; filename="mcm-prod.yaml"'
    assert answer.headers["Cache-Control"] == "no-store"
    config = yaml.safe_load(answer.content)
    reached = config["clusters"][0]["cluster"]
    assert reached["server"] == f"{URL}/k8s/clusters/prod"
    assert base64.b64decode(reached["certificate-authority-data"]) == public.read_bytes()
    # As strict a reader as MCM's own takes it.
    connection = kubeconfig.parse(answer.content.decode())
    assert bearer(f"Bearer {connection.token}") == viewer
    assert connection.namespace is None


def test_it_begins_where_the_person_may_begin(
    client: Client, shop_viewer: User, prod: Cluster, bank: Namespace
) -> None:
    connection = kubeconfig.parse(download(client, shop_viewer, prod).content.decode())
    assert connection.namespace == "shop"


@pytest.mark.parametrize("hours", [1, 24, 720])
def test_its_token_lasts_as_chosen(client: Client, viewer: User, prod: Cluster, hours: int) -> None:
    download(client, viewer, prod, hours=hours)
    left = (Token.objects.get().expiry or NEVER) - datetime.now(UTC)
    assert timedelta(hours=hours, minutes=-1) < left <= timedelta(hours=hours)


@pytest.mark.parametrize("hours", ["0", "-1", "9999", "x", ""])
def test_no_other_time_is_taken(client: Client, viewer: User, prod: Cluster, hours: str) -> None:
    assert download(client, viewer, prod, hours=hours).status_code == 422
    assert not Token.objects.exists()


def test_it_is_audited_without_its_token(client: Client, viewer: User, prod: Cluster) -> None:
    answer = download(client, viewer, prod)
    token = kubeconfig.parse(answer.content.decode()).token or "?"
    event = AuditEvent.objects.get(action="kubeconfig.create")
    assert (event.actor, event.object_name) == (viewer, "prod")
    assert event.detail == {"name": "kubeconfig for prod", "hours": 8.0}
    assert token not in str(list(AuditEvent.objects.values()))


def test_the_page_says_where_it_leads(client: Client, viewer: User, prod: Cluster) -> None:
    client.force_login(viewer)
    page = client.get(f"/clusters/{prod.pk}/kubeconfig/").content.decode()
    assert f"{URL}/k8s/clusters/prod" in page
    assert (
        f'href="/clusters/{prod.pk}/kubeconfig/"'
        in client.get(f"/clusters/{prod.pk}/").content.decode()
    )
    assert not Token.objects.exists()


def test_without_an_address_there_is_none(
    client: Client, viewer: User, prod: Cluster, settings: Any
) -> None:
    settings.PUBLIC_URL = ""
    answer = download(client, viewer, prod)
    assert answer.status_code == 422
    assert "MCM_PUBLIC_URL" in answer.content.decode()
    assert not Token.objects.exists()


def test_who_came_by_https_goes_on_by_it(
    client: Client, viewer: User, prod: Cluster, settings: Any
) -> None:
    settings.PUBLIC_URL, settings.PUBLIC_CA = "", None
    client.force_login(viewer)
    path, host = f"/clusters/{prod.pk}/kubeconfig/", {"host": "localhost:8443"}
    answer = client.post(path, {"hours": 8}, secure=True, headers=host)
    reached = yaml.safe_load(answer.content)["clusters"][0]["cluster"]
    assert reached == {"server": "https://localhost:8443/k8s/clusters/prod"}


def test_the_api_gives_the_same(client: Client, viewer: User, prod: Cluster) -> None:
    header = {"Authorization": f"Bearer {token_of(viewer)}"}
    path = f"/api/v1/clusters/{prod.pk}/kubeconfig"
    kind: Any = {"content_type": "application/json", "headers": header}
    answer = client.post(path, {"hours": 2}, **kind)
    assert answer.status_code == 201
    assert bearer(f"Bearer {kubeconfig.parse(answer.content.decode()).token}") == viewer
    assert set(client.post(path, {"hours": 0}, **kind).json()["fields"]) == {"hours"}
    # A token makes none that outlives it.
    client.post(path, {"hours": 720}, **kind)
    first, *others = Token.objects.order_by("created")
    ends = first.expiry or NEVER
    assert all((other.expiry or NEVER) <= ends for other in others)
    assert {tuple(other.only or ()) for other in others} == {(prod.pk,)}


@pytest.mark.parametrize(
    "value", ["http://a.example", "https://", "https://a.example/mcm", "a.example", "https://a?b"]
)
def test_a_wrong_address_stops_the_start(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("MCM_PUBLIC_URL", value)
    with pytest.raises(ImproperlyConfigured, match="MCM_PUBLIC_URL"):
        env.https("MCM_PUBLIC_URL")


def test_an_authority_that_is_none_stops_the_start(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for content in (None, "rubbish"):
        path = tmp_path / "other.crt"
        if content:
            path.write_text(content)
        monkeypatch.setenv("MCM_PUBLIC_CA", str(path))
        with pytest.raises(ImproperlyConfigured, match="MCM_PUBLIC_CA"):
            env.certificates("MCM_PUBLIC_CA")
