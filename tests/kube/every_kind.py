"""Objects of every kind in states that differ, for a namespace of a real cluster."""

from typing import Any

from clusters.kube.kinds import KINDS
from testbed.api import Api, Json

NOWHERE = {"kept": "nowhere"}


def _template(app: str, **spec: Any) -> Json:
    container = {
        "name": "app",
        "image": "registry.example.com/web:1",
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
    }
    return {"metadata": {"labels": {"app": app}}, "spec": {"containers": [container], **spec}}


def _made(api_version: str, kind: str, name: str, **parts: Any) -> Json:
    metadata = {"name": name, **parts.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}


def _workload(kind: str, name: str, *, nowhere: bool = False, **spec: Any) -> Json:
    app = f"{kind}-{name}"
    template = _template(app, **({"nodeSelector": NOWHERE} if nowhere else {}))
    selected = {"selector": {"matchLabels": {"app": app}}, "template": template}
    return _made("apps/v1", kind, name, spec={**selected, **spec})


def _job(name: str, *, nowhere: bool = False, **spec: Any) -> Json:
    where = {"nodeSelector": NOWHERE} if nowhere else {}
    template = _template(f"Job-{name}", restartPolicy="Never", **where)
    return _made("batch/v1", "Job", name, spec={"template": template, **spec})


def _cron_job(name: str, **spec: Any) -> Json:
    job = {"spec": {"template": _template("CronJob", restartPolicy="Never")}}
    return _made("batch/v1", "CronJob", name, spec={"jobTemplate": job, **spec})


def _service(name: str, **spec: Any) -> Json:
    return _made("v1", "Service", name, spec=spec)


def _claim(name: str, **spec: Any) -> Json:
    wanted = {"requests": {"storage": "1536Mi"}}
    access = {"accessModes": ["ReadWriteOnce"], "resources": wanted}
    return _made("v1", "PersistentVolumeClaim", name, spec={**access, **spec})


def _budget(name: str, **spec: Any) -> Json:
    selector = {"matchLabels": {"app": "Deployment-web"}}
    return _made("policy/v1", "PodDisruptionBudget", name, spec={"selector": selector, **spec})


def _autoscaler(name: str, target: str, **spec: Any) -> Json:
    reference = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    whole = {"scaleTargetRef": reference, "maxReplicas": 3, **spec}
    return _made("autoscaling/v2", "HorizontalPodAutoscaler", name, spec=whole)


def _rule(host: str = "") -> Json:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    paths = [{"path": "/", "pathType": "Prefix", "backend": backend}]
    return {**({"host": host} if host else {}), "http": {"paths": paths}}


def _ingress(name: str, **spec: Any) -> Json:
    return _made("networking.k8s.io/v1", "Ingress", name, spec=spec)


PORT = {"port": 80, "name": "http"}
NAMESPACED = (
    _workload("Deployment", "web", replicas=2),
    _workload("Deployment", "none", replicas=0),
    _workload("Deployment", "paused", paused=True, replicas=1),
    _workload("Deployment", "stuck", nowhere=True, progressDeadlineSeconds=1),
    _workload("StatefulSet", "store", replicas=2, serviceName="store"),
    _workload("StatefulSet", "stuck", nowhere=True, serviceName="store"),
    _workload("DaemonSet", "agent"),
    _workload("DaemonSet", "nowhere", nowhere=True),
    _workload("ReplicaSet", "bare", replicas=1),
    _job("done"),
    _job("three", completions=3, parallelism=2),
    _job("queue", parallelism=2, suspend=True),
    _job("late", nowhere=True, activeDeadlineSeconds=1),
    _cron_job("nightly", schedule="0 3 * * *"),
    _cron_job("held", schedule="*/5 * * * *", suspend=True, timeZone="Europe/Berlin"),
    _service("web", selector={"app": "Deployment-web"}, ports=[PORT, {"port": 53, "protocol": "UDP",
                                                           "name": "dns"}]),
    _service("headless", clusterIP="None", ports=[PORT]),
    _service("node", type="NodePort", ports=[PORT], externalIPs=["192.0.2.7"]),
    _service("balanced", type="LoadBalancer", ports=[PORT]),
    _service("outside", type="ExternalName", externalName="db.example.com"),
    _ingress("web", ingressClassName="public", rules=[_rule("a.example"), _rule("b.example")]),
    _ingress("all", rules=[_rule()]),
    _made("v1", "ConfigMap", "settings", data={"planted": "planted-value"}),
    _made("v1", "Secret", "password", stringData={"planted": "planted-value"}),
    _claim("waiting"),
    _claim("slow", storageClassName="none-such"),
    _autoscaler("web", "web", minReplicas=2),
    _autoscaler("lost", "none-such"),
    _budget("half", minAvailable="50%"),
    _budget("one", maxUnavailable=1),
    _made("v1", "ServiceAccount", "robot"),
    _made("networking.k8s.io/v1", "NetworkPolicy", "closed", spec={"podSelector": {}}),
    _made("v1", "ResourceQuota", "roomy", spec={"hard": {"pods": "100", "requests.storage":
                                                         "10Gi", "count/jobs.batch": "1k"}}),
    _made("v1", "ResourceQuota", "full", spec={"hard": {"configmaps": "1"}}),
)  # fmt: skip


def whole_cluster(prefix: str) -> tuple[Json, ...]:
    """Objects outside of namespaces, whose names begin with `prefix`."""
    storage = {
        "capacity": {"storage": "2Gi"},
        "accessModes": ["ReadWriteOnce"],
        "hostPath": {"path": "/none"},
        "storageClassName": f"{prefix}-class",
    }
    is_default = {"storageclass.kubernetes.io/is-default-class": "true"}
    return (
        _made(
            "storage.k8s.io/v1", "StorageClass", f"{prefix}-class",
            metadata={"annotations": is_default}, provisioner="example.com/none",
        ),
        _made("v1", "PersistentVolume", f"{prefix}-free", spec=storage),
        _made("v1", "PersistentVolume", f"{prefix}-bound", spec={
            **storage, "claimRef": {"namespace": prefix, "name": "bound"}}),
    )  # fmt: skip


def make(api: Api, namespace: str) -> None:
    """Makes all of them; those outside of namespaces are named after it."""
    bound = _claim("bound", storageClassName=f"{namespace}-class", volumeName=f"{namespace}-bound")
    for each in (*whole_cluster(namespace), bound, *NAMESPACED):
        api.post(path(each["kind"], namespace), each)


def path(kind: str, namespace: str) -> str:
    """Where the objects of a kind in a namespace are, or all of them if it has none."""
    chosen = KINDS[kind]
    start, _, plural = chosen.path.rpartition("/")
    return f"{start}/namespaces/{namespace}/{plural}" if chosen.namespaced else chosen.path


def remove(api: Api, prefix: str) -> None:
    """Removes those outside of namespaces."""
    for each in whole_cluster(prefix):
        api.delete(f"{KINDS[each['kind']].path}/{each['metadata']['name']}")
