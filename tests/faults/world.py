"""A running instance, all that was planted in it, and all that it was heard to say."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from testbed.cluster import Cluster
from tests.faults.planted import Markers
from tests.faults.visitor import Said, Visitor

TOPICS = ["clusters", "pods", "secrets", "releases", "operations", "grants", "usage"]


@dataclass
class World:
    """A running instance with a platform admin, a cluster, and all that was planted and said."""

    url: str
    https: str
    authority: Path
    cluster: Cluster
    namespace: str
    marks: Markers
    said: list[Said]
    admin: Visitor
    closed_port: int
    home: Path
    token: str = ""

    def visitor(self, token: str = "") -> Visitor:
        return Visitor(self.url, self.said, token)

    def program(self, token: str) -> Visitor:
        """One that speaks HTTPS, as kubectl does."""
        made = Visitor(self.https, self.said, token)
        made.session.verify = str(self.authority)
        return made

    @contextmanager
    def listening(self) -> Iterator[None]:
        """An open page that hears of everything during the block."""
        header = {"Cookie": f"sessionid={self.admin.session.cookies['sessionid']}"}
        address = self.url.replace("http", "ws") + "/ws/live/"
        with connect(address, additional_headers=header, origin=Origin(self.url)) as there:
            there.send(json.dumps({"watch": {"topics": TOPICS}}))
            thread = threading.Thread(target=self.hear, args=("live socket", there))
            thread.start()
            try:
                yield
            finally:
                there.close()
                thread.join()

    def hear(self, where: str, there: ClientConnection, *shows: str) -> None:
        """All that a socket says until it is closed."""
        with suppress(ConnectionClosed):
            for message in there:
                self.said.append(Said(where, str(message).encode(), shows))

    def with_token(self, token: str, port: int | None = None) -> str:
        """A kubeconfig of the cluster, or of another port."""
        config = json.loads(self.cluster.token_kubeconfig("mcm"))
        if port:
            config["clusters"][0]["cluster"]["server"] = f"https://127.0.0.1:{port}"
        config["users"][0]["user"] = {"token": token}
        return json.dumps(config)
