"""What stands around the rows of a list: its filter, and whose rows are old or missing."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.urls import reverse
from django.utils.html import escape
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from clusters.kube.kinds import KINDS
from clusters.models import Environment, Freshness, KindState
from explorer import store
from explorer.filters import columns, counts, written
from explorer.filters.asked import Asked
from explorer.filters.columns import Column, is_namespaced
from explorer.filters.criteria import MOST_VALUES, ObjectFilter
from explorer.filters.inventory import Inventory
from explorer.filters.logs import LOGGED
from explorer.filters.paths import address
from explorer.filters.words import HEALTH, WHOLE, members, path_word, title
from explorer.models import SavedView
from explorer.services import acting
from teams import access
from teams.models import User
from teams.roles import Action

# So many rows are selected at once at most.
MOST_SELECTED = 500
# So many clusters that are behind are named one by one.
MOST_BEHIND = 5
# A page that searches more clusters looks at every change.
MOST_HEARD = 50
# Smaller numbers need no separator, which takes longer to look for than all else of a choice.
THOUSAND = 1000
# Facets that a list has only with the column of that name.
_OF_COLUMNS = {"health": "status", "status": "status", "namespace": "namespace"}


def context(inventory: Inventory, kind: str) -> dict[str, Any]:
    """The filter, how the searched clusters stand, and what is said of an empty list."""
    searched = inventory.searched
    kinds = members(kind)
    standing = store.behind(searched, kinds)
    late, missing = [], []
    for cluster in searched:
        lost = store.worst([standing.get((cluster.pk, each)) for each in kinds])
        freshness, observed_at = store.freshness(cluster, lost)
        reason = cluster.reason or (lost.reason if lost else "")
        entry = (cluster, freshness, observed_at, reason)
        if lost is not None and lost.state == KindState.State.ABSENT:
            missing.append(entry)  # as it should be where nobody installed the kind
        elif freshness != Freshness.LIVE:
            late.append(entry)
    forbidden = [lost for lost in standing.values() if lost.state == KindState.State.FORBIDDEN]
    return {
        "kind": kind,
        "title": title(kind),
        "filter": inventory.wanted,
        "problems": [
            text
            for name, texts in inventory.wanted.problems.items()
            for text in texts
            if name != "sort"
        ],
        "marked": _marked(inventory.wanted),
        "clusters": inventory.clusters,
        "searched": len(searched),
        "topics": _topics(inventory, kind),
        "hears": _hears(inventory),
        "behind": late[:MOST_BEHIND],
        "behind_too": len(late[MOST_BEHIND:]),
        "behind_in_all": len(late),
        "cut_off": bool(late) and len(late) == len(searched),
        "forbidden": forbidden[0].reason
        if forbidden and len(forbidden) == len(searched) * len(kinds)
        else None,
        "absent": bool(missing) and len(missing) == len(searched),
        "outside": not is_namespaced(kind) and not inventory.sees_a_whole_cluster,
        "registers": access.is_platform_admin(inventory.user),
    }


def tools(user: User, asked: Asked) -> dict[str, Any]:
    """What stands beside the list: the saved views of its kind, and the columns it could have."""
    found = store.views(user, asked.kind)
    changed = access.visible(user, SavedView, Action.ADMIN).filter(kind=asked.kind)
    mine = set(changed.values_list("pk", flat=True))
    shown = {column.key for column in asked.columns}
    return {
        "kind": asked.kind,
        "acts": acting.offered(user, *members(asked.kind)),
        "kind_word": path_word(asked.kind),
        "query": asked.whole.urlencode(),
        "most": MOST_SELECTED,
        "most_asked": MOST_VALUES,
        "logs_url": reverse("logs") if LOGGED.issuperset(members(asked.kind)) else "",
        "most_written": intcomma(written.MOST),
        "saved": [(view, address(view.kind, view.query), view.pk in mine) for view in found],
        "possible": [(each, each.key in shown) for each in columns.possible(asked.kind)],
    }


def _marked(wanted: ObjectFilter) -> list[tuple[str, bool]]:
    """The typed query in pieces, and whether each is one that could not be read."""
    pieces, done = [], 0
    for offset, length in wanted.places:
        pieces.append((wanted.q[done:offset], False))
        pieces.append((wanted.q[offset : offset + length], True))
        done = offset + length
    return [*pieces, (wanted.q[done:], False)] if pieces else []


def _topics(inventory: Inventory, kind: str) -> str:
    """What the page listens to; how fresh its rows are is told with the clusters."""
    if kind == "Node":
        return "nodes usage clusters"
    if kind in KINDS or kind in WHOLE:
        return " ".join([*(KINDS[each].topic for each in members(kind)), "clusters"])
    return " ".join([*sorted(store.plurals(kind, inventory.searched)), "clusters"])


def _hears(inventory: Inventory) -> str:
    """The clusters whose changes can concern the page, "" for any: all others are not asked for."""
    searched = inventory.searched
    few = len(searched) < min(len(inventory.clusters), MOST_HEARD)
    return " ".join(str(cluster.pk) for cluster in searched) if few else ""


def facets(
    inventory: Inventory, counted: counts.Counts | None, shown: Sequence[Column]
) -> list[dict[str, Any]]:
    """The drop-downs of the filter: name, labels, and the options as HTML."""
    known = counted.facets if counted else {}
    health = {str(word): str(label) for word, label in HEALTH.items()}
    environments = {str(value): str(label) for value, label in Environment.choices}
    clusters = {cluster.name: cluster.name for cluster in inventory.clusters.values()}
    texts: list[tuple[str, str, str, dict[str, str]]] = [
        ("health", _("Health"), _("Any health"), health),
        ("status", _("Status"), _("Any status"), {}),
        ("cluster", _("Cluster"), _("All clusters"), clusters),
        ("namespace", _("Namespace"), _("All namespaces"), {}),
        ("environment", _("Environment"), _("All environments"), environments),
    ]
    keys = {column.key for column in shown}
    if kind := inventory.wanted.several:
        names = {each: each for each in members(kind)}
        texts.insert(0, ("kind", _("Kind"), _("Any kind"), names))
    found = []
    for name, label, every, labels in texts:
        given, numbers = inventory.wanted.given.get(name, ()), known.get(name, {})
        if not given and _OF_COLUMNS.get(name, "name") not in keys:
            continue
        found.append(
            {
                "name": name, "label": label, "every": every, "given": given,
                "options": options(labels, given, numbers),
            }
        )  # fmt: skip
    return found


def options(
    labels: Mapping[str, str], given: Sequence[str], numbers: Mapping[str, int]
) -> SafeString:
    """The choices of a facet as HTML: what it always has, what is chosen, and what was counted.

    In Python, for a fleet has hundreds of them: as a template they took a third of a list's time.
    """
    chosen = given[0] if given else None
    return SafeString(
        "".join(
            f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>'
            f"{escape(labels.get(value, value))}{_number(numbers.get(value))}</option>"
            for value in dict.fromkeys([*labels, *given, *numbers])
        )
    )


def _number(n: int | None) -> str:
    if n is None:
        return ""
    return f" ({n})" if n < THOUSAND else f" ({escape(intcomma(n))})"
