"""The cluster lets nobody else be named; the check tells what it does not know of its people."""

import pytest

from clusters.kube import errors, kubeconfig
from clusters.kube.client import Client as KubeClient
from clusters.kube.types import SERVICE_ACCOUNT, Identity
from clusters.models import Cluster, IdentityState, Namespace
from clusters.services import identity as services
from clusters.store import identity
from deployments import services as deployments
from teams import services as teams
from teams.models import User
from teams.roles import Role
from testbed.cluster import Cluster as RealCluster
from testbed.waiting import wait_until
from tests import factories
from tests.clusters.identity.acting import RBAC, Applied, installed
from tests.helm.releases import DEMO

pytestmark = [pytest.mark.cluster, pytest.mark.django_db(transaction=True)]


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
