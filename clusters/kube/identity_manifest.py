"""The RBAC by which a cluster knows the people of MCM: whom MCM's account may impersonate, and
what each of them may do there.

RBAC knows no prefixes and no patterns: every name stands in it, so it is made from the roster and
changes with it. All objects carry the labels of one registration, so that what is left of an
earlier roster is found.
"""

import hashlib
from collections.abc import Collection, Iterator
from typing import Any, NamedTuple

import yaml

from clusters.kube import roles
from clusters.kube.manifest import ACCOUNT, NAMESPACE
from clusters.kube.roster import ROLES, Held, Roster

VERSION = "rbac.authorization.k8s.io/v1"
API_GROUP = "rbac.authorization.k8s.io"
APPLY = "kubectl apply --filename mcm-identity.yaml"
# As whom MCM's account signs in where nobody has asked the cluster yet.
USUAL_ACCOUNT = f"system:serviceaccount:{NAMESPACE}:{ACCOUNT}"
_SERVICE_ACCOUNT = "system:serviceaccount:"
_HEAD = """\
# Made by MCM from the grants on this cluster. Apply it as an admin of the cluster:
#   {apply}
# When grants, members or names change, MCM shows that it must be applied again.

"""

Object = dict[str, Any]


class Part(NamedTuple):
    """One object and why it is there."""

    why: str
    body: Object


class Registration(NamedTuple):
    """The cluster as MCM registered it: `key` is its id, `account` what MCM signs in as."""

    key: str
    account: str
    custom: Collection[roles.Custom] = ()

    @property
    def prefix(self) -> str:
        """Begins the names of all objects: a cluster may be registered twice."""
        return f"mcm:{self.key[:8]}:"

    @property
    def labels(self) -> dict[str, str]:
        return {"app.kubernetes.io/managed-by": "mcm", "app.kubernetes.io/instance": self.key}


def parts(roster: Roster, at: Registration) -> list[Part]:
    """All objects, in the order in which they are applied."""
    return [*_impersonation(roster, at), *_roles(roster, at), *_bindings(roster, at)]


def text(roster: Roster, at: Registration) -> str:
    """The YAML to apply."""
    return _HEAD.format(apply=APPLY) + "---\n".join(map(_document, parts(roster, at)))


def _document(part: Part) -> str:
    body = yaml.safe_dump(part.body, sort_keys=False, width=100, default_flow_style=None)
    return f"# {part.why}\n{body}"


def digest(roster: Roster, at: Registration) -> str:
    """Changes whenever the manifest does."""
    return hashlib.sha256(text(roster, at).encode()).hexdigest()


def _impersonation(roster: Roster, at: Registration) -> Iterator[Part]:
    name = f"{at.prefix}impersonate"
    yield Part(
        "whom MCM's account may impersonate: these, and nobody else",
        _object("ClusterRole", name, at, rules=list(_named(roster))),
    )
    yield Part("for MCM's account", _bound(name, name, _account(at.account), at))


def _named(roster: Roster) -> Iterator[roles.Rule]:
    for resource, names in (("users", roster.users), ("groups", roster.groups)):
        # Without names a rule would mean everybody.
        if names:
            yield roles.rule("", [resource], ["impersonate"]) | {"resourceNames": names}
    # By which MCM sees whether these objects are right.
    yield roles.rule(
        API_GROUP, ["clusterroles", "clusterrolebindings", "rolebindings"], ["get", "list"]
    )


def _roles(roster: Roster, at: Registration) -> Iterator[Part]:
    used = {(held.role, not held.namespace) for held in roster.held}
    for whole, where in ((False, "a namespace"), (True, "a whole cluster")):
        for role in ROLES:
            if (role, whole) in used:
                rules = roles.rules(role, whole=whole, custom=at.custom)
                yield Part(
                    f"what the role {role} allows in {where}",
                    _object("ClusterRole", _role_name(role, whole, at), at, rules=rules),
                )


def _bindings(roster: Roster, at: Registration) -> Iterator[Part]:
    for held in roster.held:
        role = _role_name(held.role, not held.namespace, at)
        where = held.namespace or "the whole cluster"
        yield Part(
            f"{held.team}, {held.role} in {where}",
            _bound(_binding_name(held, at), role, _group(held.group), at, held.namespace),
        )
    if roster.admins_group:
        yield Part(
            "platform admins of MCM may do everything; turn this off on the page of the cluster"
            " where they shall not",
            _bound(f"{at.prefix}platform-admins", "cluster-admin", _group(roster.admins_group), at),
        )


def _role_name(role: str, whole: bool, at: Registration) -> str:
    return f"{at.prefix}{'cluster' if whole else 'namespace'}-{role}"


def _binding_name(held: Held, at: Registration) -> str:
    return f"{at.prefix}{held.team}:{held.role}"


def _object(kind: str, name: str, at: Registration, namespace: str = "", **more: Any) -> Object:
    place = {"namespace": namespace} if namespace else {}
    metadata = {"name": name, **place, "labels": at.labels}
    return {"apiVersion": VERSION, "kind": kind, "metadata": metadata, **more}


def _bound(name: str, role: str, subject: Object, at: Registration, namespace: str = "") -> Object:
    kind = "RoleBinding" if namespace else "ClusterRoleBinding"
    reference = {"apiGroup": API_GROUP, "kind": "ClusterRole", "name": role}
    return _object(kind, name, at, namespace, roleRef=reference, subjects=[subject])


def _group(name: str) -> Object:
    return {"apiGroup": API_GROUP, "kind": "Group", "name": name}


def _account(name: str) -> Object:
    namespace, _, account = name.removeprefix(_SERVICE_ACCOUNT).partition(":")
    if name.startswith(_SERVICE_ACCOUNT) and account:
        return {"kind": "ServiceAccount", "name": account, "namespace": namespace}
    return {"apiGroup": API_GROUP, "kind": "User", "name": name}
