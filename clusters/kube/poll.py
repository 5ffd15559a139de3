"""The questions of one poll, all within one deadline."""

import time
from datetime import datetime

import msgspec

from clusters.kube import credentials, errors, metrics
from clusters.kube.client import Client
from clusters.kube.types import SERVICE_ACCOUNT, Connection


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What a cluster answered.

    `node_count` is None where nodes are not permitted; `metrics_reason` is a sentence when the
    metrics API did not answer, then `nodes` and `pods` are empty.
    """

    version: str
    node_count: int | None
    latency_ms: int
    certificate_expires: datetime | None
    credential_expires: datetime | None
    metrics_reason: str = ""
    nodes: list[metrics.Usage] = []
    pods: list[metrics.PodUsage] = []


def ask(connection: Connection, budget: float) -> Found:
    """Polls a cluster; it takes `budget` seconds at most.

    KubeError when the cluster does not answer or is not ready; then nothing further is asked.
    """
    with Client(connection, SERVICE_ACCOUNT, deadline=budget, budget=budget) as client:
        # On a connection that stands: how long the API server takes, not the handshake.
        version = client.version().git_version
        begun = time.monotonic()
        client.ready()
        latency = time.monotonic() - begun
        count = _node_count(client)
        reason, nodes, pods = "", [], []
        try:
            nodes = metrics.node_usage(client)
            pods = metrics.pod_usage(client)
        except errors.KubeError as error:
            reason = str(error)
        return Found(
            version=version,
            node_count=count,
            latency_ms=round(latency * 1000),
            certificate_expires=client.certificate_expires,
            credential_expires=credentials.expiry(connection),
            metrics_reason=reason,
            nodes=nodes,
            pods=pods,
        )


def knock(connection: Connection, budget: float) -> None:
    """Only whether the API server is ready, for one that did not answer last; KubeError."""
    with Client(connection, SERVICE_ACCOUNT, deadline=budget, budget=budget) as client:
        client.ready()


def _node_count(client: Client) -> int | None:
    try:
        return client.count("Node")
    except errors.Forbidden:
        return None
