"""Probes that fail, by the kubelet's events."""

from itertools import count
from typing import Any

import pytest

from tests.kube.why.around import Surroundings, codes, condition, event, pod, running, told

GET = {"httpGet": {"path": "/healthz", "port": 8080, "scheme": "HTTP"}, "timeoutSeconds": 2}
URL = 'Get "http://10.1.2.3:8080/healthz"'


def failing(kind: str, answer: str, probe: Any = GET, **more: Any) -> Any:
    """The one cause of a container whose probe got this answer."""
    body = pod(running(**more), container={f"{kind.lower()}Probe": probe})
    words = f"{kind} probe failed: {answer}"
    [found] = told(body, Surroundings(event("Unhealthy", words, container="app")))
    return found


@pytest.mark.parametrize(
    ("answer", "advice"),
    [
        ("HTTP probe failed with statuscode: 503", "says that it is not well"),
        ("HTTP probe failed with statuscode: 404", "does not know this path"),
        ("HTTP probe failed with statuscode: 401", "asks for credentials"),
        (f"{URL}: dial tcp 10.1.2.3:8080: connect: connection refused", "Nothing listens"),
        (f"{URL}: context deadline exceeded (Client.Timeout exceeded while awaiting headers)", "longer than 2 s"),
        (f"{URL}: dial tcp 10.1.2.3:8080: i/o timeout", "longer than 2 s"),
        (f"{URL}: net/http: HTTP/1.x transport connection broken: malformed HTTP response \"\\x15\"", "HTTP or HTTPS"),
        ('Get "https://10.1.2.3:8080/healthz": http: server gave HTTP response to HTTPS client', "Read the container's logs"),
        ('Get "https://10.1.2.3:8080/": remote error: tls: bad certificate', "TLS fails"),
        ("dial tcp 10.1.2.3:5432: connect: no route to host", "does not reach the pod"),
        ('command timed out: "pg_isready" timed out after 1s', "longer than 2 s"),
        ('timeout: failed to connect service "10.1.2.3:9000" within 1s: context deadline exceeded', "longer than 2 s"),
        ('service unhealthy (responded with "NOT_SERVING")', "says that it is not well"),
        ("error: this server does not implement the grpc health protocol (grpc.health.v1.Health): unknown service", "gRPC's health protocol"),
        ("cat: can't open '/tmp/healthy': No such file or directory", "does not exist"),
        ("not today", "Read the container's logs"),
        ("", "Read the container's logs"),
    ],
    ids=count(),
)  # fmt: skip
def test_what_came_back_decides_the_advice(answer: str, advice: str) -> None:
    found = failing("Readiness", answer)
    assert found.code == "readiness_failed"
    assert advice in found.todo


def test_what_was_asked_and_what_came_back_are_told() -> None:
    found = failing("Readiness", "HTTP probe failed with statuscode: 503")
    assert found.what == (
        "Container app gets no traffic because its readiness probe (GET http://:8080/healthz)"
        " fails: HTTP probe failed with statuscode: 503"
    )


@pytest.mark.parametrize(
    ("probe", "words"),
    [
        ({"tcpSocket": {"port": 5432}}, "(TCP :5432)"),
        ({"exec": {"command": ["cat", "/tmp/healthy"]}}, "(cat /tmp/healthy)"),
        ({"grpc": {"port": 9000, "service": "shop"}}, "(gRPC :9000 shop)"),
        ({"grpc": {"port": 9000, "service": None}}, "(gRPC :9000)"),
        ({"httpGet": {"path": "/", "port": "web", "scheme": "HTTPS"}}, "(GET https://:web/)"),
    ],
)
def test_each_kind_of_probe_is_told_as_people_write_it(probe: Any, words: str) -> None:
    assert words in failing("Readiness", "no", probe).what


def test_a_failing_liveness_probe_restarts() -> None:
    found = failing("Liveness", "HTTP probe failed with statuscode: 500", ready=True)
    assert found.code == "liveness_failed"
    assert "restarted" in found.what


def test_a_failing_startup_probe() -> None:
    found = failing("Startup", "HTTP probe failed with statuscode: 500", started=False)
    assert found.code == "startup_failed"


def test_a_probe_that_errors_is_told_too() -> None:
    body = pod(running(), container={"readinessProbe": {"exec": {"command": ["x"]}}})
    words = "Readiness probe errored and resulted in unknown state: rpc error: code = Unknown desc = container is not running"
    assert codes(body, Surroundings(event("Unhealthy", words, container="app"))) == [
        "readiness_failed"
    ]


def test_failures_of_yesterday_and_of_what_is_ready_now_are_not_told() -> None:
    body = pod(running(), container={"readinessProbe": GET})
    words = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    old = Surroundings(event("Unhealthy", words, container="app", ago=60))
    assert codes(body, old) == ["not_ready"]
    well = {"conditions": [condition("Ready", "True")]}
    body = pod(running(ready=True), status=well, container={"readinessProbe": GET})
    fresh = Surroundings(event("Unhealthy", words, container="app"))
    assert codes(body, fresh) == ["warnings"]


def test_without_events_it_is_told_which_probe_has_not_succeeded() -> None:
    [found] = told(pod(running(), container={"readinessProbe": GET}))
    assert found.code == "not_ready"
    assert "GET http://:8080/healthz" in found.what
    [found] = told(pod(running(started=False), container={"startupProbe": GET}))
    assert found.code == "not_started"


def test_a_readiness_gate_that_is_not_met() -> None:
    gate = "target-health.elbv2.k8s.aws/k8s-shop-web"
    reason = "ReadinessGatesNotReady"
    message = f'corresponding condition of pod readiness gate "{gate}" does not exist.'
    status = {
        "conditions": [
            condition("Ready", "False", reason, message),
            condition("ContainersReady", "True"),
        ]
    }
    body = pod(
        running(ready=True), status=status, spec={"readinessGates": [{"conditionType": gate}]}
    )
    [found] = told(body)
    assert (found.code, found.facts["gate"]) == ("readiness_gate", gate)
