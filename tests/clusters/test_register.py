"""Registering by page and by API: each failing step has its own words and stores nothing."""

import base64
import json
import time
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client

from clusters.kube import client as kube
from clusters.models import Cluster, Environment
from clusters.services import registration as services
from clusters.services.checks import RegistrationFailed
from clusters.services.registration import Registration
from teams.models import AuditEvent, User
from testbed.cluster import Cluster as RealCluster
from tests.clusters.conftest import changed, to_port
from tests.kube.certificates import Authority

pytestmark = pytest.mark.cluster

API = "/api/v1/clusters"


@pytest.fixture
def mcm(client: Client, admin: User) -> Client:
    """The client of a platform admin."""
    client.force_login(admin)
    return client


def wanted(kubeconfig: Any, **fields: Any) -> dict[str, Any]:
    return {"name": "new", "environment": "dev", "kubeconfig": kubeconfig, **fields}


def posted(client: Client, kubeconfig: Any, **fields: Any) -> Any:
    return client.post(API, wanted(kubeconfig, **fields), content_type="application/json")


def everything_stored() -> str:
    """All rows of all tables as text."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
        found = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [str(row[0]) for row in cursor.fetchall()]
    return "\n".join(found)


def secrets_of(kubeconfig: str) -> list[str]:
    """What must be seen nowhere: as it stands in the file, decoded, and in PostgreSQL's hex."""
    user = json.loads(kubeconfig)["users"][0]["user"]
    plain = user.get("token") or base64.b64decode(user["client-key-data"]).decode()
    lines = [line for line in plain.splitlines() if "-----" not in line]
    return [found for line in lines for found in (line, line.encode().hex())]


def test_a_cluster_is_registered_by_the_api(
    mcm: Client, cluster: RealCluster, kubeconfig: str
) -> None:
    answer = posted(mcm, kubeconfig, region="test-1")
    assert answer.status_code == 201
    said = answer.json()
    stored = Cluster.objects.get()
    assert said == {
        "id": str(stored.pk), "name": "new", "environment": "dev", "region": "test-1",
        "version": cluster.api.get("/version")["gitVersion"], "nodeCount": 3, "status": "active",
        "statusReason": "", "freshness": "unknown", "observedAt": None,
        "identityMode": "impersonation",
    }  # fmt: skip
    assert mcm.get(f"{API}/{stored.pk}").json() == said
    assert mcm.get(API).json() == {"clusters": [said], "total": 1}
    assert stored.system_uid
    assert (stored.credential_kind, stored.credential_expires) != ("", None)
    assert stored.rights["kinds"]["Secret"] is True
    assert stored.certificate_expires
    assert stored.has_metrics == stored.rights["metrics"]
    assert stored.connection.server == json.loads(kubeconfig)["clusters"][0]["cluster"]["server"]


def test_a_cluster_is_registered_by_an_upload(mcm: Client, kubeconfig: str) -> None:
    upload = SimpleUploadedFile("config.yaml", kubeconfig.encode())
    assert mcm.post(API, wanted(upload)).status_code == 201
    assert Cluster.objects.get().status == "active"


def test_a_cluster_is_registered_on_the_page(mcm: Client, kubeconfig: str) -> None:
    answer = mcm.post("/clusters/register/", wanted(kubeconfig))
    stored = Cluster.objects.get()
    assert answer.headers["Location"] == f"/clusters/{stored.pk}/"
    assert b"is registered" in mcm.get(answer.headers["Location"]).content


def test_the_credentials_are_seen_nowhere(
    mcm: Client, cluster: RealCluster, kubeconfig: str
) -> None:
    assert len(secrets_of(kubeconfig)) > 2
    answer = posted(mcm, kubeconfig)
    pages = [answer, mcm.get(f"{API}/{answer.json()['id']}"), mcm.get("/"), mcm.get("/clusters/")]
    pages.append(mcm.get(f"/clusters/{answer.json()['id']}/"))
    told = everything_stored() + "".join(page.content.decode() for page in pages)
    assert "cluster.register" in told
    for secret in secrets_of(kubeconfig):
        assert secret not in told
    assert Cluster.objects.get().connection.key


def failure(mcm: Client, kubeconfig: Any, status: int, field: str | None, **fields: Any) -> str:
    """The error; also that it has its shape, shows no secret, and that nothing is stored."""
    events = AuditEvent.objects.count()
    answer = posted(mcm, kubeconfig, **fields)
    said = answer.json()
    assert (answer.status_code, set(said)) == (status, {"error", "fields"}), said
    assert list(said["fields"]) == ([field] if field else [])
    assert not Cluster.objects.exists()
    assert AuditEvent.objects.count() == events
    assert "planted" not in answer.content.decode()
    return str(said["error"])


BAD_USERS = {
    "exec": {"exec": {"command": "planted", "apiVersion": "client.authentication.k8s.io/v1"}},
    "auth-provider": {"auth-provider": {"name": "planted"}},
    "tokenFile": {"tokenFile": "/planted"},
    "client-key": {"client-certificate": "/planted", "client-key": "/planted"},
    "password": {"username": "planted", "password": "planted"},
}


@pytest.mark.parametrize("user", BAD_USERS.values(), ids=BAD_USERS)
def test_users_that_run_or_read_something_are_refused(
    user: dict[str, Any], mcm: Client, kubeconfig: str
) -> None:
    error = failure(mcm, changed(kubeconfig, user=user), 400, "kubeconfig")
    assert "users[0].user" in error


@pytest.mark.parametrize("text", ["{planted", "[]", "a: &a [*a]", "\x07", "planted", ""], ids=repr)
def test_what_is_no_kubeconfig_is_refused(text: str, mcm: Client, kubeconfig: str) -> None:
    failure(mcm, text, 400, "kubeconfig")


def test_paths_and_insecure_clusters_are_refused(mcm: Client, kubeconfig: str) -> None:
    path = {"certificate-authority": "/planted"}
    assert "kubectl config view" in failure(
        mcm, changed(kubeconfig, cluster=path), 400, "kubeconfig"
    )
    blind = {"insecure-skip-tls-verify": True}
    assert "verified" in failure(mcm, changed(kubeconfig, cluster=blind), 400, "kubeconfig")


def test_an_unknown_context_is_refused(mcm: Client, kubeconfig: str) -> None:
    assert "context" in failure(mcm, kubeconfig, 400, "kubeconfig", context="none")


def test_a_wrong_authority_is_named(mcm: Client, kubeconfig: str) -> None:
    other = base64.b64encode(Authority().pem.encode()).decode()
    wrong = changed(kubeconfig, cluster={"certificate-authority-data": other})
    assert "certificate" in failure(mcm, wrong, 502, None)


def test_a_key_that_is_not_the_certificates_is_refused(mcm: Client, kubeconfig: str) -> None:
    pair = Authority().sign("somebody")
    user = json.loads(kubeconfig)["users"][0]["user"]
    user["client-key-data"] = base64.b64encode(pair.key.encode()).decode()
    answer = posted(mcm, changed(kubeconfig, user=user))
    assert answer.status_code in {400, 502}
    assert not Cluster.objects.exists()


def test_a_closed_port_is_a_502(mcm: Client, kubeconfig: str, closed_port: int) -> None:
    error = failure(mcm, to_port(kubeconfig, closed_port), 502, None)
    assert error == "The cluster refuses connections: nothing listens at its address."


@pytest.mark.parametrize(
    "server", ["https://169.254.169.254", "https://[fe80::1]"], ids=["v4", "v6"]
)
def test_the_metadata_service_is_never_asked(server: str, mcm: Client, kubeconfig: str) -> None:
    answer = posted(mcm, changed(kubeconfig, cluster={"server": server}))
    assert answer.status_code in {400, 502}
    assert not Cluster.objects.exists()


def test_a_black_hole_is_a_504_in_time(
    mcm: Client, kubeconfig: str, black_hole: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = kube.Client.__init__
    monkeypatch.setattr(
        kube.Client, "__init__", lambda self, *args, **_: slow(self, *args, deadline=0.5)
    )
    begun = time.monotonic()
    failure(mcm, to_port(kubeconfig, black_hole), 504, None)
    assert time.monotonic() - begun < 5


def test_a_token_that_the_cluster_does_not_know_is_a_400(mcm: Client, kubeconfig: str) -> None:
    stranger = changed(kubeconfig, user={"token": "planted-unknown-token"})
    assert "does not accept these credentials" in failure(mcm, stranger, 400, "kubeconfig")


def test_an_account_without_rights_is_a_400(mcm: Client, cluster: RealCluster) -> None:
    assert "forbid" in failure(mcm, cluster.token_kubeconfig("limited"), 400, "kubeconfig").lower()


def test_a_taken_name_is_a_409(mcm: Client, kubeconfig: str, prod: Cluster) -> None:
    answer = posted(mcm, kubeconfig, name="prod")
    assert answer.status_code == 409
    assert answer.json()["error"] == "A cluster named prod is registered already."
    assert Cluster.objects.count() == 1


def test_a_name_taken_meanwhile_is_a_409_too(
    mcm: Client, admin: User, kubeconfig: str, prod: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(services, "refuse_taken_name", lambda name: None)
    with transaction.atomic(), pytest.raises(RegistrationFailed) as caught:
        services.register(Registration("prod", Environment.DEV, kubeconfig), by=admin)
    assert (caught.value.step, caught.value.field) == ("store", "name")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("colour", "red"), ("name", "-x"), ("name", "A"), ("name", "x" * 64), ("name", "a b"),
        ("name", "a\0"), ("name", None), ("environment", "test"), ("region", "x" * 64),
        ("kubeconfig", 7.5), ("kubeconfig", ["x"]), ("kubeconfig", "x" * 300_000),
    ],
    ids=lambda value: repr(value)[:20],
)  # fmt: skip
def test_a_bad_field_is_named(field: str, value: Any, mcm: Client, kubeconfig: str) -> None:
    fields = {"kubeconfig": kubeconfig, field: value}
    failure(mcm, fields.pop("kubeconfig"), 400, field, **fields)


def test_the_page_names_a_taken_name(mcm: Client, kubeconfig: str, prod: Cluster) -> None:
    answer = mcm.post("/clusters/register/", wanted(kubeconfig, name="prod"))
    assert answer.status_code == 422
    assert "name" in answer.context["form"].errors
