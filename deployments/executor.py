"""What the Helm operations do, step by step, and what proves that they succeeded."""

import threading
from collections.abc import Iterator
from uuid import UUID

import msgspec

from clusters.kube.client import Client
from clusters.kube.errors import KubeError
from clusters.kube.types import SERVICE_ACCOUNT, WorkloadState
from clusters.kube.workloads import PATHS
from clusters.models import Cluster
from deployments import helm, store
from deployments.models import Chart
from operations import services
from operations.executor import Cancelled, Failed, Job
from operations.models import Operation

INSTALL, UNINSTALL, REPAIR = "helm.install", "helm.uninstall", "helm.repair"
# Seconds between two looks at the workloads while Helm waits for them.
LOOK_SECONDS = 2.0
MOST_REASONS = 6


class InstallInput(msgspec.Struct):
    """The sealed input of an install."""

    chart: UUID
    values: str = ""
    wait: bool = True
    timeout: int = 300
    atomic: bool = False


class UninstallInput(msgspec.Struct):
    keep_history: bool = False
    timeout: int = 300


def install(job: Job) -> None:
    """Installs the chart; succeeds only when its workloads are ready (or were not waited for)."""
    given = msgspec.json.decode(job.operation.unseal(), type=InstallInput)
    chart = Chart.objects.filter(pk=given.chart).first()
    if chart is None:
        raise Failed("The uploaded chart is not there any more.")
    operation = job.operation
    job.log(
        f"Installing {chart} as {operation.target} in {operation.cluster}/{operation.namespace}"
    )
    spec = helm.Install(
        namespace=operation.namespace,
        release=operation.target,
        chart=bytes(chart.archive),
        values=given.values,
        wait=given.wait,
        timeout=given.timeout,
        atomic=given.atomic,
        # Who holds rights in a namespace only may not create it again, not even in vain.
        create_namespace=not operation.cluster.namespaces.filter(name=operation.namespace).exists(),
    )
    program = helm.Helm(operation.cluster.connection, SERVICE_ACCOUNT)
    watched = threading.Event()
    looker = threading.Thread(target=_look, args=(job, program, watched), daemon=True)
    looker.start()
    try:
        release = program.install(spec, job.log, job.cancelled)
    except helm.HelmCancelled as error:
        raise Cancelled from error
    except helm.HelmError as error:
        raise Failed(_with_reasons(error.message, operation)) from error
    finally:
        watched.set()
        looker.join()
        refresh(operation.cluster)
    _prove(job, program, wait=given.wait)
    job.result["revision"] = release.revision
    job.log(f"{release.name} is {release.status}, revision {release.revision}")


def uninstall(job: Job) -> None:
    given = msgspec.json.decode(job.operation.unseal(), type=UninstallInput)
    operation = job.operation
    job.log(f"Uninstalling {operation.target} from {operation.cluster}/{operation.namespace}")
    program = helm.Helm(operation.cluster.connection, SERVICE_ACCOUNT)
    try:
        program.uninstall(
            operation.namespace,
            operation.target,
            keep_history=given.keep_history,
            timeout=given.timeout,
            on_line=job.log,
            cancelled=job.cancelled,
        )
    except helm.HelmCancelled as error:
        raise Cancelled from error
    except helm.HelmError as error:
        raise Failed(error.message) from error
    finally:
        refresh(operation.cluster)


def repair(job: Job) -> None:
    """Unlocks a release whose worker died while Helm was changing it."""
    operation = job.operation
    program = helm.Helm(operation.cluster.connection, SERVICE_ACCOUNT)
    try:
        program.repair(operation.namespace, operation.target, on_line=job.log)
    except helm.ReleaseNotFound:
        job.log("Nothing of the release is left: there is nothing to repair.")
    except helm.HelmError as error:
        raise Failed(error.message) from error
    finally:
        refresh(operation.cluster)


def repair_later(operation: Operation) -> None:
    """Asks for the repair of what a lost operation may have left locked."""
    if operation.requested_by is None:
        return
    place = services.Place(operation.cluster, operation.namespace, operation.target)
    services.request(REPAIR, place, b"{}", by=operation.requested_by)


def refresh(cluster: Cluster) -> None:
    """Lists the releases of a cluster; what fails is kept with the rows, never raised."""
    try:
        store.replace(cluster, helm.Helm(cluster.connection, SERVICE_ACCOUNT).list())
    except helm.HelmError as error:
        store.not_listed(cluster, error.message)


def _states(operation: Operation, manifest: str) -> Iterator[WorkloadState]:
    """How far each workload of the release is."""
    with Client(operation.cluster.connection, SERVICE_ACCOUNT) as client:
        for ref in helm.objects(manifest, namespace=operation.namespace):
            if ref.kind in PATHS:
                yield client.workload_state(ref.kind, ref.namespace, ref.name)


def _look(job: Job, program: helm.Helm, ended: threading.Event) -> None:
    """Says beside Helm, which is silent while it waits, how many pods are ready."""
    told: dict[tuple[str, str], str] = {}
    while not ended.wait(LOOK_SECONDS):
        try:
            manifest = program.manifest(job.operation.namespace, job.operation.target)
            for state in _states(job.operation, manifest):
                line = f"{state.kind} {state.name}: {state.ready} of {state.wanted} ready"
                if told.get((state.kind, state.name)) != line:
                    told[state.kind, state.name] = line
                    job.log(line)
        except (KubeError, helm.HelmError):
            continue  # not there yet, or Helm itself will say what is wrong


def _prove(job: Job, program: helm.Helm, *, wait: bool) -> None:
    """Looks at the workloads themselves: Helm's word alone is not the truth of the pods."""
    try:
        manifest = program.manifest(job.operation.namespace, job.operation.target)
        waiting = [state for state in _states(job.operation, manifest) if not state.done]
    except (KubeError, helm.HelmError) as error:
        raise Failed(f"Helm succeeded, but its pods could not be checked: {error}") from error
    if not waiting:
        job.log("All workloads are ready.")
    elif wait:
        said = "; ".join(f"{state.kind} {state.name}: {state.reason}" for state in waiting)
        raise Failed(_with_reasons(said, job.operation))
    for state in waiting:
        job.log(f"{state.kind} {state.name} was not waited for: {state.reason}")


def _with_reasons(message: str, operation: Operation) -> str:
    """The message, followed by what the pods of the release themselves say."""
    selector = f"app.kubernetes.io/instance={operation.target}"
    try:
        with Client(operation.cluster.connection, SERVICE_ACCOUNT) as client:
            problems = client.pod_problems(operation.namespace, selector)
    except KubeError:
        return message
    lines = [
        f"{problem.pod} {problem.container}: {problem.status} {problem.message}".strip()
        for problem in problems[:MOST_REASONS]
    ]
    return "\n".join([message, *lines])
