"""Every kind of request with every role: MCM's grants are the first lock."""

from typing import Any, NamedTuple

import pytest
from django.test import Client

from clusters.kube.request_info import read
from clusters.models import Cluster, Namespace
from clusters.store import identity
from kubectl import access
from kubectl.access import NO_CLUSTER, Refused, admit
from kubectl.consumers.asked import status_headers
from teams import services
from teams.audit import context
from teams.audit.context import Origin
from teams.models import Token, User
from teams.roles import Role
from teams.throttles import Throttle
from tests import factories
from tests.kubectl.conftest import token_of

ROLES = ("outsider", "shop_viewer", "shop_operator", "viewer", "operator", "owner", "admin")
SHOP, BANK = "/api/v1/namespaces/shop", "/api/v1/namespaces/bank"
RBAC = "/apis/rbac.authorization.k8s.io/v1"
REVIEWS = "/apis/authorization.k8s.io/v1"


class Case(NamedTuple):
    """A request, and who may send it."""

    method: str
    path: str
    answers: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


#    method    path                                            out s_vw s_op view oper own admin
CASES = [
    Case("GET",    "/version",                                  "404 200 200 200 200 200 200"),
    Case("GET",    "/api",                                      "404 200 200 200 200 200 200"),
    Case("GET",    "/apis/apps/v1",                             "404 200 200 200 200 200 200"),
    Case("GET",    "/openapi/v3",                               "404 200 200 200 200 200 200"),
    Case("POST",   f"{REVIEWS}/selfsubjectaccessreviews",       "404 200 200 200 200 200 200"),
    Case("GET",    "/metrics",                                  "404 403 403 403 403 200 200"),
    Case("POST",   "/version",                                  "404 403 403 403 403 200 200"),
    Case("GET",    f"{SHOP}/pods",                              "404 200 200 200 200 200 200"),
    Case("GET",    SHOP,                                        "404 200 200 200 200 200 200"),
    Case("GET",    f"{SHOP}/pods/a",                            "404 200 200 200 200 200 200"),
    Case("GET",    f"{SHOP}/pods/a/status",                     "404 200 200 200 200 200 200"),
    Case("GET",    f"{SHOP}/secrets",                           "404 403 200 403 200 200 200"),
    Case("GET",    f"{SHOP}/pods/a/log",                        "404 403 200 403 200 200 200"),
    Case("GET",    f"{SHOP}/pods/a/exec",                       "404 403 200 403 200 200 200"),
    Case("POST",   f"{SHOP}/pods/a/attach",                     "404 403 200 403 200 200 200"),
    Case("GET",    f"{SHOP}/pods/a/portforward",                "404 403 200 403 200 200 200"),
    Case("GET",    f"{SHOP}/services/a/proxy/x",                "404 403 200 403 200 200 200"),
    Case("POST",   f"{SHOP}/pods",                              "404 403 200 403 200 200 200"),
    Case("DELETE", f"{SHOP}/pods/a",                            "404 403 200 403 200 200 200"),
    Case("DELETE", f"{SHOP}/pods",                              "404 403 200 403 200 200 200"),
    Case("PATCH",  "/apis/apps/v1/namespaces/shop/deployments/a", "404 403 200 403 200 200 200"),
    Case("POST",   f"{RBAC}/namespaces/shop/rolebindings",      "404 403 403 403 403 200 200"),
    Case("GET",    f"{RBAC}/namespaces/shop/rolebindings",      "404 200 200 200 200 200 200"),
    Case("PUT",    f"{SHOP}/resourcequotas/a",                  "404 403 403 403 403 200 200"),
    Case("POST",   f"{SHOP}/serviceaccounts/a/token",           "404 403 403 403 403 200 200"),
    Case("POST",   f"{REVIEWS}/namespaces/shop/localsubjectaccessreviews",
                                                                "404 403 403 403 403 200 200"),
    Case("DELETE", SHOP,                                        "404 403 403 403 403 200 200"),
    Case("GET",    f"{BANK}/pods",                              "404 403 403 200 200 200 200"),
    Case("POST",   f"{BANK}/pods",                              "404 403 403 403 200 200 200"),
    Case("GET",    "/api/v1/namespaces/nowhere/pods",           "404 403 403 200 200 200 200"),
    Case("GET",    "/api/v1/pods",                              "404 403 403 200 200 200 200"),
    Case("GET",    "/api/v1/namespaces",                        "404 403 403 200 200 200 200"),
    Case("GET",    "/api/v1/nodes",                             "404 403 403 200 200 200 200"),
    Case("GET",    "/api/v1/secrets",                           "404 403 403 403 200 200 200"),
    Case("PATCH",  "/api/v1/nodes/a",                           "404 403 403 403 403 200 200"),
    Case("GET",    "/api/v1/nodes/a/proxy/pods",                "404 403 403 403 403 200 200"),
    Case("GET",    f"{SHOP}/nodes/a/proxy/pods",                "404 403 403 403 403 200 200"),
    Case("POST",   "/api/v1/namespaces",                        "404 403 403 403 403 200 200"),
    Case("POST",   f"{RBAC}/clusterrolebindings",               "404 403 403 403 403 200 200"),
]  # fmt: skip


@pytest.fixture
def people(request: pytest.FixtureRequest, shop: Namespace, bank: Namespace) -> dict[str, User]:
    return {role: request.getfixturevalue(role) for role in ROLES}


def status(token: str, method: str, path: str) -> int:
    try:
        admit(f"Bearer {token}", "prod", read(method, path, ""))
    except Refused as refused:
        return refused.status
    return 200


def test_each_role_gets_its_answer(people: dict[str, User]) -> None:
    tokens = {role: token_of(user) for role, user in people.items()}
    for case in CASES:
        found = [status(tokens[role], case.method, case.path) for role in ROLES]
        assert found == list(map(int, case.answers.split())), case


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer x", "Bearer a b", "Basic eA==", "Bearer é"])
def test_nothing_but_a_token_signs_in(prod: Cluster, sent: str) -> None:
    with pytest.raises(Refused) as caught:
        admit(sent, "prod", read("GET", "/api", ""))
    assert caught.value.status == 401


def test_a_missing_cluster_and_a_foreign_one_read_the_same(outsider: User, prod: Cluster) -> None:
    said = set()
    for name in ("prod", "none"):
        with pytest.raises(Refused) as caught:
            admit(f"Bearer {token_of(outsider)}", name, read("GET", "/api", ""))
        said.add((caught.value.status, str(caught.value)))
    assert said == {(404, NO_CLUSTER)}


def test_a_missing_namespace_and_a_foreign_one_read_the_same(
    shop_viewer: User, bank: Namespace
) -> None:
    said = []
    for name in ("bank", "void"):
        info = read("GET", f"/api/v1/namespaces/{name}/pods", "")
        with pytest.raises(Refused) as caught:
            admit(f"Bearer {token_of(shop_viewer)}", "prod", info)
        said.append(str(caught.value).replace(name, "NAME"))
    assert said[0] == said[1]
    assert 'list pods in the namespace "NAME" of "prod"' in said[0]
    assert "the role viewer" in said[0]


def test_the_cluster_sees_the_person_with_each_grant_there(
    prod: Cluster, shop: Namespace, other: Cluster
) -> None:
    user = factories.UserFactory.create(username="ada")
    for role, scope, team in (
        (Role.VIEWER, prod, "all"), (Role.OPERATOR, shop, "shops"), (Role.ADMIN, other, "others"),
    ):  # fmt: skip
        services.grant(factories.team(team, user), role, scope, by=None)
    found = identity.person(user, prod)
    assert found.user == "mcm:ada"
    assert found.groups == ("mcm:team:all:viewer", "mcm:team:shops:operator:shop")


def test_a_name_that_no_header_carries_is_written_in_per_cent(prod: Cluster) -> None:
    user = factories.UserFactory.create(username="åsa")
    factories.give(user, Role.VIEWER, prod)
    passed = admit(f"Bearer {token_of(user)}", "prod", read("GET", "/api", ""))
    assert passed.identity.user == "mcm:%C3%A5sa"


def test_who_calls_too_often_waits(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "allow_request", lambda *_: False)
    with pytest.raises(Refused) as caught:
        access.admit_new(f"Bearer {token_of(viewer)}", "prod", read("GET", "/api", ""))
    assert caught.value.status == 429


def test_calls_are_counted_by_token(viewer: User, monkeypatch: pytest.MonkeyPatch) -> None:
    keys: list[Any] = []

    def note(self: Any, request: Any, view: Any) -> bool:
        keys.append(self.get_cache_key(request, view))
        return True

    monkeypatch.setattr(Throttle, "allow_request", note)
    access.admit_new(f"Bearer {token_of(viewer)}", "prod", read("GET", "/api", ""))
    assert keys == [f"token:{Token.objects.get().pk}"]


@pytest.fixture
def two_strangers_an_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = {"user": "100/hour", "costly": "100/hour", "stranger": "2/hour"}
    monkeypatch.setattr(Throttle, "THROTTLE_RATES", rates)
    # An hour of its own: what other tests counted is not this one's.
    monkeypatch.setattr(Throttle, "timer", lambda _self: 3600 * 700_000 + 600.0)


def tried(sent: str, address: str, *, begins: bool = True) -> Refused:
    with context.acting(Origin(via="kubectl", address=address)), pytest.raises(Refused) as caught:
        admit(sent, "prod", read("GET", "/api", ""), begins=begins)
    return caught.value


@pytest.mark.usefixtures("two_strangers_an_hour")
def test_who_tries_tokens_is_slowed_down_and_whose_opens_is_not(
    viewer: User, client: Client
) -> None:
    here = "203.0.113.9"
    # Streams that are looked after are no new tries.
    assert {tried("Bearer x", here, begins=False).status for _ in range(4)} == {401}
    told = [tried(f"Bearer {text}", here) for text in ("x", "y", "z")]
    assert [each.status for each in told] == [401, 401, 429]
    assert told[2].wait == 3000
    assert (b"retry-after", b"3000") in status_headers(told[2], b"")
    assert tried("", here).status == 429
    # One count for the API and for kubectl, and one for each address.
    wrong = {"Authorization": "Bearer x"}
    assert client.get("/api/v1/clusters", headers=wrong, REMOTE_ADDR=here).status_code == 429
    assert tried("Bearer x", "203.0.113.10").status == 401
    with context.acting(Origin(via="kubectl", address=here)):
        assert access.admit_new(f"Bearer {token_of(viewer)}", "prod", read("GET", "/api", ""))
