"""Who may do what to which objects, and asking for it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from clusters.kube.acting import needs
from clusters.kube.kinds import KINDS
from clusters.models import Cluster, CustomResource, Namespace, Object
from explorer.executor import Given, Item, catalog
from explorer.executor.catalog import Act
from operations import services as operations
from operations.models import Operation, Step
from teams import access
from teams.models import User
from teams.roles import Action

# Of one request.
MOST_OBJECTS = 500


@dataclass(frozen=True)
class Choice:
    """An object that somebody wants to act on; `reason` says why he may not, "" if he may."""

    object: Object
    reason: str = ""
    action: Action = Action.OPERATE
    whole: bool = False
    path: str = ""
    # Whether there is such an act for this object at all.
    fits: bool = True


@dataclass(frozen=True)
class Wanted:
    """An act on objects, each with its arguments. `key`: see operations.services.Steps."""

    act: Act
    choices: Sequence[Choice]
    arguments: Sequence[dict[str, Any]] = field(repr=False)
    key: str = ""
    # The resourceVersions that the objects must still have, in the same order; "" for any.
    versions: Sequence[str] = ()
    # What the trail says of them, where the arguments may hold secrets.
    told: dict[str, Any] = field(default_factory=dict)


def choices(user: User, act: Act, objects: Iterable[Object]) -> list[Choice]:
    """Whether the person may do it to each of the objects, and why not."""
    found = list(objects)
    customs = _customs(found)
    return _checked(
        user, [_choice(act, each, customs.get((each.cluster_id, each.kind))) for each in found]
    )


def _checked(user: User, made: Sequence[Choice]) -> list[Choice]:
    """The choices with the reason where a right is missing; a question for each right."""
    keys = [choice.object.pk for choice in made]
    may = {
        (action, whole): _allowed(user, action, whole, keys)
        for action, whole in {(one.action, one.whole) for one in made if not one.reason}
    }
    return [
        one if one.reason or one.object.pk in may[one.action, one.whole] else _refused(one)
        for one in made
    ]


def _customs(objects: Sequence[Object]) -> dict[tuple[Any, str], CustomResource]:
    clusters = {each.cluster_id for each in objects if each.kind not in KINDS}
    if not clusters:
        return {}
    rows = CustomResource.objects.filter(cluster__in=clusters)
    return {(row.cluster_id, row.full_kind): row for row in rows}


def _choice(act: Act, found: Object, resource: CustomResource | None) -> Choice:
    if not needs.fits(act.name, found.kind):
        return _unfit(found)
    if found.kind not in KINDS and resource is None:
        return Choice(found, _("The cluster watches this kind no more."), fits=False)
    least = catalog.least(act, found.kind, resource)
    if least is None:
        return _unfit(found)
    if resource is None:
        path = KINDS[found.kind].path
    else:
        path = f"/apis/{resource.group}/{resource.version}/{resource.plural}"
    return Choice(found, "", action_of(least), least.whole, path)


def action_of(least: needs.Least) -> Action:
    """What its holders may do, by which MCM asks for it."""
    return Action.ADMIN if least.role == "admin" else Action.OPERATE


def _unfit(found: Object) -> Choice:
    text = _("This cannot be done to a %(kind)s.") % {"kind": found.kind}
    return Choice(found, text, fits=False)


def _allowed(user: User, action: Action, whole: bool, keys: list[int]) -> set[int]:
    rows = Object.objects.filter(pk__in=keys)
    if whole:
        rows = rows.filter(cluster__in=access.visible(user, Cluster, action))
    else:
        rows = access.visible(user, Object, action).filter(pk__in=keys)
    return set(rows.values_list("pk", flat=True))


def _refused(choice: Choice) -> Choice:
    reason = missing(choice.action, whole=choice.whole or not choice.object.namespace)
    return Choice(choice.object, reason, choice.action, choice.whole)


def missing(action: Action, *, whole: bool) -> str:
    """Which role is missing, as buttons that are off say it."""
    if action is Action.ADMIN:
        if whole:
            return _("You need the role admin on the whole cluster.")
        return _("You need the role admin here.")
    if whole:
        return _("You need the role operator on the whole cluster.")
    return _("You need the role operator here.")


def offered(user: User, *kinds: str) -> list[tuple[Act, str]]:
    """The acts for a list of these kinds; each with why a person may do it nowhere to any of
    them, "" if he may.
    """
    found: dict[str, tuple[Act, str]] = {}
    for kind in kinds:
        for act, reason in _offered(user, kind):
            if act.name not in found or not reason:
                found[act.name] = act, reason
    return [found[name] for name in catalog.ACTS if name in found]


def _offered(user: User, kind: str) -> list[tuple[Act, str]]:
    found = []
    anywhere: dict[tuple[Action, bool], bool] = {}
    for act in catalog.offered(kind):
        least = catalog.least(act, kind)
        if least is None:
            continue
        action = action_of(least)
        right = action, least.whole
        if right not in anywhere:
            scopes = (Cluster,) if least.whole else (Cluster, Namespace)
            anywhere[right] = access.may_anywhere(user, action, *scopes)
        found.append((act, "" if anywhere[right] else missing(action, whole=least.whole)))
    return found


def of_object(user: User, found: Object) -> list[tuple[Act, str]]:
    """The acts for an object; each with why this person may not, "" if he may."""
    acts = [act for act in catalog.offered(found.kind) if _makes_sense(act, found)]
    resource = _customs([found]).get((found.cluster_id, found.kind))
    checked = _checked(user, [_choice(act, found, resource) for act in acts])
    return [(act, choice.reason) for act, choice in zip(acts, checked, strict=True)]


# What would change nothing, by what is known of the object.
_SENSELESS = {
    "pause": ("paused", True),
    "resume": ("paused", False),
    "suspend": ("suspended", True),
    "unsuspend": ("suspended", False),
}


def _makes_sense(act: Act, found: Object) -> bool:
    if found.kind == "Node" and act.name in ("cordon", "uncordon"):
        return ("SchedulingDisabled" in found.status) is (act.name == "uncordon")
    fact, value = _SENSELESS.get(act.name, ("", None))
    return value is None or bool(found.facts.get(fact)) is not value


def request(wanted: Wanted, *, by: User) -> Operation:
    """Queues the act for all of the objects.

    Raises PermissionDenied, operations.Held and operations.KeyReused.
    """
    if any(choice.reason for choice in wanted.choices):
        raise PermissionDenied
    steps = [
        Step(
            cluster=choice.object.cluster,
            kind=choice.object.kind,
            namespace=choice.object.namespace,
            name=choice.object.name,
            uid=choice.object.uid,
            needs=choice.action,
            whole=choice.whole,
        )
        for choice in wanted.choices
    ]
    versions = wanted.versions or [""] * len(steps)
    items = [
        Item(choice.path, arguments, version)
        for choice, arguments, version in zip(
            wanted.choices, wanted.arguments, versions, strict=True
        )
    ]
    payload = msgspec.json.encode(Given(items))
    made = operations.Steps(wanted.act.kind, steps, payload, wanted.key)
    return operations.request_steps(made, by=by, told=_told(wanted) | {"objects": len(steps)})


def _told(wanted: Wanted) -> dict[str, Any]:
    """What the trail says of what is asked for. Of what was written as YAML never the text."""
    if wanted.act.name in catalog.WRITTEN:
        return wanted.told
    told = dict(wanted.arguments[0]) if len({str(each) for each in wanted.arguments}) == 1 else {}
    told.pop("seen", None)
    return told
