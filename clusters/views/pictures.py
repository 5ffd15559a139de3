"""Use over time of one thing as pictures: figures here, drawn by static/charts.js."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from clusters.models import Cluster, Scope
from clusters.store import usage
from clusters.store.capacity import Full, Share

SPANS = ((24, gettext_lazy("24 hours")), (720, gettext_lazy("30 days")))
# Of so many points the newest one is the present: five minutes, or this hour and the one before.
PRESENT = {24: 5, 720: 2}


@dataclass(frozen=True)
class Series:
    """Of what the pictures are."""

    cluster: Cluster
    scope: Scope
    name: str = ""
    namespace: str = ""


@dataclass(frozen=True)
class Line:
    """What one picture tells, in words; `now` is None where nothing was measured lately."""

    share: Share
    now: int | None
    mean: int | None
    highest: int | None


def pictures(of: Series, full: Full, hours: int) -> dict[str, Any]:
    """`pictures`: a name, a unit and a Line for each; `usage_url`: where their points are."""
    series = usage.series(
        of.cluster.pk, of.scope, name=of.name, namespace=of.namespace, hours=hours
    )
    query = {"scope": of.scope, "hours": str(hours), "name": of.name, "namespace": of.namespace}
    asked = urlencode({key: value for key, value in query.items() if value})
    return {
        "pictures": (
            ("cpu", _("CPU"), _line(full.cpu, series.cpu, hours)),
            ("memory", _("Memory"), _line(full.memory, series.memory, hours)),
        ),
        "sampled": any(point is not None for point in series.cpu),
        "usage_url": f"{reverse('api-usage', args=[of.cluster.pk])}?{asked}",
    }


def _line(share: Share, points: list[int | None], hours: int) -> Line:
    known = [point for point in points if point is not None]
    if not known:
        return Line(share, None, None, None)
    present = [point for point in points[-PRESENT[hours] :] if point is not None]
    return Line(share, present[-1] if present else None, round(sum(known) / len(known)), max(known))
