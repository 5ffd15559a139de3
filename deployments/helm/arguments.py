"""Argument lists for Helm. Pure functions; the only place that knows how Helm 3 and 4 differ."""

from collections.abc import Sequence
from pathlib import Path

from deployments.helm import names
from deployments.helm.types import Install, Program, Upgrade

# Helm has no "never"; this many revisions of one release are kept, as Helm does by default.
HISTORY_MAX = 10


def install(helm: Program, spec: Install, chart: Path, values: Path | None) -> list[str]:
    """`helm install`: answers with JSON on stdout, progress on stderr."""
    command = ["install", *_common(spec.namespace), "--debug", "--output", "json"]
    command += _waiting(helm, wait=spec.wait, timeout=spec.timeout, atomic=spec.atomic)
    return [*command, *_values(values), "--", names.release(spec.release), str(chart)]


def upgrade(helm: Program, spec: Upgrade, chart: Path, values: Path | None) -> list[str]:
    """`helm upgrade`. Without `--reset-values` Helm would keep old values when given none."""
    command = ["upgrade", *_common(spec.namespace), "--debug", "--output", "json"]
    command += _waiting(helm, wait=spec.wait, timeout=spec.timeout, atomic=spec.atomic)
    command += ["--reset-then-reuse-values" if spec.reuse_values else "--reset-values"]
    command += ["--history-max", str(HISTORY_MAX)]
    return [*command, *_values(values), "--", names.release(spec.release), str(chart)]


def rollback(
    helm: Program, namespace: str, release: str, revision: int, *, wait: bool, timeout: int
) -> list[str]:
    """`helm rollback` to a revision."""
    command = ["rollback", *_common(namespace), "--debug"]
    command += _waiting(helm, wait=wait, timeout=timeout, atomic=False)
    command += ["--history-max", str(HISTORY_MAX)]
    return [*command, "--", names.release(release), str(names.revision(revision))]


def uninstall(
    helm: Program, namespace: str, release: str, *, wait: bool, timeout: int, keep_history: bool
) -> list[str]:
    """`helm uninstall`."""
    command = ["uninstall", *_common(namespace), "--debug"]
    command += _waiting(helm, wait=wait, timeout=timeout, atomic=False)
    command += ["--keep-history"] if keep_history else []
    return [*command, "--", names.release(release)]


def listing(helm: Program, namespace: str | None) -> list[str]:
    """`helm list` of every state, without an upper limit."""
    where = ["--all-namespaces"] if namespace is None else _common(namespace)
    # Helm 4 lists every state unless told otherwise and has no --all.
    everything = ["--all"] if helm.major < 4 else []
    times = ["--time-format", "2006-01-02T15:04:05.999999999Z07:00"]
    return ["list", *where, *everything, "--max", "0", "--output", "json", *times]


def history(namespace: str, release: str, *, limit: int) -> list[str]:
    """`helm history`, the newest `limit` revisions."""
    command = ["history", *_common(namespace), "--max", str(limit), "--output", "json"]
    return [*command, "--", names.release(release)]


def get(
    what: str, namespace: str, release: str, *, revision: int | None, options: Sequence[str] = ()
) -> list[str]:
    """`helm get values|manifest`."""
    command = ["get", what, *_common(namespace), *options]
    command += [] if revision is None else ["--revision", str(names.revision(revision))]
    return [*command, "--", names.release(release)]


def template(
    spec: Install | Upgrade, chart: Path, values: Path | None, *, server: bool, no_hooks: bool
) -> list[str]:
    """`helm template`; with `server` the cluster answers look-ups and tells its API versions."""
    command = ["template", *_common(spec.namespace), "--include-crds"]
    command += ["--dry-run=server"] if server else []
    command += ["--no-hooks"] if no_hooks else []
    command += ["--is-upgrade"] if isinstance(spec, Upgrade) else []
    return [*command, *_values(values), "--", names.release(spec.release), str(chart)]


def _common(namespace: str) -> list[str]:
    return ["--namespace", names.namespace(namespace)]


def _values(values: Path | None) -> list[str]:
    return [] if values is None else ["--values", str(values)]


def _waiting(helm: Program, *, wait: bool, timeout: int, atomic: bool) -> list[str]:
    flags = ["--timeout", f"{timeout}s"]
    flags += ["--wait"] if wait else []
    if atomic:
        flags.append("--atomic" if helm.major < 4 else "--rollback-on-failure")
    return flags
