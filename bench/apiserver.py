"""A real API server with its etcd and nothing else: no controller changes what is measured."""

import json
from pathlib import Path
from typing import Self

from bench import programs as peers
from bench.measure import Running, Usage, until, usage
from testbed import kubeconfig, programs
from testbed.api import Api, ApiError, Json
from testbed.build import ensure
from testbed.cluster import Etcd
from testbed.identities import USERS, Identities
from testbed.process import Child, Ports
from testbed.specs import spec_of
from testbed.toolchain import Say

NAME = "bench"
USER = "mcm"
NAMESPACES = 20  # of the seeded pods: team-00 to team-19


class ApiServer:
    """Started as a context; `seed` puts pods into it."""

    def __init__(self, home: Path, say: Say) -> None:
        self.home = home
        self._say = say
        self._files = programs.Files(home / "clusters" / NAME)
        self._ports = Ports.of(home)
        self._etcd = Etcd(home, self._ports)
        self._identities = Identities(self._files.folder)
        self._child = Child(f"{NAME}.kube-apiserver", (), home)
        self._seeded = 0

    def __enter__(self) -> Self:
        paths = ensure(["etcd", "kube-apiserver"], say=self._say)
        self._files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._etcd.start(say=self._say)
        self._identities.prepare()
        ports = {**self._ports.take(["apiserver"]), "etcd": self._etcd.port}
        self._child.command = programs.apiserver(
            paths["kube-apiserver"], spec_of(NAME), self._files, ports
        )
        self.start()
        self._permit()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._etcd.stop()

    def start(self) -> None:
        """Starts the API server alone, and returns when it answers."""
        self._child.start()
        until(lambda: self.api.answers("/readyz"), "the API server", 90, every=0.1)

    def stop(self) -> None:
        """Ends the API server alone."""
        self._child.stop()

    @property
    def port(self) -> int:
        """Where it listens on 127.0.0.1."""
        return self._ports.known("apiserver")

    @property
    def url(self) -> str:
        """Its address."""
        return f"https://127.0.0.1:{self.port}"

    @property
    def ca(self) -> Path:
        """The file of the certificate that clients trust."""
        return self._files.path("ca.crt")

    @property
    def folder(self) -> Path:
        """Where its certificates are."""
        return self._files.folder

    @property
    def token(self) -> str:
        """Of an account with all rights."""
        return self._identities.token(USER)

    @property
    def api(self) -> Api:
        """A client with all rights."""
        certificate, key = self._files.path("admin.crt"), self._files.path("admin.key")
        return Api(self.port, ca=self.ca, certificate=certificate, key=key)

    @property
    def usage(self) -> Usage:
        """What the API server has used so far."""
        process = self._child.process
        return usage(process.pid if process else 0)

    def kubeconfig(self, *, port: int | None = None, token: str | None = None) -> str:
        """A kubeconfig with a token, at another port where a proxy stands in front."""
        return kubeconfig.with_token(
            NAME, port or self.port, self._identities.ca, USER, token or self.token
        )

    def kubeconfig_file(self, contexts: int = 1) -> Path:
        """A kubeconfig for kubectl that names this server by several contexts."""
        config = json.loads(self.kubeconfig())
        first = config["contexts"][0]
        config["contexts"] = [{**first, "name": f"context-{n}"} for n in range(contexts)]
        config["current-context"] = "context-0"
        file = self.home / f"contexts-{contexts}.json"
        file.touch(mode=0o600)
        file.write_text(json.dumps(config))
        return file

    def seed(self, total: int) -> None:
        """Puts pods straight into etcd until there are `total`, and the server knows them."""
        if total > self._seeded:
            words = ["seed", f"http://127.0.0.1:{self._etcd.port}", f"/{NAME}"]
            options = ["-first", self._seeded, "-count", total - self._seeded]
            command = [peers.informer(self._say), *words, *map(str, options)]
            Running(command, self.home / "log" / "seed.log").finish()
            self._seeded = total
        until(self._has_all, f"{total} pods", 120, every=0.2)

    def pods(self) -> list[Json]:
        """The pods that were seeded."""
        return list(self.api.items("/api/v1/pods"))

    def _has_all(self) -> bool:
        # Served from the watch cache, as all who are measured will be.
        meta = self.api.get("/api/v1/pods", limit=1)["metadata"]
        return 1 + int(meta.get("remainingItemCount", 0)) >= self._seeded

    def _permit(self) -> None:
        for number in range(NAMESPACES):
            meta = {"name": f"team-{number:02d}"}
            self.api.create_missing({"apiVersion": "v1", "kind": "Namespace", "metadata": meta})
        group = {"kind": "Group", "name": USERS[USER][0], "apiGroup": "rbac.authorization.k8s.io"}
        role = {"kind": "ClusterRole", "name": "cluster-admin"}
        binding = {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "bench"},
            "roleRef": {**role, "apiGroup": "rbac.authorization.k8s.io"},
            "subjects": [group],
        }
        # The role is made by the server itself, a moment after its start.
        until(lambda: _tries(self.api, binding), "the rights of the account", 30, every=0.2)


def restart_count(api: Api, pod: Json, mark: int) -> None:
    """Writes a restart count into a pod's status: the change whose way is measured."""
    meta = pod["metadata"]
    statuses = pod["status"]["containerStatuses"]
    statuses[0]["restartCount"] = mark
    path = f"/api/v1/namespaces/{meta['namespace']}/pods/{meta['name']}/status"
    api.patch(path, {"status": {"containerStatuses": statuses}})


def _tries(api: Api, binding: Json) -> bool:
    try:
        api.create_missing(binding)
    except ApiError:
        return False
    return True
