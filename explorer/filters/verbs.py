"""What a few words that begin with a verb ask to do, for the best objects that they may mean.

    asked = verb [ kind ] { word }

`logs payments prod`, `events checkout`, `restart deploy checkout`: the verb is `logs`, `events`, or
the name of an act. Nothing is done by it: it leads to the logs, to the events, or to the dialog of
the act, and only to what the person may do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clusters.kube.acting import needs
from clusters.kube.kinds import KINDS
from clusters.models import Object
from explorer import store
from explorer.executor.catalog import ACTS, Act
from explorer.filters.candidates import Seen
from explorer.filters.logs import LOGGED
from explorer.filters.paths import object_path
from explorer.filters.search import LONGEST, MADE, Asked, best
from explorer.filters.words import members
from explorer.services import acting
from teams import access
from teams.models import User
from teams.roles import Action

LOGS, EVENTS = "logs", "events"
# As people say it, too.
_CALLED = {"log": LOGS, "event": EVENTS, "ev": EVENTS, "undo": "rollback", "run": "trigger"}
_LABELS = {LOGS: gettext_lazy("Logs"), EVENTS: gettext_lazy("Events")}
# So many are told.
MOST = 5


@dataclass(frozen=True)
class Doing:
    """Something to do with an object: where it leads, and whether that is a dialog."""

    verb: str
    label: str
    seen: store.Seen
    url: str
    dialog: bool = False


def verb_of(word: str) -> str:
    """The verb that a word is, also as its label is called in the reader's language; else ""."""
    low = word.lower()
    low = _CALLED.get(low, low)
    if low in _LABELS or low in ACTS:
        return low
    named = {str(label).lower(): verb for verb, label in _LABELS.items()}
    named |= {str(act.label).lower(): act.name for act in ACTS.values()}
    return named.get(low, "")


def doings(user: User, text: str) -> tuple[list[Doing], bool]:
    """What the words ask to do, the best object first; False where the time was over before."""
    first, _space, rest = text[:LONGEST].strip().partition(" ")
    verb = verb_of(first)
    asked = Asked.of(rest)
    if not verb or not asked.words:
        return [], True
    seen = Seen(user, asked.kind)
    wanted = members(asked.kind) if asked.kind else tuple(KINDS)
    found = best(seen, asked, [kind for kind in wanted if _fits(verb, kind)])
    if verb == LOGS:
        made = _logs(user, found)
    elif verb == EVENTS:
        made = [_events(each) for each in found]
    else:
        made = _acts(user, ACTS[verb], found)
    return made[:MOST], seen.in_time


def _fits(verb: str, kind: str) -> bool:
    if kind in MADE:
        return False
    if verb == LOGS:
        return kind in LOGGED
    return verb == EVENTS or needs.fits(verb, kind)


def _logs(user: User, found: Sequence[store.Seen]) -> list[Doing]:
    """Of what the person operates."""
    keys = [each.object.pk for each in found]
    rows = access.visible(user, Object, Action.OPERATE).filter(pk__in=keys)
    may = set(rows.values_list("pk", flat=True))
    return [
        Doing(LOGS, _("Logs"), each, f"{reverse('logs')}?{urlencode({'object': each.object.pk})}")
        for each in found
        if each.object.pk in may
    ]


def _events(each: store.Seen) -> Doing:
    url = f"{object_path(each.object.kind, each.object.pk)}?tab=events"
    return Doing(EVENTS, _("Events"), each, url)


def _acts(user: User, act: Act, found: Sequence[store.Seen]) -> list[Doing]:
    """Where the person may do it; the dialog asks before anything is done."""
    keys = [each.object.pk for each in found]
    rows = access.visible(user, Object).filter(pk__in=keys).select_related("cluster")
    may = {one.object.pk for one in acting.choices(user, act, rows) if not one.reason}
    return [
        Doing(
            act.name, str(act.label), each,
            f"{reverse('object-act', args=[act.name])}?ids={each.object.pk}", dialog=True,
        )
        for each in found
        if each.object.pk in may
    ]  # fmt: skip
