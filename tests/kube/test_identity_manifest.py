"""The RBAC of a roster: exact names, one binding a grant, and no more than each role needs."""

from typing import Any

import pytest
import yaml

from clusters.kube import identity_manifest, roles
from clusters.kube.identity_manifest import Registration
from clusters.kube.kinds import KINDS
from clusters.kube.roster import Held, Outside, Role, Roster

AT = Registration("0a1b2c3d-0000-4000-8000-000000000000", "system:serviceaccount:mcm-system:mcm")
SHOP = Held("shop", "operator", "mcm:team:shop:operator:shop", "shop")
OPS = Held("ops", "admin", "mcm:team:ops:admin")
ROSTER = Roster(
    people={"mcm:ann": (SHOP.group,), "mcm:bob": (OPS.group, "mcm:platform-admins")},
    held=(SHOP, OPS),
    admins_group="mcm:platform-admins",
)


def objects(roster: Roster = ROSTER, at: Registration = AT) -> dict[tuple[str, str], Any]:
    """What kubectl reads in the text, by kind and name without the registration's prefix."""
    found = [each for each in yaml.safe_load_all(identity_manifest.text(roster, at)) if each]
    assert all(each["metadata"]["labels"] == at.labels for each in found)
    return {
        (each["kind"], each["metadata"]["name"].removeprefix("mcm:0a1b2c3d:")): each
        for each in found
    }


def test_impersonation_is_by_exact_names() -> None:
    rules = objects()["ClusterRole", "impersonate"]["rules"]
    named = {each["resources"][0]: each for each in rules if each["verbs"] == ["impersonate"]}
    assert named["users"]["resourceNames"] == ["mcm:ann", "mcm:bob"]
    assert named["groups"]["resourceNames"] == ["mcm:platform-admins", OPS.group, SHOP.group]
    others = [each for each in rules if each["verbs"] != ["impersonate"]]
    assert all(each["verbs"] == ["get", "list"] for each in others)


def test_without_people_nobody_may_be_impersonated() -> None:
    empty = objects(Roster(people={}))
    # A rule without names would mean everybody.
    assert "impersonate" not in str(empty["ClusterRole", "impersonate"]["rules"])


def test_each_grant_has_a_binding_in_its_place() -> None:
    found = objects()
    binding = found["RoleBinding", "shop:operator"]
    assert binding["metadata"]["namespace"] == "shop"
    assert binding["roleRef"]["name"] == "mcm:0a1b2c3d:namespace-operator"
    assert binding["subjects"][0]["name"] == SHOP.group
    assert found["ClusterRoleBinding", "ops:admin"]["roleRef"]["name"].endswith(":cluster-admin")
    assert found["ClusterRoleBinding", "platform-admins"]["roleRef"]["name"] == "cluster-admin"
    account = found["ClusterRoleBinding", "impersonate"]["subjects"]
    assert account == [{"kind": "ServiceAccount", "name": "mcm", "namespace": "mcm-system"}]


def test_roles_that_nobody_holds_are_left_out() -> None:
    kinds = [key for key in objects() if key[0] == "ClusterRole"]
    assert {name for _, name in kinds} == {"impersonate", "namespace-operator", "cluster-admin"}
    without = objects(Roster(people=ROSTER.people, held=ROSTER.held))
    assert ("ClusterRoleBinding", "platform-admins") not in without


def test_an_account_of_another_kind_is_bound_as_a_user() -> None:
    found = objects(at=AT._replace(account="someone"))
    [subject] = found["ClusterRoleBinding", "impersonate"]["subjects"]
    assert (subject["kind"], subject["name"]) == ("User", "someone")


def test_odd_names_stay_names() -> None:
    odd = "mcm:a%E5%BC%A0@b.c"
    rules = objects(Roster(people={odd: (SHOP.group,)}))["ClusterRole", "impersonate"]["rules"]
    assert rules[0]["resourceNames"] == [odd]


def test_who_is_not_in_the_roster_is_no_identity() -> None:
    assert ROSTER.identity("mcm:ann").groups == (SHOP.group,)
    for user in ("mcm:eve", "system:admin"):
        with pytest.raises(Outside):
            ROSTER.identity(user)


def verbs(role: Role, *, whole: bool, custom: tuple[roles.Custom, ...] = ()) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for rule in roles.rules(role, whole=whole, custom=custom):
        for resource in rule["resources"]:
            found.setdefault(f"{resource}.{rule['apiGroups'][0]}", set()).update(rule["verbs"])
    return found


def test_viewers_see_all_kinds_but_secrets_and_change_nothing() -> None:
    for whole in (True, False):
        found = verbs("viewer", whole=whole)
        assert set().union(*found.values()) == {"get", "list", "watch"}
        assert not {"secrets.", "pods/log.", "pods/exec."} & found.keys()
    seen = {each.partition(".")[0] for each in verbs("viewer", whole=True)}
    assert {kind.path.rpartition("/")[2] for kind in KINDS.values()} - seen == {"secrets"}


def test_nothing_in_a_namespace_reaches_the_namespace_itself() -> None:
    for role in ("viewer", "operator", "admin"):
        found = verbs(role, whole=False)
        assert found["namespaces."] == {"get"}
        assert not {"nodes.", "persistentvolumes.", f"clusterroles.{roles.RBAC}"} & found.keys()


def test_only_admins_give_rights_away() -> None:
    for whole in (True, False):
        assert f"rolebindings.{roles.RBAC}" not in verbs("operator", whole=whole)
        assert "create" in verbs("admin", whole=whole)[f"rolebindings.{roles.RBAC}"]
    for role in ("operator", "admin"):
        assert not any("impersonate" in each for each in verbs(role, whole=True).values())
        assert not any("escalate" in each for each in verbs(role, whole=True).values())


def test_custom_resources_that_are_on_belong_to_it() -> None:
    custom = (roles.Custom("a.example", "things", True), roles.Custom("a.example", "worlds", False))
    seen = verbs("viewer", whole=False, custom=custom)
    assert seen["things.a.example"] == {"get", "list", "watch"}
    assert "worlds.a.example" not in seen
    assert "create" in verbs("operator", whole=True, custom=custom)["worlds.a.example"]
    digests = {identity_manifest.digest(ROSTER, AT._replace(custom=each)) for each in ((), custom)}
    assert len(digests) == 2
