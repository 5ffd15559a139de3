"""Rows as HTML: what stands in them is shown as text, and each cell as its column looks."""

from datetime import UTC, datetime
from typing import Any

import pytest
from django.utils import translation

from clusters.models import Cluster, Environment, Freshness, Object
from clusters.templatetags.amounts import UNKNOWN
from explorer.filters.columns import COLUMNS, usual
from explorer.store import Seen
from explorer.views.rows import rows_of

HOSTILE = """<script>alert("1")</script>'&"""


def seen(*, cluster_name: str = "east", **fields: Any) -> Seen:
    cluster = Cluster(name=cluster_name, environment=Environment.PROD)
    moment = datetime(2026, 1, 31, 12, tzinfo=UTC)
    usual_fields: dict[str, Any] = {
        "pk": 7, "kind": "Pod", "namespace": "shop", "name": "web-1", "status": "Running",
        "health": "healthy", "ready": 1, "wanted": 2, "restarts": 0, "node": "n1",
        "created": moment, "since": moment,
    }  # fmt: skip
    return Seen(Object(**usual_fields | fields), cluster, Freshness.LIVE, moment)


@pytest.mark.parametrize("key", sorted(COLUMNS))
def test_no_column_lets_markup_of_a_cluster_through(key: str) -> None:
    facts = {name.removeprefix("facts."): HOSTILE for name in COLUMNS if "." in name}
    row = seen(
        cluster_name=HOSTILE, namespace=HOSTILE, name=HOSTILE, status=HOSTILE, node=HOSTILE,
        images=[HOSTILE], labels={HOSTILE: HOSTILE}, owner_kind=HOSTILE, owner_name=HOSTILE,
        uid=HOSTILE, facts=facts,
    )  # fmt: skip
    (html,) = rows_of([row], [COLUMNS[key]])
    assert HOSTILE not in html
    assert "<script" not in html


def test_a_row_of_pods_is_what_kubectl_prints() -> None:
    (row,) = rows_of([seen()], usual("Pod"))
    head = '<tr id="object-7" data-key="7" data-row-href="/pods/7/">'
    assert row.startswith(head)
    assert 'aria-label="Select web-1"' in row
    assert '<td data-label="Namespace" class="short">' in row
    with translation.override("zh-hans"):
        (theirs,) = rows_of([seen()], usual("Pod"))
    assert 'data-label="Namespace"' not in theirs
    assert 'datetime="2026-01-31T12:00:00+00:00"' in theirs


def test_what_was_seen_long_ago_is_marked_and_what_is_missing_is_a_dash() -> None:
    row = seen(kind="Node", status="", node="", facts={})
    (live,) = rows_of([row], [COLUMNS[key] for key in ("name", "status", "facts.zone", "restarts")])
    assert 'data-row-href="/objects/7/"' in live
    assert live.count(f"<td>{UNKNOWN}</td>") == 1
    assert f'<td data-label="Status">{UNKNOWN}</td>' in live
    assert '<td class="num">0</td>' in live
    old = Seen(row.object, row.cluster, Freshness.STALE, row.observed_at)
    (stale,) = rows_of([old], [COLUMNS["name"]])
    assert " data-stale>" in stale


def test_a_change_of_one_cell_leaves_the_others() -> None:
    columns = usual("Pod")
    (before,) = rows_of([seen(restarts=1)], columns)
    (after,) = rows_of([seen(restarts=2)], columns)
    assert before != after
    assert after == before.replace('<td class="num">1</td>', '<td class="num">2</td>')
