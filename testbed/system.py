"""Objects that every cluster has besides its nodes."""

from testbed.api import Json

_PLACE = {"name": "metrics-server", "namespace": "kube-system"}
_LABELS = {"k8s-app": "metrics-server"}


def metrics_objects(port: int) -> list[Json]:
    """The metrics API, served by a metrics-server that runs outside the cluster on `port`."""
    service: Json = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {**_PLACE, "labels": _LABELS},
        "spec": {
            "type": "ExternalName",
            "externalName": "localhost",
            "ports": [{"name": "https", "port": port, "protocol": "TCP"}],
        },
    }
    registration: Json = {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io", "labels": _LABELS},
        "spec": {
            "service": {**_PLACE, "port": port},
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "insecureSkipTLSVerify": True,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        },
    }
    return [service, registration]
