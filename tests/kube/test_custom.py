"""Custom resources in JSON: their state, and lists and streams of them."""

import json
from itertools import count
from typing import Any

import pytest

from clusters.kube import decode_json, errors, kinds, wire
from clusters.kube.types import Row

WIDGET = kinds.custom("example.com", "v1", "widgets", "Widget", namespaced=True)
AT = "2026-11-25T03:00:00Z"
SECONDS = 1795575600


def widget(name: str = "a", status: Any = None, **metadata: Any) -> dict[str, Any]:
    basics = {
        "name": name,
        "namespace": "shop",
        "uid": f"uid-{name}",
        "resourceVersion": "7",
        "generation": 2,
        "creationTimestamp": AT,
    }
    return {"kind": "Widget", "metadata": {**basics, **metadata}, "status": status}


def row(found: Any) -> Row:
    return WIDGET.project(WIDGET.decode(json.dumps(found).encode()))


def conditions(**statuses: str) -> dict[str, Any]:
    """A status with conditions; "False:Broken" has a reason."""
    made = []
    for type_, text in statuses.items():
        status, _, reason = text.partition(":")
        made.append({"type": type_, "status": status, "reason": reason, "lastTransitionTime": AT})
    return {"conditions": made}


def test_a_row_of_a_custom_kind() -> None:
    owners = [{"kind": "Other", "name": "x"}, {"kind": "App", "name": "y", "controller": True}]
    found = row(widget(labels={"app": "web"}, ownerReferences=owners))
    assert (found.kind, found.name, found.namespace) == ("Widget.example.com", "a", "shop")
    assert (found.labels, found.owner_kind, found.owner_name) == ({"app": "web"}, "App", "y")
    assert (found.resource_version, found.created) == (7, SECONDS)
    assert (WIDGET.topic, WIDGET.path) == ("widgets", "/apis/example.com/v1/widgets")


@pytest.mark.parametrize(
    ("status", "word", "health"),
    [
        (None, "", "idle"),
        ({}, "", "idle"),
        (conditions(Ready="True"), "Ready", "healthy"),
        (conditions(Ready="False:DoesNotExist"), "DoesNotExist", "degraded"),
        (conditions(Ready="False:Pending"), "Pending", "progressing"),
        (conditions(Ready="False:Failed"), "Failed", "failing"),
        (conditions(Ready="False"), "NotReady", "degraded"),
        (conditions(Ready="Unknown"), "Unknown", "unknown"),
        (conditions(Synced="True", Ready="False:Creating"), "Creating", "progressing"),
        (conditions(Synced="False:ReconcileError", Ready="True"), "ReconcileError", "degraded"),
        (conditions(Available="True"), "Available", "healthy"),
        (conditions(Issuing="True"), "", "idle"),
        (conditions(Stalled="True:BadSpec", Ready="True"), "BadSpec", "failing"),
        (conditions(Reconciling="True", Ready="True"), "Reconciling", "progressing"),
        (conditions(Failed="True"), "Failed", "failing"),
        (conditions(Complete="True"), "Complete", "idle"),
        ({"phase": "Running"}, "Running", "healthy"),
        ({"phase": "Failed"}, "Failed", "failing"),
        ({"state": "suspended"}, "suspended", "idle"),
        ({"phase": "Odd"}, "Odd", "unknown"),
        ({"health": {"status": "Degraded"}, "sync": {"status": "Synced"}}, "Degraded", "degraded"),
        ({"observedGeneration": 1, **conditions(Ready="True")}, "Progressing", "progressing"),
        ({"observedGeneration": 2, **conditions(Ready="True")}, "Ready", "healthy"),
        # Anything may be in a status.
        ("text", "", "idle"),
        ([1], "", "idle"),
        ({"conditions": {"Ready": True}, "phase": ["Running"]}, "", "idle"),
        ({"conditions": [None, 7, {"type": 3, "status": {}}], "health": "good"}, "", "idle"),
        ({"phase": "a\x00b\x1b" + "x" * 2000}, "ab" + "x" * 508, "unknown"),
    ],
    ids=count(),
)
def test_the_state_of_a_custom_resource(status: Any, word: str, health: str) -> None:
    found = row(widget(status=status))
    assert (found.status, found.health) == (word, health)


def test_since_when() -> None:
    assert row(widget(status=conditions(Ready="True"))).since == SECONDS
    for odd in ("yesterday", "9999-99-99", "", None, 7):
        listed = [{"type": "Ready", "status": "True", "lastTransitionTime": odd}]
        assert row(widget(status={"conditions": listed})).since == 0


def test_deleting() -> None:
    found = row(widget(status=conditions(Ready="True"), deletionTimestamp=AT))
    assert (found.status, found.health, found.since) == ("Terminating", "progressing", SECONDS)


BAD = [
    b"null",
    b"[]",
    b'"text"',
    b'{"metadata": null}',
    json.dumps(widget(name="")).encode(),
    json.dumps(widget(name="a\x00")).encode(),
    json.dumps(widget(uid="")).encode(),
    json.dumps(widget(resourceVersion="x")).encode(),
    json.dumps(widget(resourceVersion=str(2**63))).encode(),
    json.dumps(widget(labels={"a": 1})).encode(),
]


@pytest.mark.parametrize("bad", BAD, ids=count())
def test_one_bad_object_costs_one_object(bad: bytes) -> None:
    good = json.dumps(widget("good")).encode()
    body = b'{"metadata":{"resourceVersion":"9","continue":"c"},"items":[%s,%s]}' % (bad, good)
    found = decode_json.page(WIDGET, body)
    assert ([each.name for each in found.rows], found.skipped) == (["good"], 1)
    assert (found.version, found.next) == ("9", "c")
    assert decode_json.event(WIDGET, b'{"type":"ADDED","object":%s}' % bad) is None


def test_nesting_without_end_costs_one_event() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    line = b'{"type":"ADDED","object":{"metadata":{},"status":%s}}' % deep
    assert decode_json.event(WIDGET, line) is None


def test_an_unreadable_list_is_told() -> None:
    for body in (b"", b"no", b"[]", b'{"items":[]}', b'{"metadata":{},"items":{}}', b"[" * 100_000):
        with pytest.raises(errors.BadAnswer):
            decode_json.page(WIDGET, body)
    assert decode_json.page(WIDGET, b'{"metadata":{},"items":null}').rows == []


def event(type_: str, object_: Any) -> bytes:
    return json.dumps({"type": type_, "object": object_}).encode()


def test_the_events_of_a_stream() -> None:
    found = decode_json.event(WIDGET, event("MODIFIED", widget()))
    assert found is not None
    assert found.row is not None
    assert (found.type, found.version, found.row.name) == ("MODIFIED", "7", "a")
    gone = decode_json.event(WIDGET, event("DELETED", widget()))
    assert gone == ("DELETED", "7", None, "uid-a", False)
    mark = {"metadata": {"resourceVersion": "8"}}
    assert decode_json.event(WIDGET, event("BOOKMARK", mark)) == ("BOOKMARK", "8", None, "", False)
    mark["metadata"]["annotations"] = {"k8s.io/initial-events-end": "true"}  # type: ignore[assignment]
    ended = decode_json.event(WIDGET, event("BOOKMARK", mark))
    assert ended is not None
    assert ended.initial_end
    assert decode_json.event(WIDGET, event("ODD", widget())) is None
    assert decode_json.event(WIDGET, b"no json") is None


def test_an_error_in_the_stream_is_raised() -> None:
    status = {"code": 410, "message": "too old", "details": {"retryAfterSeconds": 3}}
    with pytest.raises(errors.Expired, match="too old"):
        decode_json.event(WIDGET, event("ERROR", status))
    status["code"] = 429
    with pytest.raises(errors.TooManyRequests) as caught:
        decode_json.event(WIDGET, event("ERROR", status))
    assert caught.value.retry_after == 3


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_lines_however_they_arrive(size: int) -> None:
    stream = b'{"a":1}\n\n{"b":2}\r\n{"c":3}'
    cutter = wire.of(WIDGET).cutter()
    found = []
    for start in range(0, len(stream), size):
        found += list(cutter.feed(stream[start : start + size]))
    assert [line.strip() for line in found] == [b'{"a":1}', b'{"b":2}']
    assert cutter.incomplete
    assert list(cutter.feed(b"\n")) == [b'{"c":3}']
    assert not cutter.incomplete


def test_an_endless_line_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decode_json, "LARGEST_FRAME", 1000)
    cutter = decode_json.Lines()
    for _ in range(10):
        assert not list(cutter.feed(b"x" * 100))
    with pytest.raises(errors.BadAnswer, match="too large"):
        list(cutter.feed(b"x"))
