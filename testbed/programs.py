"""The command line of every program of a cluster."""

import signal
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from testbed.specs import ClusterSpec

LOOPBACK = "127.0.0.1"
OF_A_CLUSTER = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kwok",
    "metrics-server",
)
PAUSE, RESUME, KILL = signal.SIGSTOP, signal.SIGCONT, signal.SIGKILL
# Without these, controllers and scheduler make 20 pods a second.
FAST = ("--kube-api-qps=1000", "--kube-api-burst=2000")


@dataclass(frozen=True)
class Files:
    """Where a cluster keeps what its programs read and write."""

    folder: Path

    def path(self, name: str) -> Path:
        """A file of the cluster."""
        return self.folder / name

    def pair(self, name: str) -> tuple[Path, Path]:
        """Certificate and key of a name."""
        return self.folder / f"{name}.crt", self.folder / f"{name}.key"

    @property
    def kubeconfig(self) -> str:
        """The option by which the programs find their API server."""
        return f"--kubeconfig={self.folder / 'components.yaml'}"

    @property
    def serving(self) -> tuple[str, str]:
        """The options of the serving certificate."""
        certificate, key = self.pair("server")
        return f"--tls-cert-file={certificate}", f"--tls-private-key-file={key}"


def etcd(program: Path, data: Path, ports: Mapping[str, int]) -> list[str]:
    """One etcd for all clusters of a fleet."""
    client, peer = (f"http://{LOOPBACK}:{ports[name]}" for name in ("etcd", "etcd-peer"))
    return [
        str(program),
        f"--data-dir={data}",
        f"--listen-client-urls={client}",
        f"--advertise-client-urls={client}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        # A power cut may lose the last seconds; a killed process loses nothing.
        "--unsafe-no-fsync",
        "--quota-backend-bytes=8589934592",
        "--log-level=warn",
    ]


def apiserver(
    program: Path, spec: ClusterSpec, files: Files, ports: Mapping[str, int]
) -> list[str]:
    """The API server of one cluster."""
    proxy_certificate, proxy_key = files.pair("front-proxy")
    service_accounts = files.path("sa.key")
    port = ports["apiserver"]
    return [
        str(program),
        f"--etcd-servers=http://{LOOPBACK}:{ports['etcd']}",
        f"--etcd-prefix=/{spec.name}",
        f"--secure-port={port}",
        f"--bind-address={LOOPBACK}",
        # Loopback may not be advertised, and nothing ever connects to this address.
        "--advertise-address=10.99.0.1",
        "--endpoint-reconciler-type=none",
        *files.serving,
        f"--client-ca-file={files.path('ca.crt')}",
        f"--requestheader-client-ca-file={files.path('front-proxy-ca.crt')}",
        "--requestheader-allowed-names=front-proxy",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={proxy_certificate}",
        f"--proxy-client-key-file={proxy_key}",
        f"--token-auth-file={files.path('tokens.csv')}",
        f"--service-account-issuer=https://{LOOPBACK}:{port}",
        f"--service-account-key-file={service_accounts}",
        f"--service-account-signing-key-file={service_accounts}",
        "--service-cluster-ip-range=10.0.0.0/24",
        "--authorization-mode=RBAC",
        # Pods need no tokens here: nothing runs in them.
        "--disable-admission-plugins=ServiceAccount",
        "--allow-privileged=true",
        "--profiling=false",
        "--delete-collection-workers=8",
        "--max-requests-inflight=2000",
        "--max-mutating-requests-inflight=1000",
        f"--audit-policy-file={Path(__file__).parent / 'audit-policy.yaml'}",
        f"--audit-log-path={files.path('audit.log')}",
        "--audit-log-maxsize=100",
        "--audit-log-maxbackup=1",
    ]


def controller_manager(program: Path, files: Files) -> list[str]:
    """The controllers of one cluster."""
    return [
        str(program),
        files.kubeconfig,
        "--leader-elect=false",
        "--secure-port=0",
        f"--service-account-private-key-file={files.path('sa.key')}",
        f"--root-ca-file={files.path('ca.crt')}",
        # KWOK gives pods their addresses.
        "--controllers=*,-nodeipam",
        *FAST,
    ]


def scheduler(program: Path, files: Files) -> list[str]:
    """The scheduler of one cluster."""
    return [str(program), files.kubeconfig, "--leader-elect=false", "--secure-port=0", *FAST]


def kwok(program: Path, spec: ClusterSpec, files: Files, ports: Mapping[str, int]) -> list[str]:
    """All nodes and kubelets of one cluster."""
    return [
        str(program),
        files.kubeconfig,
        "--manage-all-nodes",
        f"--config={files.path('kwok.yaml')}",
        f"--node-ip={LOOPBACK}",
        f"--node-port={ports['kwok']}",
        f"--server-address={LOOPBACK}:{ports['kwok']}",
        *files.serving,
        "--node-lease-duration-seconds=40",
        # It would write a line for every status of every pod.
        "--v=WARN",
        f"--cidr=10.{spec.number}.0.0/16",
    ]


def metrics_server(program: Path, files: Files, ports: Mapping[str, int]) -> list[str]:
    """Collects what `kubectl top` shows."""
    config = files.path("components.yaml")
    return [
        str(program),
        files.kubeconfig,
        f"--authentication-kubeconfig={config}",
        f"--authorization-kubeconfig={config}",
        f"--secure-port={ports['metrics-server']}",
        f"--bind-address={LOOPBACK}",
        *files.serving,
        "--kubelet-insecure-tls",
        "--kubelet-use-node-status-port",
        "--metric-resolution=15s",
        "--kubelet-request-timeout=5s",
    ]


def of_a_cluster(
    paths: Mapping[str, Path], spec: ClusterSpec, files: Files, ports: Mapping[str, int]
) -> list[list[str]]:
    """The command lines of OF_A_CLUSTER, in that order."""
    return [
        apiserver(paths["kube-apiserver"], spec, files, ports),
        controller_manager(paths["kube-controller-manager"], files),
        scheduler(paths["kube-scheduler"], files),
        kwok(paths["kwok"], spec, files, ports),
        metrics_server(paths["metrics-server"], files, ports),
    ]
