"""One real control plane, with KWOK as its nodes, and the etcd that clusters share."""

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from testbed import certs, kubeconfig, kwok, programs
from testbed.api import Api, ApiError, Json
from testbed.build import PROGRAMS, ensure
from testbed.identities import Identities
from testbed.podlogs import PodLogs
from testbed.process import Child, Ports
from testbed.specs import ClusterSpec, spec_of
from testbed.system import metrics_objects
from testbed.toolchain import Say
from testbed.waiting import NotReady, wait_until

START_TIMEOUT = 120.0


def quiet(_line: str) -> None:
    """Takes progress lines and drops them."""


class Etcd:
    """The store of all clusters of one home folder, each under a prefix of its own."""

    def __init__(self, home: Path, ports: Ports) -> None:
        self.child = Child("etcd", (), home)
        self._home = home
        self._ports = ports

    @property
    def port(self) -> int:
        """The port of its clients."""
        return self._ports.known("etcd")

    def start(self, *, say: Say = quiet) -> None:
        """Start it with the data of the last time."""
        program = ensure(["etcd"], say=say)["etcd"]
        ports = self._ports.take(["etcd", "etcd-peer"])
        data = self._home / "etcd"
        data.mkdir(mode=0o700, exist_ok=True)
        self.child.command = programs.etcd(program, data, ports)
        self.child.start()

    def stop(self) -> None:
        """End it; the data stays."""
        self.child.stop(grace=3)


class Cluster:
    """A cluster by its name in a home folder.

    Either this process starts it (`start`), or another one did (`python -m testbed`, a test
    fixture) and this is a handle on it: everything but `start` and `stop` works then, too.
    """

    def __init__(self, name: str, home: Path, *, etcd: Etcd | None = None) -> None:
        self.spec: ClusterSpec = spec_of(name)
        self.name = name
        self.home = home.absolute()
        self._ports = Ports.of(self.home)
        self._etcd = etcd or Etcd(self.home, self._ports)
        self._owns_etcd = etcd is None
        self._files = programs.Files(self.home / "clusters" / name)
        self._identities = Identities(self._files.folder)
        self.podlogs = PodLogs(self._files.path("podlogs"), name)
        self.children = [
            Child(f"{name}.{program}", (), self.home) for program in programs.OF_A_CLUSTER
        ]

    @property
    def kubeconfig_path(self) -> Path:
        """`HOME/NAME.yaml`; the file is there while the cluster is ready."""
        return self.home / f"{self.name}.yaml"

    @property
    def kubeconfig(self) -> str:
        """The text of a kubeconfig with all rights."""
        pair = self._identities.kept("admin", ["system:masters"])
        return kubeconfig.with_certificate(
            self.name, self._port("apiserver"), self._identities.ca, "admin", pair
        )

    def token_kubeconfig(self, user: str, groups: Sequence[str] | None = None) -> str:
        """A kubeconfig with the bearer token of a known user, who has only what RBAC gives.

        The users are `identities.USERS`; `groups`, if given, must be the groups named there.
        """
        token = self._identities.token(user, groups)
        return kubeconfig.with_token(
            self.name, self._port("apiserver"), self._identities.ca, user, token
        )

    def certificate_kubeconfig(self, user: str, groups: Sequence[str] = ()) -> str:
        """A kubeconfig for any user and groups, by a new client certificate."""
        pair = self._identities.sign(user, groups)
        return kubeconfig.with_certificate(
            self.name, self._port("apiserver"), self._identities.ca, user, pair
        )

    def account_kubeconfig(self, namespace: str, account: str) -> str:
        """A kubeconfig with a new token, for a year, of a service account that is there."""
        path = f"/api/v1/namespaces/{namespace}/serviceaccounts/{account}/token"
        wanted = {"spec": {"expirationSeconds": 365 * 24 * 3600}}
        token = self.api.post(path, wanted)["status"]["token"]
        return kubeconfig.with_token(
            self.name, self._port("apiserver"), self._identities.ca, account, token
        )

    @property
    def api(self) -> Api:
        """A client with all rights, as the testbed itself; not seen in the audit log."""
        certificate, key = self._files.pair("components")
        return Api(
            self._port("apiserver"), ca=self._files.path("ca.crt"), certificate=certificate, key=key
        )

    def ready(self) -> bool:
        """Whether it answers and its nodes are there."""
        return self.kubeconfig_path.exists() and self._answers(timeout=2)

    def start(self, *, say: Say = quiet) -> None:
        """Start it and return when it is ready; the objects of the last time are there again."""
        self.kubeconfig_path.unlink(missing_ok=True)
        self._hold.unlink(missing_ok=True)
        paths = ensure(say=say)
        if self._owns_etcd:
            self.home.mkdir(parents=True, exist_ok=True)
            self._etcd.start(say=say)
        self._prepare(paths)
        apiserver, *others = self.children
        apiserver.start()
        self._await_apiserver()
        for child in others:
            child.start()
        self._make_nodes()
        wait_until(self._nodes_ready, f"the nodes of {self.name}", timeout=START_TIMEOUT)
        certs.write_private(self.kubeconfig_path, self.kubeconfig.encode())

    def stop(self) -> None:
        """End everything that `start` started."""
        self.kubeconfig_path.unlink(missing_ok=True)
        self._hold.unlink(missing_ok=True)
        for child in reversed(self.children):
            child.stop()
        if self._owns_etcd:
            self._etcd.stop()

    def pause(self) -> None:
        """The API server accepts connections and never answers (SIGSTOP), until `resume`."""
        self._signal(programs.PAUSE)

    def resume(self) -> None:
        """Undo `pause`."""
        self._signal(programs.RESUME)

    def kill(self) -> None:
        """End the API server at once (SIGKILL); it stays down until `restart`."""
        # The supervisor of a fleet does not start an API server again that is held down.
        self._hold.touch()
        process = self.children[0].process
        if process is not None:
            process.signal(programs.KILL)
            process.wait(5)

    def restart(self) -> None:
        """Start the API server again, killed or not, and return when it answers."""
        apiserver = self.children[0]
        before = apiserver.process
        if apiserver.ours:
            apiserver.stop()
            self._hold.unlink(missing_ok=True)
            apiserver.start()
        else:
            self._hold.unlink(missing_ok=True)
            if before is not None:
                before.end(grace=2)
        wait_until(
            lambda: apiserver.process not in (None, before) and self._answers(),
            f"the API server of {self.name}",
            timeout=START_TIMEOUT,
        )

    @property
    def held(self) -> bool:
        """Whether `kill` holds the API server down."""
        return self._hold.exists()

    def audit(self) -> Iterator[Json]:
        """The audit events of its API server so far, oldest first, of all but its own programs."""
        log = self._files.path("audit.log")
        if not log.exists():
            return
        with log.open() as lines:
            for line in lines:
                # The last line may be half written.
                with suppress(json.JSONDecodeError):
                    yield json.loads(line)

    @property
    def _hold(self) -> Path:
        return self.home / "run" / f"{self.name}.held"

    def _port(self, program: str) -> int:
        return self._ports.known(f"{self.name}.{program}")

    def _signal(self, number: int) -> None:
        process = self.children[0].process
        if process is None:
            raise NotReady(f"the API server of {self.name} does not run")
        process.signal(number)

    def _answers(self, timeout: float = 5) -> bool:
        certificate, key = self._files.pair("components")
        api = Api(
            self._port("apiserver"),
            ca=self._files.path("ca.crt"),
            certificate=certificate,
            key=key,
            timeout=timeout,
        )
        return api.answers("/readyz")

    def _prepare(self, paths: dict[str, Path]) -> None:
        names = ("apiserver", "kwok", "metrics-server")
        taken = self._ports.take([f"{self.name}.{name}" for name in names])
        ports = {name: taken[f"{self.name}.{name}"] for name in names}
        ports["etcd"] = self._etcd.port
        self._files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._identities.prepare()
        pair = self._identities.kept("components", ["system:masters"], user="testbed:components")
        text = kubeconfig.with_certificate(
            self.name, ports["apiserver"], self._identities.ca, "components", pair
        )
        certs.write_private(self._files.path("components.yaml"), text.encode())
        self.podlogs.begin()
        kwok.write_config(self._files.path("kwok.yaml"), self.podlogs, self.home / "sandbox")
        commands = programs.of_a_cluster(paths, self.spec, self._files, ports)
        for child, command in zip(self.children, commands, strict=True):
            child.command = command

    def _await_apiserver(self) -> None:
        apiserver = self.children[0]

        def answers() -> bool:
            if apiserver.process is None:
                raise NotReady(f"{apiserver.name} ended: {apiserver.said()}")
            return self._answers()

        wait_until(answers, apiserver.name, timeout=START_TIMEOUT)

    def _make_nodes(self) -> None:
        api, port = self.api, self._port("kwok")
        for node in self.spec.node_manifests(PROGRAMS["kube-apiserver"].version, port):
            api.create_missing(node)
            # A port that was not free any more: logs and exec must find the new one at once.
            body = {"status": {"daemonEndpoints": {"kubeletEndpoint": {"Port": port}}}}
            api.patch(f"/api/v1/nodes/{node['metadata']['name']}/status", body)
        for manifest in metrics_objects(self._port("metrics-server")):
            api.apply(manifest)

    def _nodes_ready(self) -> bool:
        try:
            self.api.get("/api/v1/namespaces/default/configmaps/kube-root-ca.crt")
            nodes = list(self.api.items("/api/v1/nodes"))
        except ApiError:
            return False
        return len(nodes) >= self.spec.nodes and all(_is_ready(node) for node in nodes)


def _is_ready(node: Json) -> bool:
    conditions = node["status"].get("conditions", [])
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)
