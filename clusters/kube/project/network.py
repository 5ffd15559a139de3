"""Services and Ingresses; their columns follow `printService` and `printIngress`."""

from itertools import islice
from typing import Any

from clusters.kube.project.base import TERMINATING, facts, is_deleted, row
from clusters.kube.types import Health, Row

# A list of ports or hosts that is longer is cut: nobody reads it in a table.
MOST_LISTED = 32


def service_row(found: Any) -> Row:
    """The row of a Service message; ValueError as for pods."""
    spec = found.spec
    outside = _outside(found)
    status, health = _status(found)
    if status == "Active" and spec.type == "LoadBalancer" and not outside:
        status, health = "Pending", "progressing"
    return row(
        "Service",
        found.metadata,
        status=status,
        health=health,
        facts=facts(
            type=spec.type,
            clusterIP=spec.clusterIP,
            externalIP=outside,
            ports=",".join(_port(each) for each in islice(spec.ports, MOST_LISTED)),
        ),
    )


def _outside(found: Any) -> str:
    """What reaches the service from outside of the cluster."""
    spec = found.spec
    if spec.type == "ExternalName":
        return str(spec.externalName)
    balanced = _addresses(found.status) if spec.type == "LoadBalancer" else []
    return ",".join([*balanced, *islice(spec.externalIPs, MOST_LISTED)])


def _port(port: Any) -> str:
    if port.nodePort > 0:
        return f"{port.port}:{port.nodePort}/{port.protocol}"
    return f"{port.port}/{port.protocol}"


def ingress_row(found: Any) -> Row:
    """The row of an Ingress message; ValueError as for pods."""
    addresses = ",".join(_addresses(found.status))
    status, health = _status(found)
    if status == "Active" and not addresses:
        # Some controllers never tell the address: not a fault, but nothing to vouch for either.
        status, health = "NoAddress", "idle"
    hosts = [each.host for each in islice(found.spec.rules, MOST_LISTED) if each.host]
    values = {"class": found.spec.ingressClassName}
    return row(
        "Ingress",
        found.metadata,
        status=status,
        health=health,
        facts=facts(hosts=",".join(hosts) or "*", address=addresses, **values),
    )


def _addresses(status: Any) -> list[str]:
    listed = islice(status.loadBalancer.ingress, MOST_LISTED)
    return sorted({each.ip or each.hostname for each in listed} - {""})


def _status(found: Any) -> tuple[str, Health]:
    if is_deleted(found.metadata):
        return TERMINATING, "progressing"
    return "Active", "healthy"
