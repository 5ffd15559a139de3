"""People in a real cluster: its audit log names them, and its RBAC lets nobody else be named."""

import secrets
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import yaml
from django.test import Client

from clusters.kube import errors, kubeconfig, manifest
from clusters.kube.client import Client as KubeClient
from clusters.kube.types import SERVICE_ACCOUNT, Identity
from clusters.models import Cluster, IdentityMode, IdentityState, Namespace
from clusters.services import identity as services
from clusters.store import identity
from deployments import services as deployments
from deployments.services import InstallRequest
from operations import executor
from operations.models import Operation
from teams import services as teams
from teams.models import User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from testbed.waiting import wait_until
from tests import factories
from tests.helm.archives import DEPLOYMENT, chart
from tests.helm.releases import DEMO

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]

RBAC = "/apis/rbac.authorization.k8s.io/v1"


@pytest.fixture
def account(cluster: RealCluster) -> Iterator[str]:
    """The name of a service account for MCM, which watches and no more."""
    name = f"mcm-{secrets.token_hex(4)}"
    text = manifest.manifest(["watch", "metrics", "secrets"])
    objects = [each for each in yaml.safe_load_all(text) if each["kind"] != "Namespace"]
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    for each in [space, *objects]:
        each["metadata"]["name"] = name
        if "namespace" in each["metadata"]:
            each["metadata"]["namespace"] = name
        for subject in each.get("subjects", []):
            subject |= {"name": name, "namespace": name}
        if "roleRef" in each:
            each["roleRef"]["name"] = name
        cluster.api.apply(each)
    yield name
    for path in (f"{RBAC}/clusterrolebindings", f"{RBAC}/clusterroles", "/api/v1/namespaces"):
        cluster.api.delete(f"{path}/{name}")


@pytest.fixture
def real(db: None, cluster: RealCluster, account: str) -> Iterator[Cluster]:
    """The test cluster, registered with that account, where people are impersonated."""
    made = factories.ClusterFactory.create(
        name="real",
        connection=kubeconfig.parse(cluster.account_kubeconfig(account, account)),
        identity_mode=IdentityMode.IMPERSONATION,
        rights={"account": f"system:serviceaccount:{account}:{account}"},
    )
    yield made
    for kind in ("clusterrolebindings", "clusterroles"):
        label = f"app.kubernetes.io/instance={made.pk}"
        cluster.api.delete(f"{RBAC}/{kind}", labelSelector=label)


@pytest.fixture
def space(real: Cluster, namespace: str) -> Namespace:
    return factories.NamespaceFactory.create(cluster=real, name=namespace)


@pytest.fixture
def tenant(space: Namespace) -> User:
    """Operates one namespace."""
    user = factories.UserFactory.create(username=f"tenant-{secrets.token_hex(3)}")
    factories.give(user, Role.OPERATOR, space)
    return user


@pytest.fixture
def operator(real: Cluster) -> User:
    """Operates the whole cluster."""
    user = factories.UserFactory.create(username=f"operator-{secrets.token_hex(3)}")
    factories.give(user, Role.OPERATOR, real)
    return user


@pytest.fixture
def owner(real: Cluster) -> User:
    """Administers the whole cluster."""
    user = factories.UserFactory.create(username=f"owner-{secrets.token_hex(3)}")
    factories.give(user, Role.ADMIN, real)
    return user


Applied = Callable[[], None]


@pytest.fixture
def applied(real: Cluster, cluster: RealCluster, owner: User) -> Applied:
    """Applies the manifest as the page gives it, until the authorizer has heard of it."""

    def apply() -> None:
        for each in yaml.safe_load_all(identity.manifest(real)):
            cluster.api.apply(each)
        wait_until(lambda: services.check(real, by=owner).fits, "the new rules", timeout=60)
        real.refresh_from_db()

    return apply


def installed(
    real: Cluster, namespace: str, what: Any, by: User, release: str = "web"
) -> Operation:
    wanted = InstallRequest(real, namespace, release, what, timeout=60)
    operation = deployments.request_install(wanted, by=by)
    executor.run(str(operation.pk))
    operation.refresh_from_db()
    return operation


def as_whom(cluster: RealCluster, namespace: str, resource: str, *verbs: str) -> set[Any]:
    """User and MCM's groups of each event of the audit log; None for the account itself."""
    found = set()
    for event in cluster.audit():
        what = event.get("objectRef", {})
        where = (what.get("namespace"), what.get("resource"))
        if where == (namespace, resource) and event["verb"] in verbs:
            person = event.get("impersonatedUser")
            groups = tuple(g for g in (person or {}).get("groups", ()) if g.startswith("mcm:"))
            found.add((person["username"], groups) if person else None)
    return found


def test_an_install_and_a_read_bear_the_persons_name(
    real: Cluster, tenant: User, applied: Applied, cluster: RealCluster, space: Namespace,
    client: Client,
) -> None:  # fmt: skip
    applied()
    made = installed(real, space.name, deployments.upload_chart(DEMO, by=tenant), tenant)
    assert made.status == "succeeded", made.error
    me = {(f"mcm:{tenant.username}", (f"mcm:team:{tenant.teams.get()}:operator:{space.name}",))}
    assert as_whom(cluster, space.name, "deployments", "create", "patch") == me
    client.force_login(tenant)
    answer = client.get(f"/api/v1/clusters/{real.pk}/resources")
    assert answer.status_code == 200, answer.json()
    assert answer.json()["nodes"] == []
    read = {
        (event["impersonatedUser"]["username"], event["objectRef"].get("namespace"))
        for event in cluster.audit()
        if event.get("objectRef", {}).get("apiGroup") == "metrics.k8s.io"
        and event.get("impersonatedUser", {}).get("username") == f"mcm:{tenant.username}"
    }
    assert read == {(f"mcm:{tenant.username}", space.name)}


def test_who_holds_the_whole_cluster_is_named_too(
    real: Cluster, owner: User, applied: Applied, cluster: RealCluster, client: Client
) -> None:
    applied()
    name = f"new-{secrets.token_hex(3)}"
    made = installed(real, name, deployments.upload_chart(DEMO, by=owner), owner)
    assert made.status == "succeeded", made.error
    me = {(f"mcm:{owner.username}", (f"mcm:team:{owner.teams.get()}:admin",))}
    assert as_whom(cluster, name, "deployments", "create", "patch") == me
    client.force_login(owner)
    assert client.get(f"/clusters/{real.pk}/kinds/").context["failure"] == ""
    answer = client.get(f"/api/v1/clusters/{real.pk}/resources")
    assert answer.status_code == 200, answer.json()
    cluster.api.delete(f"/api/v1/namespaces/{name}")


def test_an_operator_of_the_whole_cluster_installs_in_old_and_new_namespaces(
    real: Cluster, operator: User, applied: Applied, cluster: RealCluster, space: Namespace
) -> None:
    applied()
    demo = deployments.upload_chart(DEMO, by=operator)
    made = installed(real, space.name, demo, operator)
    assert made.status == "succeeded", made.error
    name = f"new-{secrets.token_hex(3)}"
    made = installed(real, name, demo, operator)
    assert made.status == "succeeded", made.error
    assert cluster.api.delete(f"/api/v1/namespaces/{name}")


def test_the_cluster_refuses_what_the_role_does_not_give(
    real: Cluster, tenant: User, applied: Applied, space: Namespace
) -> None:
    applied()
    role = "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: taken}\n"
    greedy = chart({**DEPLOYMENT, "templates/role.yaml": role})
    made = installed(real, space.name, deployments.upload_chart(greedy, by=tenant), tenant)
    assert made.status == "failed"
    assert "clusterroles" in made.error
    assert "tab Access, Identity" in made.error


def test_a_lost_namespace_is_closed_before_the_manifest_is_applied_again(
    real: Cluster, tenant: User, applied: Applied, cluster: RealCluster, space: Namespace
) -> None:
    name = f"lost-{secrets.token_hex(3)}"
    cluster.api.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    lost = factories.NamespaceFactory.create(cluster=real, name=name)
    grant = teams.grant(tenant.teams.get(), Role.OPERATOR, lost, by=None)
    applied()
    outside = f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: out, namespace: {name}}}\n"
    reaching = deployments.upload_chart(chart({"templates/config.yaml": outside}), by=tenant)
    made = installed(real, space.name, reaching, tenant)
    assert made.status == "succeeded", made.error
    cluster.api.delete(f"/api/v1/namespaces/{name}/configmaps/out")
    teams.revoke(grant, by=None)
    made = installed(real, space.name, reaching, tenant, release="again")
    assert made.status == "failed"
    assert "configmaps" in made.error
    cluster.api.delete(f"/api/v1/namespaces/{name}")


def test_a_cluster_that_was_not_told_refuses(
    real: Cluster, tenant: User, owner: User, space: Namespace
) -> None:
    made = installed(real, space.name, deployments.upload_chart(DEMO, by=tenant), tenant)
    assert made.status == "failed"
    assert f"mcm:{tenant.username}" in made.error
    found = services.check(real, by=owner)
    lacking = {(each.what, each.kind, each.name) for each in found.missing}
    assert ("impersonate", "User", f"mcm:{tenant.username}") in lacking
    assert (
        "impersonate",
        "Group",
        f"mcm:team:{tenant.teams.get()}:operator:{space.name}",
    ) in lacking
    assert found.excess == []
    real.refresh_from_db()
    assert real.identity_state == IdentityState.WRONG


class Raw(Identity, frozen=True):
    """Names that `Identity` refuses, to see what the cluster says of them."""

    def __post_init__(self) -> None:
        pass


@pytest.mark.parametrize(
    ("user", "groups"),
    [
        ("mcm:{tenant}", ("system:masters",)),
        ("mcm:{tenant}", ("mcm:platform-admins",)),
        ("mcm:{tenant}", ("mcm:team:somebody:admin",)),
        ("system:admin", ()),
        ("system:serviceaccount:kube-system:default", ()),
        ("mcm:{outsider}", ()),
        ("admin", ()),
    ],
)
def test_the_account_can_be_nobody_else(
    user: str, groups: tuple[str, ...], real: Cluster, tenant: User, applied: Applied
) -> None:
    applied()
    outsider = factories.UserFactory.create()
    name = user.format(tenant=tenant.username, outsider=outsider.username)
    raw = Raw(name, groups)
    with KubeClient(real.connection, raw) as client, pytest.raises(errors.Forbidden) as refusal:
        client.version()
    assert "impersonate" in str(refusal.value)
    # The person's own name is taken by the same account.
    with KubeClient(real.connection, identity.person(tenant, real)) as client:
        assert client.version().git_version


def test_the_check_tells_what_is_missing_and_too_much(
    real: Cluster, tenant: User, owner: User, applied: Applied, cluster: RealCluster,
    space: Namespace,
) -> None:  # fmt: skip
    applied()
    assert real.identity_fits
    team = tenant.teams.get()
    prefix = f"mcm:{str(real.pk)[:8]}:"
    # A binding is taken away by hand, a role is widened, and a grant is revoked and another made.
    cluster.api.delete(f"{RBAC}/clusterrolebindings/{prefix}{owner.teams.get()}:admin")
    role = f"{RBAC}/clusterroles/{prefix}namespace-operator"
    cluster.api.patch(role, {"rules": [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]})
    factories.give(tenant, Role.OPERATOR, space)
    found = services.check(real, by=owner)
    what = {(each.what, each.kind) for each in found.missing}
    assert what == {
        ("absent", "ClusterRoleBinding"), ("differs", "ClusterRole"), ("absent", "RoleBinding"),
        ("impersonate", "Group"),
    }  # fmt: skip
    assert found.excess == []
    applied()
    for grant in team.grants.all():
        teams.revoke(grant, by=None)
    found = services.check(real, by=owner)
    left = {(each.what, each.kind, each.namespace) for each in found.excess}
    assert ("left", "RoleBinding", space.name) in left
    assert ("impersonate", "Group", "") in left
    assert Cluster.objects.get().identity_state == IdentityState.WRONG


def test_an_account_with_all_rights_is_told_to_have_too_much(
    cluster: RealCluster, real: Cluster, owner: User
) -> None:
    real.connection = kubeconfig.parse(cluster.kubeconfig)
    real.save()
    found = services.check(real, by=owner)
    assert found.account == "admin"
    assert {(each.kind, each.name) for each in found.excess} >= {("User", ""), ("Group", "")}


def test_without_the_right_to_read_bindings_people_are_asked(
    real: Cluster, tenant: User, owner: User, applied: Applied, cluster: RealCluster,
    space: Namespace,
) -> None:  # fmt: skip
    applied()
    role = f"{RBAC}/clusterroles/mcm:{str(real.pk)[:8]}:impersonate"
    rules = cluster.api.get(role)["rules"]
    only = [rule for rule in rules if rule["verbs"] == ["impersonate"]]
    cluster.api.patch(role, {"rules": only})
    with KubeClient(real.connection, SERVICE_ACCOUNT) as client:

        def refused() -> bool:
            try:
                client.get(f"{RBAC}/clusterroles")
            except errors.Forbidden:
                return True
            return False

        wait_until(refused, "the narrower role", timeout=20)
    assert services.check(real, by=owner).missing == []
    binding = f"mcm:{str(real.pk)[:8]}:{tenant.teams.get()}:operator"
    cluster.api.delete(f"{RBAC}/namespaces/{space.name}/rolebindings/{binding}")
    group = f"mcm:team:{tenant.teams.get()}:operator:{space.name}"

    def told() -> bool:
        missing = services.check(real, by=owner).missing
        return [(each.what, each.name, each.namespace) for each in missing] == [
            ("refused", group, space.name)
        ]

    wait_until(told, "the missing binding", timeout=20)
