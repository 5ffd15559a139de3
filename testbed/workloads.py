"""The demo: a dozen workloads of a small shop, some of them unhealthy in a steady way."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from testbed.api import Api, Json
from testbed.specs import ClusterSpec

BEHAVIOUR = "testbed.mcm/behaviour"
MANAGED = {"app.kubernetes.io/managed-by": "testbed"}
Key = tuple[str, str]  # namespace and app


@dataclass(frozen=True)
class App:
    """One workload. `replicas` are for dev, staging and prod; memory in MiB, CPU in millicores."""

    namespace: str
    name: str
    image: str
    version: str
    replicas: tuple[int, int, int]
    cpu: int
    memory: int
    port: int = 8080
    kind: str = "Deployment"

    @property
    def key(self) -> Key:
        """Namespace and name."""
        return self.namespace, self.name


REGISTRY = "registry.example.com"
APPS = (
    App("shop", "frontend", f"{REGISTRY}/shop/frontend", "4.12.0", (2, 3, 8), 200, 256),
    App("shop", "catalog", f"{REGISTRY}/shop/catalog", "2.7.3", (1, 2, 6), 250, 384),
    App("shop", "cart", f"{REGISTRY}/shop/cart", "1.19.1", (1, 2, 5), 150, 192),
    App("shop", "checkout", f"{REGISTRY}/shop/checkout", "3.3.0", (2, 3, 6), 250, 320),
    App("shop", "recommender", f"{REGISTRY}/shop/recommender", "0.9.0-rc1", (1, 1, 1), 200, 512),
    App("payments", "payments", f"{REGISTRY}/pay/payments", "5.1.2", (1, 2, 4), 300, 384),
    App("payments", "ledger", f"{REGISTRY}/pay/ledger", "2.0.8", (1, 2, 3), 200, 512),
    App("payments", "fraud-check", f"{REGISTRY}/pay/fraud-check", "1.4.0", (1, 1, 2), 400, 768),
    App("platform", "gateway", "docker.io/envoyproxy/envoy", "v1.36.2", (1, 2, 6), 300, 256),
    App("platform", "mailer", f"{REGISTRY}/platform/mailer", "1.8.5", (1, 1, 2), 150, 512),
    App(
        "platform",
        "log-agent",
        "docker.io/grafana/alloy",
        "v1.11.0",
        (3, 5, 12),
        50,
        128,
        kind="DaemonSet",
    ),
    App(
        "data",
        "postgres",
        "docker.io/library/postgres",
        "18.1",
        (1, 2, 3),
        500,
        1024,
        5432,
        kind="StatefulSet",
    ),
    App(
        "data",
        "redis",
        "docker.io/library/redis",
        "8.2.3",
        (1, 1, 3),
        150,
        256,
        6379,
        kind="StatefulSet",
    ),
    App("data", "analytics", f"{REGISTRY}/data/analytics", "0.4.2", (1, 1, 1), 1000, 2048),
    App("data", "report", f"{REGISTRY}/data/report", "1.2.0", (0, 0, 0), 200, 256, kind="CronJob"),
    App(
        "data",
        "schema-migration",
        f"{REGISTRY}/data/migrate",
        "18.1",
        (0, 0, 0),
        100,
        128,
        kind="Job",
    ),
)
UNHEALTHY: Mapping[str, Mapping[Key, str]] = {
    "dev": {
        ("platform", "mailer"): "crash-loop",
        ("shop", "recommender"): "image-pull",
        ("data", "analytics"): "pending",
    },
    "staging": {
        ("payments", "fraud-check"): "crash-error",
        ("shop", "recommender"): "image-pull",
    },
    "prod": {
        ("platform", "mailer"): "crash-loop",
        ("shop", "recommender"): "image-pull",
        ("data", "analytics"): "pending",
    },
}


def unhealthy(environment: str) -> Mapping[Key, str]:
    """Namespace and app of everything that is unhealthy for ever, and in which way.

    Ways: crash-loop (OOMKilled), crash-error (exit code 1), image-pull, pending (unschedulable).
    """
    return UNHEALTHY[environment]


def wanted(environment: str, *, healthy: bool) -> Counter[Key]:
    """How many pods each (un)healthy app shows. Pods of Jobs are not counted: they come and go."""
    column = ("dev", "staging", "prod").index(environment)
    bad = UNHEALTHY[environment]
    return Counter(
        {
            app.key: app.replicas[column]
            for app in APPS
            if app.replicas[column] and (app.key in bad) is not healthy
        }
    )


def is_up(api: Api, environment: str) -> bool:
    """Whether all healthy pods are Running and Ready, and the unhealthy ones show it."""
    ready: Counter[Key] = Counter()
    failing: Counter[Key] = Counter()
    query = "app.kubernetes.io/managed-by=testbed"
    for pod in api.items("/api/v1/pods", labelSelector=query):
        key = (pod["metadata"]["namespace"], pod["metadata"]["labels"]["app.kubernetes.io/name"])
        conditions = {c["type"]: c["status"] for c in pod["status"].get("conditions", [])}
        if conditions.get("Ready") == "True":
            ready[key] += 1
        elif "False" in conditions.values():
            failing[key] += 1
    healthy, bad = wanted(environment, healthy=True), wanted(environment, healthy=False)
    return healthy <= ready and bad <= failing


def apply(api: Api, spec: ClusterSpec) -> None:
    """Make the demo's objects; a second time changes nothing."""
    for manifest in manifests(spec.environment):
        api.apply(manifest)


def manifests(environment: str) -> Iterator[Json]:
    """All objects of the demo in one environment, in the order in which to make them."""
    for namespace in dict.fromkeys(app.namespace for app in APPS):
        labels = {**MANAGED, "environment": environment, "team": namespace}
        meta = {"name": namespace, "labels": labels}
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": meta}
    for number, app in enumerate(APPS):
        yield _config(app, environment)
        if app.kind in {"Deployment", "StatefulSet"}:
            yield _service(app)
        yield _workload(app, number, environment)


def _labels(app: App) -> dict[str, str]:
    return {
        **MANAGED,
        "app.kubernetes.io/name": app.name,
        "app.kubernetes.io/version": app.version,
        "app.kubernetes.io/part-of": app.namespace,
    }


def _meta(app: App) -> Json:
    return {"name": app.name, "namespace": app.namespace, "labels": _labels(app)}


def _config(app: App, environment: str) -> Json:
    data = {"ENVIRONMENT": environment, "LOG_LEVEL": "debug" if environment == "dev" else "info"}
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": _meta(app), "data": data}


def _service(app: App) -> Json:
    port = {"name": "main", "port": app.port, "targetPort": app.port, "protocol": "TCP"}
    spec: Json = {"selector": {"app.kubernetes.io/name": app.name}, "ports": [port]}
    if app.kind == "StatefulSet":
        spec["clusterIP"] = "None"
    return {"apiVersion": "v1", "kind": "Service", "metadata": _meta(app), "spec": spec}


def _workload(app: App, number: int, environment: str) -> Json:
    replicas = app.replicas[("dev", "staging", "prod").index(environment)]
    template = _template(app, number, UNHEALTHY[environment].get(app.key))
    selector = {"matchLabels": {"app.kubernetes.io/name": app.name}}
    spec: Json = {"template": template}
    if app.kind in {"Job", "CronJob"}:
        template["spec"]["restartPolicy"] = "Never"
        spec["backoffLimit"] = 2
    else:
        spec["selector"] = selector
    if app.kind in {"Deployment", "StatefulSet"}:
        spec["replicas"] = replicas
    if app.kind == "StatefulSet":
        spec["serviceName"] = app.name
    if app.kind == "CronJob":
        spec = {
            "schedule": "*/10 * * * *",
            "concurrencyPolicy": "Forbid",
            "successfulJobsHistoryLimit": 2,
            "failedJobsHistoryLimit": 1,
            "jobTemplate": {"spec": spec},
        }
    group = "batch/v1" if app.kind in {"Job", "CronJob"} else "apps/v1"
    return {"apiVersion": group, "kind": app.kind, "metadata": _meta(app), "spec": spec}


def _template(app: App, number: int, behaviour: str | None) -> Json:
    labels = _labels(app)
    if behaviour and behaviour != "pending":
        labels[BEHAVIOUR] = behaviour
    annotations = {
        "prometheus.io/scrape": "true",
        "prometheus.io/port": str(app.port),
        "testbed.mcm/cpu": f"{app.cpu * 6 // 10}m",
        "testbed.mcm/memory": f"{app.memory * 7 // 10}Mi",
        # Spreads the waves of use: not every app is busy at the same time.
        "testbed.mcm/phase": str(number * 47 % 600),
    }
    spec: Json = {
        "containers": [_container(app)],
        "terminationGracePeriodSeconds": 5,
        "automountServiceAccountToken": False,
    }
    if behaviour == "pending":
        # No node has it, so the scheduler says FailedScheduling for ever.
        spec["nodeSelector"] = {"node.kubernetes.io/instance-type": "p5.48xlarge"}
    return {"metadata": {"labels": labels, "annotations": annotations}, "spec": spec}


def _container(app: App) -> Json:
    return {
        "name": app.name,
        "image": f"{app.image}:{app.version}",
        "ports": [{"name": "main", "containerPort": app.port, "protocol": "TCP"}],
        "envFrom": [{"configMapRef": {"name": app.name}}],
        "resources": {
            "requests": {"cpu": f"{app.cpu}m", "memory": f"{app.memory}Mi"},
            "limits": {"memory": f"{app.memory * 2}Mi"},
        },
    }
