"""Helm on one cluster as one identity. Usable from a plain Python prompt; knows no Django."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clusters.kube import address, kubeconfig
from clusters.kube.errors import KubeError
from clusters.kube.types import SERVICE_ACCOUNT, Connection, Identity
from deployments.helm import arguments, charts, names, programs, replies, runner, values
from deployments.helm.errors import ClusterUnreachable, HelmFailed, ReleaseNotFound, raise_for
from deployments.helm.lines import lines_of
from deployments.helm.runner import Cancelled, Finished, Limits, OnLine, never, nothing
from deployments.helm.types import Install, Program, Release, Revision, Upgrade
from deployments.helm.workspace import Workspace, opened

READ_SECONDS: Final = 60.0
# Helm ends its own wait after `timeout`; MCM ends Helm this much later.
MARGIN_SECONDS: Final = 60.0
HISTORY_LIMIT: Final = 256

# In the class, `list` is the verb.
Releases = list[Release]
Revisions = list[Revision]
_Command = list[str]
_Build = Callable[[Workspace], _Command]


@dataclass(frozen=True, slots=True)
class _Following:
    """Who listens to a run and may end it, and when it ends at the latest."""

    on_line: OnLine = nothing
    cancelled: Cancelled = never
    seconds: float = READ_SECONDS


_READING: Final = _Following()


class Helm:
    """Helm's verbs on one cluster, as the person whose `identity` is given.

    Each method starts one Helm program and waits for it. All raise the kinds of `HelmError`:
    `ClusterUnreachable`, `NotPermitted`, `HelmTimedOut`, `HelmCancelled`, `HelmKilled`,
    `InvalidName`, `HelmFailed`, and those that they name. `HelmMissing` comes from the constructor.
    """

    def __init__(
        self,
        connection: Connection,
        identity: Identity = SERVICE_ACCOUNT,
        *,
        program: Program | None = None,
        limits: Limits | None = None,
    ) -> None:
        self._connection = connection
        self._kubeconfig = kubeconfig.render(connection, identity)
        self._program = program or programs.find("helm")
        self._limits = limits or Limits()

    def install(
        self, spec: Install, on_line: OnLine = nothing, cancelled: Cancelled = never
    ) -> Release:
        """Install a chart. Out: the release. Errors: `ReleaseExists`, `BadChart`, `BadValues`.

        After `HelmCancelled` and `HelmTimedOut` Helm had five seconds to mark the release as
        failed; what it did not manage, `repair` does.
        """
        return self._deploy(spec, on_line, cancelled)

    def upgrade(
        self, spec: Upgrade, on_line: OnLine = nothing, cancelled: Cancelled = never
    ) -> Release:
        """Upgrade a release. Out: the release at its new revision.

        Errors: `ReleaseNotFound`, `OperationInProgress`, `BadChart`, `BadValues`, `HelmFailed` with
        the code `no_deployed_revision` when it was never deployed (uninstall it first).
        """
        try:
            return self._deploy(spec, on_line, cancelled)
        except HelmFailed as error:
            if error.code == "no_deployed_revision":
                self.status(spec.namespace, spec.release)  # Helm says the same of a missing one
            raise

    def rollback(  # noqa: PLR0913
        self,
        namespace: str,
        release: str,
        revision: int,
        *,
        wait: bool = True,
        timeout: int = 300,
        on_line: OnLine = nothing,
        cancelled: Cancelled = never,
    ) -> Release:
        """Go back to a revision. Out: the release, at a new revision. Errors: `ReleaseNotFound`."""
        command = arguments.rollback(
            self._program, namespace, release, revision, wait=wait, timeout=timeout
        )
        self._write(command, _Following(on_line, cancelled, timeout + MARGIN_SECONDS))
        return self.status(namespace, release)

    def uninstall(  # noqa: PLR0913
        self,
        namespace: str,
        release: str,
        *,
        wait: bool = True,
        timeout: int = 300,
        keep_history: bool = False,
        on_line: OnLine = nothing,
        cancelled: Cancelled = never,
    ) -> None:
        """Remove a release and what it made. Errors: `ReleaseNotFound`."""
        command = arguments.uninstall(
            self._program,
            namespace,
            release,
            wait=wait,
            timeout=timeout,
            keep_history=keep_history,
        )
        self._write(command, _Following(on_line, cancelled, 2 * timeout + MARGIN_SECONDS))

    def list(self, *, namespace: str | None = None) -> Releases:
        """List the newest revision of every release, in every state, in one or all namespaces."""
        return replies.releases(self._read(arguments.listing(self._program, namespace)))

    def status(self, namespace: str, release: str) -> Release:
        """Return one release as it is now. Errors: `ReleaseNotFound`."""
        newest = self.history(namespace, release, limit=1)[-1]
        return replies.as_release(release, namespace, newest)

    def history(self, namespace: str, release: str, *, limit: int = HISTORY_LIMIT) -> Revisions:
        """Return the newest revisions, oldest first. Errors: `ReleaseNotFound`."""
        found = replies.revisions(self._read(arguments.history(namespace, release, limit=limit)))
        if not found:
            raise ReleaseNotFound(f"release {release} not found in {namespace}")
        return found

    def values(
        self, namespace: str, release: str, all: bool = False, *, revision: int | None = None
    ) -> str:
        """Return the values as YAML: the given ones, or `all` with the chart's; "" for none.

        They may hold secrets. Errors: `ReleaseNotFound`.
        """
        options = ("--output", "yaml", *(("--all",) if all else ()))
        command = arguments.get("values", namespace, release, revision=revision, options=options)
        text = self._read(command)
        return "" if text.strip() in {b"null", b"{}"} else text.decode("utf-8", "replace")

    def manifest(self, namespace: str, release: str, *, revision: int | None = None) -> str:
        """Return what the release put into the cluster, Secrets included; see `manifest.objects`.

        Errors: `ReleaseNotFound`.
        """
        command = arguments.get("manifest", namespace, release, revision=revision)
        return self._read(command).decode("utf-8", "replace")

    def template(
        self, spec: Install | Upgrade, *, server: bool = True, no_hooks: bool = True
    ) -> str:
        """Render a chart without changing anything. Out: the manifest, Secrets in clear text.

        With `server` the cluster answers the chart's look-ups and names its API versions; without,
        it is not asked at all. Errors: `BadChart`, `BadValues`, `HelmFailed`.
        """

        def command(workspace: Workspace) -> _Command:
            chart, given = _files(workspace, spec)
            return arguments.template(spec, chart, given, server=server, no_hooks=no_hooks)

        return self._run(command, _READING).answer.decode("utf-8", "replace")

    def repair(
        self, namespace: str, release: str, *, timeout: int = 300, on_line: OnLine = nothing
    ) -> Release | None:
        """Unlock a release whose Helm was killed. Out: as it is then, None when nothing is left.

        A pending first install is uninstalled, a pending upgrade or rollback goes back to the last
        deployed revision, a half-done uninstall is finished, all else stays. Only to be called when
        that Helm is proven dead. Errors: `ReleaseNotFound`; `HelmFailed` with the code
        `no_deployed_revision` when there is none to go back to.
        """
        past = self.history(namespace, release)
        newest = past[-1]
        if newest.status == "uninstalling" or (newest.status == "pending-install"):
            self.uninstall(namespace, release, wait=False, timeout=timeout, on_line=on_line)
            return None
        if not newest.status.startswith("pending-"):
            return replies.as_release(release, namespace, newest)
        good = [one.revision for one in past if one.status in {"deployed", "superseded"}]
        if not good:
            raise HelmFailed(f"{release} has no revision to go back to", "no_deployed_revision")
        deployed = [one.revision for one in past if one.status == "deployed"]
        target = (deployed or good)[-1]
        return self.rollback(
            namespace, release, target, wait=False, timeout=timeout, on_line=on_line
        )

    def _deploy(self, spec: Install | Upgrade, on_line: OnLine, cancelled: Cancelled) -> Release:
        def command(workspace: Workspace) -> _Command:
            chart, given = _files(workspace, spec)
            if isinstance(spec, Install):
                return arguments.install(self._program, spec, chart, given)
            return arguments.upgrade(self._program, spec, chart, given)

        names.namespace(spec.namespace)
        seconds = spec.timeout * (2 if spec.atomic else 1) + MARGIN_SECONDS
        finished = self._run(command, _Following(on_line, cancelled, seconds))
        known = replies.done(finished.answer)
        if known is None:
            return self.status(spec.namespace, spec.release)
        release, notes = known
        for line in lines_of(notes):
            on_line(line)
        return release

    def _write(self, command: _Command, following: _Following) -> None:
        finished = self._run(lambda _: command, following)
        for line in lines_of(finished.answer.decode("utf-8", "replace")):
            following.on_line(line)

    def _read(self, command: _Command) -> bytes:
        return self._run(lambda _: command, _READING).answer

    def _run(self, build: _Build, following: _Following) -> Finished:
        try:
            with opened() as workspace:
                return self._run_in(workspace, build(workspace), following)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise HelmFailed(
                f"the temporary folder cannot be used: {reason}", "disk_full"
            ) from error

    def _run_in(self, workspace: Workspace, command: _Command, following: _Following) -> Finished:
        try:
            address.check(self._connection)  # Helm connects by itself, and asks nobody
        except KubeError as error:
            raise ClusterUnreachable(str(error)) from error
        progress = replies.Progress()

        def listen(line: str) -> None:
            if words := progress.line(workspace.hide(line)):
                following.on_line(words)

        finished = runner.run(
            [self._program.path, *command],
            env=workspace.env(workspace.write("kubeconfig", self._kubeconfig)),
            on_line=listen,
            deadline=following.seconds,
            cancelled=following.cancelled,
            limits=self._limits,
            keep_stdout=True,
            cwd=workspace.folder,
        )
        if finished.code:
            raise_for(workspace.hide(replies.error_text(finished.tail)))
        return finished


def _files(workspace: Workspace, spec: Install | Upgrade) -> tuple[Path, Path | None]:
    """Write the checked chart and values for one run."""
    checked = values.check(spec.values)
    chart = workspace.write("chart.tgz", charts.repacked(spec.chart))
    return chart, workspace.write("values.yaml", spec.values) if checked else None
