"""Whether a cluster knows the people of MCM as the roster wants: asked of the cluster itself."""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import msgspec

from clusters.kube import errors
from clusters.kube.client import Client
from clusters.kube.identity_manifest import (
    USUAL_ACCOUNT,
    VERSION,
    Object,
    Registration,
    digest,
    parts,
)
from clusters.kube.rights import Right, allowed, who_am_i
from clusters.kube.roster import Held, Roster
from clusters.kube.types import SERVICE_ACCOUNT, Connection, Identity

RULES = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
# A namespace that cannot be: rules of the whole cluster are those of every namespace.
NOWHERE = "-"
PLURALS = {
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "RoleBinding": "rolebindings",
}
# Names that nobody's account needs; who may take one of them may do anything.
NEVER = (("users", "system:admin"), ("groups", "system:masters"))
# What shows that a role is held, where bindings may not be read.
SIGNS = {
    "viewer": Right("list", "pods"),
    "operator": Right("create", "deployments", "apps"),
    "admin": Right("create", "rolebindings", "rbac.authorization.k8s.io"),
}
# One question each; what is beyond them is not known.
MOST_REVIEWS = 200
MOST_FINDINGS = 500
SECONDS = 15.0


class Finding(msgspec.Struct, frozen=True):
    """One thing that is missing or too much; `name` is empty where it is anybody.

    `what`: "impersonate" (a user or group of this name), "absent", "differs" or "left" (an object),
    "refused" (a group that does not hold its role in the namespace, or cluster).
    """

    what: str
    kind: str
    name: str
    namespace: str = ""


class Report(msgspec.Struct, frozen=True):
    """What the cluster said; `account` is as whom it knows MCM, `digest` of the manifest.

    `complete` is False where it did not answer everything: then nothing is known of the rest.
    """

    account: str
    digest: str
    missing: list[Finding]
    excess: list[Finding]
    complete: bool
    at: str

    @property
    def fits(self) -> bool:
        return self.complete and not (self.missing or self.excess)


class _Sought(msgspec.Struct):
    """What is found on the way."""

    missing: list[Finding] = []
    excess: list[Finding] = []
    complete: bool = True


def check(connection: Connection, roster: Roster, key: str, custom: Any = ()) -> Report:
    """Compares the cluster with the roster. KubeError when it cannot be asked at all."""
    found = _Sought()
    with Client(connection, SERVICE_ACCOUNT, budget=SECONDS) as client:
        me = who_am_i(client)
        made_of = Registration(key, me or USUAL_ACCOUNT, custom)
        _impersonation(client, roster, found)
        try:
            _objects(client, roster, made_of, found)
        except (errors.Forbidden, errors.NotFound):
            _people(connection, roster, found)
    return Report(
        account=me,
        digest=digest(roster, made_of),
        missing=found.missing[:MOST_FINDINGS],
        excess=found.excess[:MOST_FINDINGS],
        complete=found.complete,
        at=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def _impersonation(client: Client, roster: Roster, found: _Sought) -> None:
    rules, incomplete = _rules(client)
    for resource, kind, wanted in (
        ("users", "User", roster.users),
        ("groups", "Group", roster.groups),
    ):
        anyone, names = _impersonated(rules, resource)
        lacking = [] if anyone else sorted(set(wanted) - names)
        if incomplete:  # another authorizer than RBAC may allow it
            lacking = _reviewed(client, resource, lacking, found)
        found.missing += [Finding("impersonate", kind, name) for name in lacking]
        if anyone:
            found.excess.append(Finding("impersonate", kind, ""))
        found.excess += [Finding("impersonate", kind, name) for name in sorted(names - {*wanted})]
        never = [name for of, name in NEVER if of == resource and not anyone and name not in names]
        for name in never:
            if allowed(client, Right("impersonate", resource), name=name):
                found.excess.append(Finding("impersonate", kind, name))
    for resource in ("serviceaccounts", "uids", "userextras"):
        anyone, names = _impersonated(rules, resource)
        if anyone or names:
            found.excess.append(Finding("impersonate", resource, ""))


def _rules(client: Client) -> tuple[list[dict[str, Any]], bool]:
    answer = client.request("POST", RULES, {"spec": {"namespace": NOWHERE}})
    status = _dict(_dict(answer).get("status"))
    rules = status.get("resourceRules")
    return [_dict(each) for each in rules or []], status.get("incomplete") is True


def _impersonated(rules: Iterable[dict[str, Any]], resource: str) -> tuple[bool, set[str]]:
    """Whether anybody may be impersonated, and otherwise these names."""
    names: set[str] = set()
    for rule in rules:
        groups, resources, verbs = (
            {*map(str, rule.get(part) or [])} for part in ("apiGroups", "resources", "verbs")
        )
        of = {each.partition("/")[0] for each in resources}
        fits = of & {resource, "*"} and groups & {"", "authentication.k8s.io", "*"}
        if fits and verbs & {"impersonate", "*"}:
            if not rule.get("resourceNames"):
                return True, set()
            names |= {*map(str, rule["resourceNames"])}
    return False, names


def _reviewed(client: Client, resource: str, names: list[str], found: _Sought) -> list[str]:
    found.complete = found.complete and len(names) <= MOST_REVIEWS
    right = Right("impersonate", resource)
    return [name for name in names[:MOST_REVIEWS] if not allowed(client, right, name=name)]


def _objects(client: Client, roster: Roster, at: Registration, found: _Sought) -> None:
    """Compares the objects themselves, where MCM may read them."""
    wanted = {_key(part.body): part.body for part in parts(roster, at)}
    there = {_key(each): each for kind in PLURALS for each in _listed(client, kind, at)}
    for key, body in wanted.items():
        if key not in there:
            found.missing.append(_about("absent", key))
        elif _meaning(there[key]) != _meaning(body):
            found.missing.append(_about("differs", key))
    found.excess += [_about("left", key) for key in sorted(there.keys() - wanted.keys())]


def _listed(client: Client, kind: str, at: Registration) -> Iterator[Object]:
    params = {
        "labelSelector": ",".join(f"{name}={value}" for name, value in at.labels.items()),
        "limit": 500,
    }
    path = f"/apis/{VERSION}/{PLURALS[kind]}"
    while True:
        page = _dict(client.get(f"{path}?{urlencode(params)}"))
        yield from ({"kind": kind} | _dict(each) for each in page.get("items") or [])
        more = _dict(page.get("metadata")).get("continue")
        if not more:
            return
        params["continue"] = str(more)


def _key(body: Object) -> tuple[str, str, str]:
    metadata = _dict(body.get("metadata"))
    return str(body.get("kind")), str(metadata.get("namespace", "")), str(metadata.get("name"))


def _about(what: str, key: tuple[str, str, str]) -> Finding:
    kind, namespace, name = key
    return Finding(what, kind, errors.safe_text(name), errors.safe_text(namespace))


def _meaning(body: Object) -> Any:
    """What an object grants, in an order of our own."""
    if body.get("kind") == "ClusterRole":
        return sorted(str(_sorted(rule)) for rule in body.get("rules") or [])
    subjects = sorted(str(sorted(_dict(each).items())) for each in body.get("subjects") or [])
    return subjects, sorted(_dict(body.get("roleRef")).items())


def _sorted(rule: Any) -> list[tuple[str, list[str]]]:
    return sorted((part, sorted(map(str, values))) for part, values in _dict(rule).items())


def _people(connection: Connection, roster: Roster, found: _Sought) -> None:
    """Asks as each group whether it holds what it should: one of its people stands for it."""
    someone = {group: user for user, groups in roster.people.items() for group in groups}
    refused = {(each.kind, each.name) for each in found.missing if each.what == "impersonate"}
    held = [*roster.held]
    if roster.admins_group:
        held.append(Held("", "admin", roster.admins_group))
    for each in held[:MOST_REVIEWS]:
        user = someone.get(each.group)
        if user is None or {("User", user), ("Group", each.group)} & refused:
            continue  # nobody is in the team, or it was told already that none can act for it
        if not _holds(connection, Identity(user, (each.group,)), each):
            found.missing.append(Finding("refused", each.role, each.group, each.namespace))
    found.complete = found.complete and len(held) <= MOST_REVIEWS


def _holds(connection: Connection, identity: Identity, held: Held) -> bool:
    right = SIGNS[held.role] if held.team else Right("*", "*", "*")
    with Client(connection, identity, budget=SECONDS) as client:
        return allowed(client, right, namespace=held.namespace)


def _dict(found: Any) -> dict[str, Any]:
    return found if isinstance(found, dict) else {}
