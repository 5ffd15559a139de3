"""As whom a cluster sees people: chosen, audited, told, and known to have changed."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from clusters import tasks
from clusters.kube.identity_manifest import digest
from clusters.kube.types import SERVICE_ACCOUNT
from clusters.models import Cluster, IdentityMode, IdentityState, Namespace
from clusters.services import identity as services
from clusters.store import identity, queries, standing
from teams import services as teams
from teams.models import AuditEvent, Membership, User
from teams.roles import Role
from tests import factories

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _impersonating(prod: Cluster) -> None:
    prod.identity_mode = IdentityMode.IMPERSONATION
    prod.save()


def checked(cluster: Cluster) -> Cluster:
    """As after a check that found all in order."""
    cluster.identity_report = {"at": "2026-01-01T00:00:00+00:00", "account": "robot"}
    cluster.identity_fits = True
    cluster.identity_digest = digest(identity.roster(cluster), identity.registration(cluster))
    cluster.save()
    return cluster


def noted(cluster: Cluster) -> str:
    """The state as it is stored after the schedule has looked."""
    tasks.compare_rosters()
    return Cluster.objects.get(pk=cluster.pk).identity_state


def test_a_new_cluster_sees_people_and_a_registered_one_did_not() -> None:
    assert Cluster(name="new").impersonates


def test_a_person_has_a_group_for_each_grant(
    prod: Cluster, other: Cluster, shop: Namespace, viewer: User
) -> None:
    team = viewer.teams.get()
    teams.grant(team, Role.OPERATOR, shop, by=None)
    teams.grant(team, Role.ADMIN, other, by=None)
    made = identity.person(viewer, prod)
    assert made.user == "mcm:viewer"
    assert set(made.groups) == {f"mcm:team:{team}:viewer", f"mcm:team:{team}:operator:shop"}
    assert identity.person(viewer, other).groups == (f"mcm:team:{team}:admin",)


def test_nobody_outside_the_roster_is_anybody(prod: Cluster, outsider: User, viewer: User) -> None:
    for user in (outsider, factories.UserFactory.create()):
        with pytest.raises(PermissionDenied):
            identity.person(user, prod)
    viewer.is_active = False
    viewer.save()
    with pytest.raises(PermissionDenied):
        identity.person(viewer, prod)


def test_a_grant_whose_time_is_over_gives_no_group(prod: Cluster, viewer: User) -> None:
    past = timezone.now() - timedelta(seconds=1)
    teams.grant(viewer.teams.get(), Role.VIEWER, prod, ends=past, by=None)
    with pytest.raises(PermissionDenied):
        identity.person(viewer, prod)
    assert "mcm:viewer" not in identity.roster(prod).people


def test_platform_admins_have_a_group_of_their_own(prod: Cluster, admin: User) -> None:
    assert identity.person(admin, prod).groups == ("mcm:platform-admins",)
    assert identity.roster(prod).people["mcm:admin"] == ("mcm:platform-admins",)


def test_the_roster_gives_each_person_what_the_person_gets(
    prod: Cluster, shop_operator: User, viewer: User, owner: User, admin: User, outsider: User
) -> None:
    people = identity.roster(prod).people
    assert set(people) == {"mcm:shop-operator", "mcm:viewer", "mcm:owner", "mcm:admin"}
    for user in (shop_operator, viewer, owner, admin):
        assert identity.person(user, prod).groups == people[f"mcm:{user.username}"]


def test_names_in_any_script_are_names(prod: Cluster) -> None:
    user = factories.UserFactory.create(username="张三")
    factories.give(user, Role.VIEWER, prod)
    assert identity.person(user, prod).user == "mcm:%E5%BC%A0%E4%B8%89"


def test_as_whom_work_is_done(prod: Cluster, operator: User, shop_operator: User) -> None:
    for user in (operator, shop_operator):
        assert identity.for_work(user, prod).user == f"mcm:{user.username}"
        assert identity.for_reading(user, prod).user == f"mcm:{user.username}"
    prod.identity_mode = IdentityMode.SERVICE_ACCOUNT
    assert identity.for_work(operator, prod) == SERVICE_ACCOUNT
    # A chart may hold anything: only the cluster keeps it inside the namespace.
    assert identity.for_work(shop_operator, prod).user == "mcm:shop-operator"


def test_namespaces_that_are_gone_are_no_place(prod: Cluster, shop_operator: User) -> None:
    assert [held.namespace for held in identity.roster(prod).held] == ["shop"]
    factories.PodFactory.create(cluster=prod, kind="Namespace", name="bank", namespace="")
    assert identity.roster(prod).held == ()
    factories.PodFactory.create(cluster=prod, kind="Namespace", name="shop", namespace="")
    assert [held.namespace for held in identity.roster(prod).held] == ["shop"]


def test_choosing_leaves_a_trail(prod: Cluster, admin: User) -> None:
    services.choose(prod, mode=IdentityMode.SERVICE_ACCOUNT, by=admin)
    prod.refresh_from_db()
    assert not prod.impersonates
    row = AuditEvent.objects.filter(action="cluster.identity").get()
    assert row.detail == {"changes": {"identity_mode": ["impersonation", "service_account"]}}
    services.choose(prod, mode=IdentityMode.SERVICE_ACCOUNT, by=admin)
    assert AuditEvent.objects.filter(action="cluster.identity").count() == 1


def test_its_admins_choose_what_narrows_them(prod: Cluster, owner: User) -> None:
    with pytest.raises(PermissionDenied):
        services.choose(prod, mode=IdentityMode.SERVICE_ACCOUNT, by=owner)
    services.choose(prod, binds_platform_admins=False, by=owner)
    prod.refresh_from_db()
    assert (prod.impersonates, prod.binds_platform_admins) == (True, False)


def test_who_only_operates_may_not_choose(prod: Cluster, operator: User) -> None:
    with pytest.raises(PermissionDenied):
        services.choose(prod, mode=IdentityMode.SERVICE_ACCOUNT, by=operator)
    with pytest.raises(PermissionDenied):
        services.check(prod, by=operator)


def a_grant(prod: Cluster, user: User) -> None:
    factories.give(user, Role.VIEWER, prod)


def a_member(prod: Cluster, user: User) -> None:
    mate = Membership(team=user.teams.get(), user=factories.UserFactory.create())
    teams.save_membership(mate, by=None)


def a_name(prod: Cluster, user: User) -> None:
    user.username = "renamed"
    teams.save_user(user, by=None)


def a_team_name(prod: Cluster, user: User) -> None:
    team = user.teams.get()
    team.name = "renamed"
    teams.save_team(team, by=None)


def a_binding(prod: Cluster, user: User) -> None:
    services.choose(prod, binds_platform_admins=False, by=User.objects.get(is_superuser=True))


@pytest.mark.parametrize("change", [a_grant, a_member, a_name, a_team_name, a_binding])
def test_what_changes_the_roster_is_noticed(
    change: Any, prod: Cluster, viewer: User, admin: User
) -> None:
    checked(prod)
    assert noted(prod) == "right"
    change(prod, viewer)
    prod.refresh_from_db()
    assert identity.state(prod) == IdentityState.CHANGED  # the page knows at once
    assert noted(prod) == "changed"
    since = Cluster.objects.get(pk=prod.pk).identity_changed_at
    assert since is not None
    assert noted(prod) == "changed"
    assert Cluster.objects.get(pk=prod.pk).identity_changed_at == since


def test_what_is_changed_back_is_right_again(prod: Cluster, viewer: User) -> None:
    checked(prod)
    grant = factories.give(viewer, Role.OPERATOR, prod)
    assert noted(prod) == "changed"
    teams.revoke(grant, by=None)
    assert noted(prod) == "right"


def test_it_needs_attention_until_it_is_right(prod: Cluster, viewer: User) -> None:
    prod.observed_at = timezone.now()

    def words() -> list[str]:
        return [each.words for each in standing.entries([prod], {prod.pk})]

    assert words() == ["Nobody has checked whether it knows the people who act there"]
    assert list(standing.entries([prod], set())) == []
    checked(prod)
    assert words() == []
    a_grant(prod, viewer)
    tasks.compare_rosters()
    [found] = queries.clusters(viewer)
    prod.identity_changed_at = found.identity_changed_at
    assert words() == ["Who may act there has changed since the cluster was told"]


def test_the_page_has_the_manifest(prod: Cluster, owner: User, client: Client) -> None:
    client.force_login(owner)
    page = client.get(f"/clusters/{prod.pk}/identity/").content.decode()
    assert "mcm:owner" in page
    assert "Not checked yet" in page
    file = client.get(f"/clusters/{prod.pk}/identity/?download=1")
    assert "mcm-identity.yaml" in file.headers["Content-Disposition"]
    api = client.get(f"/api/v1/clusters/{prod.pk}/identity/manifest")
    assert file.content == api.content == identity.manifest(prod).encode()


def test_the_page_tells_each_finding(prod: Cluster, owner: User, client: Client) -> None:
    def finding(what: str, kind: str, name: str, namespace: str = "") -> dict[str, str]:
        return {"what": what, "kind": kind, "name": name, "namespace": namespace}

    checked(prod)
    prod.identity_fits = False
    prod.identity_report |= {
        "missing": [
            finding("impersonate", "User", "mcm:ann"),
            finding("absent", "RoleBinding", "mcm:x:shop:operator", "shop"),
            finding("differs", "ClusterRole", "mcm:x:cluster-viewer"),
            finding("refused", "viewer", "mcm:team:a:viewer"),
        ],
        "excess": [
            finding("impersonate", "Group", ""),
            finding("impersonate", "User", "mcm:<b>eve"),
            finding("left", "RoleBinding", "mcm:x:old:viewer", "bank"),
        ],
    }
    prod.save()
    client.force_login(owner)
    page = client.get(f"/clusters/{prod.pk}/identity/").content.decode()
    assert "may not act as this User" in page
    assert "This RoleBinding is not there." in page
    assert "This ClusterRole says something else." in page
    assert "does not hold Viewer in the whole cluster" in page
    assert "may act as anybody (Group)" in page
    assert "mcm:&lt;b&gt;eve" in page
    assert "kubectl delete rolebindings mcm:x:old:viewer --namespace bank" in page


def test_a_cluster_that_does_not_answer_is_told(prod: Cluster, owner: User, client: Client) -> None:
    client.force_login(owner)
    page = client.post(f"/clusters/{prod.pk}/identity/check/")
    assert page.status_code == 200
    assert b'role="alert"' in page.content
    prod.refresh_from_db()
    assert prod.identity_state == IdentityState.UNCHECKED


def test_production_asks_for_its_name(prod: Cluster, admin: User, client: Client) -> None:
    client.force_login(admin)
    url = f"/clusters/{prod.pk}/identity/mode/"

    def modes() -> tuple[str, bool]:
        return Cluster.objects.values_list("identity_mode", "binds_platform_admins").get()

    wanted = {"identity_mode": "service_account", "binds_platform_admins": "on"}
    answer = client.post(url, wanted)
    assert answer.status_code == 422
    assert b"This is not the cluster" in answer.content
    assert modes() == ("impersonation", True)
    assert client.post(url, {**wanted, "confirm_name": "prod"}).status_code == 302
    assert modes() == ("service_account", True)
    # The way back narrows: it needs no name.
    assert client.post(url, {"identity_mode": "impersonation"}).status_code == 302
    assert modes() == ("impersonation", False)


def test_the_mode_is_seen_everywhere(prod: Cluster, viewer: User, client: Client) -> None:
    client.force_login(viewer)
    tag = "The cluster sees people as MCM"
    addresses = (f"/clusters/{prod.pk}/", "/clusters/", f"/clusters/{prod.pk}/?tab=access")
    for address in addresses:
        assert tag not in client.get(address).content.decode(), address
    assert client.get(f"/api/v1/clusters/{prod.pk}").json()["identityMode"] == "impersonation"
    Cluster.objects.update(identity_mode=IdentityMode.SERVICE_ACCOUNT)
    for address in addresses:
        assert tag in client.get(address).content.decode(), address
