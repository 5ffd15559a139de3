"""Probes that fail: what was asked and what came back."""

import re
from collections.abc import Iterator

from clusters.kube.errors import sentence
from clusters.kube.why.around import Around
from clusters.kube.why.cause import KILLED, LONGEST_READ, PROBE, Cause, Evidence, Saying, cause
from clusters.kube.why.container import Probe, Status
from clusters.kube.why.parts import Event, about, find, is_false
from clusters.kube.why.pod import Pod

# Kubelets repeat the event while the probe fails, at least every five minutes (event spam filter).
RECENT = 900
_FAILED = re.compile(
    r"(Liveness|Readiness|Startup) probe (?:failed|errored[^:]{0,60}): (.*)", re.DOTALL
)

WORDS = {
    "Liveness": sentence(
        "Container %(container)s is restarted again and again because its liveness probe"
        " (%(asked)s) fails: %(answer)s"
    ),
    "Readiness": sentence(
        "Container %(container)s gets no traffic because its readiness probe (%(asked)s)"
        " fails: %(answer)s"
    ),
    "Startup": sentence(
        "Container %(container)s counts as not started because its startup probe (%(asked)s)"
        " fails: %(answer)s"
    ),
}
CODES = {
    "Liveness": "liveness_failed",
    "Readiness": "readiness_failed",
    "Startup": "startup_failed",
}
# What the answer means, the first that fits.
ADVICE = (
    (
        r"connection refused",
        sentence(
            "Nothing listens at the probe's port: check the port, and that the program listens"
            " on all addresses, not only on 127.0.0.1."
        ),
    ),
    (
        r"statuscode: (401|403)",
        sentence("The program asks for credentials there: probe an address that needs none."),
    ),
    (
        r"statuscode: (404|405)",
        sentence("The program does not know this path: check the probe's path and port."),
    ),
    (
        r"statuscode: 5\d\d|service unhealthy|NOT_SERVING",
        sentence(
            "The program itself says that it is not well: read its logs and check what it"
            " depends on."
        ),
    ),
    (
        r"deadline exceeded|timed out|timeout|i/o timeout",
        sentence(
            "The answer took longer than %(timeout)s s: the program is slow or hangs, or the"
            " probe's timeoutSeconds is too short."
        ),
    ),
    (
        r"no such host|no route to host|unreachable",
        sentence("The probe does not reach the pod: check its host and the network of the node."),
    ),
    (
        r"does not implement the grpc health protocol|Unimplemented",
        sentence(
            "The program does not speak gRPC's health protocol: add it, or use another kind of"
            " probe."
        ),
    ),
    (
        r"first record does not look like a TLS handshake|malformed HTTP"
        r"|HTTP request to an HTTPS server",
        sentence(
            "The probe and the program do not agree on HTTP or HTTPS: check the probe's scheme"
            " and port."
        ),
    ),
    (
        r"x509:|certificate",
        sentence(
            "TLS fails between the probe and the program: check the scheme and the certificate."
        ),
    ),
    (r"not found|no such file", sentence("The command of the probe does not exist in the image.")),
)
GENERIC = sentence(
    "Read the container's logs at that time, and try what the probe asks from inside the pod."
)
UNSEEN = Saying(
    "not_ready",
    PROBE,
    sentence(
        "Container %(container)s runs but is not ready: its readiness probe (%(asked)s)"
        " has not succeeded yet."
    ),
    sentence("What came back is not told any more: try what the probe asks from inside the pod."),
)
UNSTARTED = Saying(
    "not_started",
    PROBE,
    sentence(
        "Container %(container)s runs but does not count as started: its startup probe"
        " (%(asked)s) has not succeeded yet."
    ),
    sentence("What came back is not told any more: try what the probe asks from inside the pod."),
)
GATE = Saying(
    "readiness_gate",
    PROBE,
    sentence("The containers are ready, but the pod's readiness gate %(gate)s is not met."),
    sentence("Its controller, mostly that of a load balancer, has to meet it: look there."),
)


def causes(pod: Pod, around: Around) -> Iterator[Cause]:
    """Of each container, the probes that fail now."""
    if pod.ended:
        return
    events = around.events(pod.metadata, "Pod")
    for status in pod.statuses:
        told = False
        for kind in ("Liveness", "Startup", "Readiness"):
            if found := _newest(events, status, kind, around.now):
                told = True
                yield _cause(pod, status, kind, *found, events)
        if not told and status.state.running is not None:
            yield from _unseen(pod, status)
    yield from _gates(pod)


def _newest(events: list[Event], status: Status, kind: str, now: int) -> tuple[Event, str] | None:
    """The newest event of this probe that still matters, and what came back."""
    if kind != "Liveness" and (status.ready or (kind == "Startup" and status.started)):
        return None
    for event in events:
        found = _FAILED.match(event.message[:LONGEST_READ])
        if event.reason != "Unhealthy" or found is None or found[1] != kind:
            continue
        if event.container == status.name and now - event.at < RECENT:
            return event, found[2].strip()
    return None


def _cause(
    pod: Pod, status: Status, kind: str, event: Event, answer: str, events: list[Event]
) -> Cause:
    probe = _probe(pod, status.name, kind)
    advice = next(
        (words for pattern, words in ADVICE if re.search(pattern, answer, re.IGNORECASE)), GENERIC
    )
    said: list[Evidence] = [event.said()]
    said += [each.said() for each in events if _killed(each, status.name)][:1]
    # Before it is killed for it, a container is not harmed by a failing liveness probe.
    rank = PROBE if kind == "Readiness" else KILLED
    return cause(
        Saying(CODES[kind], rank, WORDS[kind], advice),
        about("Pod", pod.metadata),
        said,
        container=status.name,
        asked=asked(probe),
        answer=answer,
        timeout=probe.timeout_seconds,
    )


def _killed(event: Event, container: str) -> bool:
    words = event.message
    return (
        event.reason == "Killing"
        and event.container in {"", container}
        and ("failed liveness probe" in words or "failed startup probe" in words)
    )


def _unseen(pod: Pod, status: Status) -> Iterator[Cause]:
    """A container that runs and is not ready, where no event says what came back."""
    spec = pod.container(status.name)
    saying, probe = UNSEEN, spec.readiness_probe
    if status.started is False and spec.startup_probe is not None:
        saying, probe = UNSTARTED, spec.startup_probe
    if status.ready or probe is None:
        return
    condition = find(pod.status.conditions, "ContainersReady")
    said = [condition.said()] if condition else []
    it = about("Pod", pod.metadata)
    yield cause(saying, it, said, container=status.name, asked=asked(probe))


def _gates(pod: Pod) -> Iterator[Cause]:
    conditions = pod.status.conditions
    ready = is_false(conditions, "Ready")
    if ready is None or ready.reason != "ReadinessGatesNotReady":
        return
    for gate in pod.spec.readiness_gates:
        met = find(conditions, gate.condition_type)
        if met is None or met.status != "True":
            said = [met.said()] if met else [ready.said()]
            it = about("Pod", pod.metadata)
            yield cause(GATE, it, said, gate=gate.condition_type)


def _probe(pod: Pod, name: str, kind: str) -> Probe:
    spec = pod.container(name)
    found = {
        "Liveness": spec.liveness_probe,
        "Readiness": spec.readiness_probe,
        "Startup": spec.startup_probe,
    }[kind]
    return found or Probe()


def asked(probe: Probe) -> str:
    """What a probe asks, in the way people write it: "GET http://:8080/healthz"."""
    if probe.http_get is not None:
        it = probe.http_get
        return f"GET {it.scheme.lower()}://:{it.port}{it.path}"
    if probe.tcp_socket is not None:
        return f"TCP :{probe.tcp_socket.port}"
    if probe.grpc is not None:
        return f"gRPC :{probe.grpc.port} {probe.grpc.service or ''}".strip()
    return " ".join(probe.exec.command) if probe.exec is not None else "?"
