"""What the Helm operations do, step by step, and what proves that they succeeded."""

import logging
import threading
from uuid import UUID

import msgspec
from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext_noop

from clusters import vault
from clusters.kube.client import Client
from clusters.kube.errors import Conflict, Forbidden, KubeError, NotFound
from clusters.kube.types import SERVICE_ACCOUNT, Identity, PodProblem, WorkloadState
from clusters.kube.workloads import PATHS
from clusters.models import Cluster
from clusters.store import identity
from deployments import helm, store
from deployments.helm import values
from deployments.models import Chart
from operations import services
from operations.executor import BROKEN, Cancelled, Failed, Job
from operations.models import Operation
from teams import access
from teams.audit import masking
from teams.roles import Action, Level

INSTALL, UNINSTALL, REPAIR = "helm.install", "helm.uninstall", "helm.repair"
# Seconds between two looks at the workloads while Helm waits for them.
LOOK_SECONDS = 2.0
MOST_REASONS = 6

# Why the releases of a cluster were not listed, where neither Helm nor BROKEN says it.
SEALED = gettext_noop("The stored credentials of the cluster cannot be opened.")
# What follows a refusal by the cluster. English, as the log and Helm are.
NOT_KNOWN = (
    "MCM acts there as %(user)s, and the cluster's own RBAC says no: an admin of the cluster"
    " applies and checks the manifest on its page, tab Access, Identity."
)

log = logging.getLogger(__name__)


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


class Helmed:
    """The release of an operation, seen and changed as whoever asked for the work."""

    def __init__(self, operation: Operation) -> None:
        self.operation = operation
        self.connection = operation.cluster.connection
        self.identity = _identity(operation)
        self.whole = _operates_all(operation)
        self.helm = helm.Helm(self.connection, self.identity)

    def client(self) -> Client:
        return Client(self.connection, self.identity)

    def states(self) -> list[WorkloadState]:
        """How far each workload of the release is."""
        manifest = self.helm.manifest(self.operation.namespace, self.operation.target)
        refs = helm.objects(manifest, namespace=self.operation.namespace)
        with self.client() as client:
            return [
                client.workload_state(ref.kind, ref.namespace, ref.name)
                for ref in refs
                if ref.kind in PATHS
            ]


def _identity(operation: Operation) -> Identity:
    """As whom the cluster sees the work; never as MCM's own account in place of a person."""
    try:
        if operation.requested_by is None:
            raise PermissionDenied
        level = Level(operation.level)
        return identity.for_work(operation.requested_by, operation.cluster, level)
    except PermissionDenied as error:
        raise Failed("Whoever asked for this may no longer do it.") from error


def _operates_all(operation: Operation) -> bool:
    user = operation.requested_by
    return user is not None and access.may(user, Action.OPERATE, operation.cluster)


def _admitted(operation: Operation) -> Helmed:
    """The release, after the cluster has let the person in; Failed where it does not.

    Helm calls a cluster that refuses the name "unreachable: unknown", and nothing more.
    """
    helmed = Helmed(operation)
    if helmed.identity != SERVICE_ACCOUNT:
        try:
            with helmed.client() as client:
                client.version()
        except Forbidden as error:
            raise Failed(_explained(str(error), helmed)) from error
        except KubeError:
            pass  # Helm itself will say what is wrong
    return helmed


def _explained(message: str, helmed: Helmed) -> str:
    """A refusal by the cluster's RBAC, with what gives the person the right."""
    if helmed.identity == SERVICE_ACCOUNT or "forbidden" not in message.lower():
        return message
    return "\n".join([message, NOT_KNOWN % {"user": helmed.identity.user}])


def install(job: Job) -> None:
    """Installs the chart; succeeds only when its workloads are ready (or were not waited for)."""
    given = msgspec.json.decode(job.operation.unseal(), type=InstallInput)
    # Helm, the chart and the cluster all may quote in their words what they do not like.
    job.conceal = masking.concealing(values.check(given.values))
    chart = Chart.objects.filter(pk=given.chart).first()
    if chart is None:
        raise Failed("The uploaded chart is not there any more.")
    operation = job.operation
    job.log(
        f"Installing {chart} as {operation.target} in {operation.cluster}/{operation.namespace}"
    )
    helmed = _admitted(operation)
    spec = helm.Install(
        namespace=operation.namespace,
        release=operation.target,
        chart=bytes(chart.archive),
        values=given.values,
        wait=given.wait,
        timeout=given.timeout,
        atomic=given.atomic,
    )
    # Who holds the namespace only has not the right to create it.
    if helmed.whole:
        _make_namespace(job, helmed)
    watched = threading.Event()
    looker = threading.Thread(target=_look, args=(job, helmed, watched), daemon=True)
    looker.start()
    try:
        release = helmed.helm.install(spec, job.log, job.cancelled)
    except helm.HelmCancelled as error:
        raise Cancelled from error
    except helm.HelmError as error:
        raise Failed(_explained(_with_reasons(error.message, helmed), helmed)) from error
    finally:
        watched.set()
        looker.join()
        refresh(operation.cluster)
    _prove(job, helmed, wait=given.wait)
    job.result["revision"] = release.revision
    job.log(f"{release.name} is {release.status}, revision {release.revision}")


def _make_namespace(job: Job, helmed: Helmed) -> None:
    """Makes the namespace where there is none, and never changes one.

    Helm's own `--create-namespace` patches it: operators would need the right to its labels, by
    which Pod Security is enforced.
    """
    name = job.operation.namespace
    try:
        with helmed.client() as client:
            try:
                client.get(f"/api/v1/namespaces/{name}")
            except NotFound:
                body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
                client.request("POST", "/api/v1/namespaces", body)
                job.log(f"Created the namespace {name}")
    except Conflict:
        pass  # somebody else was faster
    except KubeError as error:
        raise Failed(_explained(str(error), helmed)) from error


def uninstall(job: Job) -> None:
    given = msgspec.json.decode(job.operation.unseal(), type=UninstallInput)
    operation = job.operation
    job.log(f"Uninstalling {operation.target} from {operation.cluster}/{operation.namespace}")
    helmed = _admitted(operation)
    try:
        helmed.helm.uninstall(
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
        raise Failed(_explained(error.message, helmed)) from error
    finally:
        refresh(operation.cluster)


def repair(job: Job) -> None:
    """Unlocks a release whose worker died while Helm was changing it."""
    operation = job.operation
    helmed = _admitted(operation)
    try:
        helmed.helm.repair(operation.namespace, operation.target, on_line=job.log)
    except helm.ReleaseNotFound:
        job.log("Nothing of the release is left: there is nothing to repair.")
    except helm.HelmError as error:
        raise Failed(_explained(error.message, helmed)) from error
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
        began = store.now()
        try:
            store.replace(cluster, helm.Helm(cluster.connection, SERVICE_ACCOUNT).list(), began)
        except helm.HelmError as error:
            store.not_listed(cluster, error.message, began)
        except vault.CannotOpen:
            store.not_listed(cluster, SEALED, began)
        except Exception:
            log.exception("the releases of %s were not listed", cluster)
            store.not_listed(cluster, BROKEN, began)
    except Exception:
        # The database is away, or the cluster was deleted; the work that this ends has its result.
        log.exception("nothing was stored of the releases of %s", cluster)


def _look(job: Job, helmed: Helmed, ended: threading.Event) -> None:
    """Says beside Helm, which is silent while it waits, how many pods are ready."""
    told: dict[tuple[str, str], str] = {}
    while not ended.wait(LOOK_SECONDS):
        try:
            for state in helmed.states():
                line = f"{state.kind} {state.name}: {state.ready} of {state.wanted} ready"
                if told.get((state.kind, state.name)) != line:
                    told[state.kind, state.name] = line
                    job.log(line)
        except (KubeError, helm.HelmError):
            continue  # not there yet, or Helm itself will say what is wrong


def _prove(job: Job, helmed: Helmed, *, wait: bool) -> None:
    """Looks at the workloads themselves: Helm's word alone is not the truth of the pods."""
    try:
        waiting = [state for state in helmed.states() if not state.done]
    except (KubeError, helm.HelmError) as error:
        raise Failed(f"Helm succeeded, but its pods could not be checked: {error}") from error
    if not waiting:
        job.log("All workloads are ready.")
    elif wait:
        said = "; ".join(f"{state.kind} {state.name}: {state.reason}" for state in waiting)
        raise Failed(_with_reasons(said, helmed))
    for state in waiting:
        job.log(f"{state.kind} {state.name} was not waited for: {state.reason}")


def _with_reasons(message: str, helmed: Helmed) -> str:
    """The message, followed by what the pods of the workloads that are not ready say."""
    problems: list[PodProblem] = []
    try:
        for state in helmed.states():
            if not state.done:
                with helmed.client() as client:
                    problems += client.workload_problems(state.kind, state.namespace, state.name)
    except (KubeError, helm.HelmError):
        return message
    lines = [
        f"{problem.pod} {problem.container}".strip()
        + f": {problem.status} {problem.message}".rstrip()
        for problem in problems[:MOST_REASONS]
    ]
    return "\n".join([message, *lines])
