"""The rows of the pods list as HTML, each rendered once for all people who may see it.

A row is a function of what stands in it and of the language, never of who reads it: whether a
person may see it was decided by the query that found it.
"""

import time
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

from django.template import loader
from django.utils.safestring import SafeString
from django.utils.translation import get_language

from clusters.models import Environment, Freshness
from explorer.store import Seen

ROW = "explorer/pod_row.html"
# About 1 KB each.
MOST_KEPT = 20_000
# Without scripts a row's age stays as rendered, in minutes at the finest: so long it is kept.
KEPT_SECONDS = 60


class _Row(NamedTuple):
    """All that stands in a row."""

    key: int
    name: str
    namespace: str
    cluster: str
    environment: str
    status: str
    health: str
    stale: bool
    ready: int
    wanted: int
    restarts: int
    node: str
    created: datetime


def pod_rows(pods: Iterable[Seen]) -> list[SafeString]:
    """The table rows of these pods in the active language, in the order given."""
    language, moment = get_language(), int(time.time() // KEPT_SECONDS)
    return [_render(_row(seen), language, moment) for seen in pods]


def _row(seen: Seen) -> _Row:
    pod, cluster, stale = seen.object, seen.cluster, seen.freshness != Freshness.LIVE
    return _Row(
        pod.pk, pod.name, pod.namespace, cluster.name, cluster.environment, pod.status,
        seen.shown_health, stale, pod.ready, pod.wanted, pod.restarts, pod.node, pod.created,
    )  # fmt: skip


@lru_cache(maxsize=MOST_KEPT)
def _render(row: _Row, language: str | None, moment: int) -> SafeString:  # noqa: ARG001 - the key
    label = dict(Environment.choices).get(row.environment, row.environment)
    return loader.render_to_string(ROW, row._asdict() | {"environment_label": label})
