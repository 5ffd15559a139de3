"""The kinds that are copied: where they are listed and how they become rows."""

from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from clusters.kube.project import jobs, network, nodes, pods, policy, storage, workloads
from clusters.kube.project.bare import bare
from clusters.kube.project.custom import Custom, custom_row
from clusters.kube.project.events import event_row
from clusters.kube.project.helm import TYPE, release_row
from clusters.kube.schema import MESSAGE
from clusters.kube.types import Row

PROTOBUF = "application/vnd.kubernetes.protobuf"
JSON = "application/json"
# Of these objects the server sends nothing but their metadata: no value ever leaves the cluster.
METADATA = f"{PROTOBUF};as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = f"{PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
PAGE_SIZE = 500

Project = Callable[[Any], Row]


class Kind(NamedTuple):
    """How one kind is read: `decode` takes an object's bytes, `project` makes its row.

    `topic` is what open pages listen to: the plural of its path. `accept` is the form in which
    objects are watched, `list_accept` that of a list of them. `selector` picks objects by fields.
    """

    name: str
    path: str
    decode: Callable[[bytes], Any]
    project: Project
    topic: str
    namespaced: bool = True
    accept: str = PROTOBUF
    list_accept: str = PROTOBUF
    selector: str = ""
    page_size: int = PAGE_SIZE

    @property
    def params(self) -> dict[str, str]:
        """What every request for this kind asks."""
        return {"fieldSelector": self.selector} if self.selector else {}


def _kind(name: str, path: str, project: Project, message: str = "", **more: Any) -> Kind:
    """A kind that API servers speak in protobuf; its message has its name unless told."""
    plural = path.rpartition("/")[2]
    return Kind(name, path, MESSAGE[message or name].FromString, project, plural, **more)


def _bare(name: str, path: str, **more: Any) -> Kind:
    """A kind of which only the metadata is read."""
    made = _kind(name, path, bare(name), "AnyObject", **more)
    return made._replace(accept=METADATA, list_accept=METADATA_LIST)


def custom(group: str, version: str, plural: str, kind: str, namespaced: bool) -> Kind:
    """A custom resource, read as JSON; its rows are of the kind "Certificate.cert-manager.io"."""
    name = f"{kind}.{group}"
    decode = msgspec.json.Decoder(Custom).decode
    path = f"/apis/{group}/{version}/{plural}"
    return Kind(name, path, decode, custom_row(name), plural, namespaced, JSON, JSON)


KINDS = {
    kind.name: kind
    for kind in (
        _kind("Node", "/api/v1/nodes", nodes.node_row, namespaced=False),
        _kind("Namespace", "/api/v1/namespaces", nodes.namespace_row, namespaced=False),
        _kind("Pod", "/api/v1/pods", pods.pod_row),
        _kind("Deployment", "/apis/apps/v1/deployments", workloads.deployment_row),
        _kind("StatefulSet", "/apis/apps/v1/statefulsets", workloads.stateful_set_row),
        _kind("DaemonSet", "/apis/apps/v1/daemonsets", workloads.daemon_set_row),
        _kind("ReplicaSet", "/apis/apps/v1/replicasets", workloads.replica_set_row),
        _kind("Job", "/apis/batch/v1/jobs", jobs.job_row),
        _kind("CronJob", "/apis/batch/v1/cronjobs", jobs.cron_job_row),
        _kind("Service", "/api/v1/services", network.service_row),
        _kind("Ingress", "/apis/networking.k8s.io/v1/ingresses", network.ingress_row),
        _bare("ConfigMap", "/api/v1/configmaps"),
        _bare("Secret", "/api/v1/secrets"),
        # Whole Secrets, but only Helm's. Each may have 1 MiB, hence the small pages.
        _kind("HelmRelease", "/api/v1/secrets", release_row, "Secret")._replace(
            topic="helmreleases", selector=f"type={TYPE}", page_size=40
        ),
        _kind("PersistentVolumeClaim", "/api/v1/persistentvolumeclaims", storage.claim_row),
        _kind(
            "PersistentVolume", "/api/v1/persistentvolumes", storage.volume_row, namespaced=False
        ),
        _kind(
            "StorageClass",
            "/apis/storage.k8s.io/v1/storageclasses",
            storage.storage_class_row,
            namespaced=False,
        ),
        _kind(
            "HorizontalPodAutoscaler",
            "/apis/autoscaling/v2/horizontalpodautoscalers",
            policy.autoscaler_row,
        ),
        _kind("PodDisruptionBudget", "/apis/policy/v1/poddisruptionbudgets", policy.budget_row),
        _bare("ServiceAccount", "/api/v1/serviceaccounts"),
        _bare("NetworkPolicy", "/apis/networking.k8s.io/v1/networkpolicies"),
        _kind("ResourceQuota", "/api/v1/resourcequotas", policy.quota_row),
        _kind("Event", "/api/v1/events", event_row),
    )
}
