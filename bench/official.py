"""The official Python client as a peer: `python -m bench.official list|watch URL CA TOKEN`."""

import json
import signal
import sys
import time
from typing import Any

from kubernetes import client, watch


def main(command: str, server: str, ca: str, token: str, *more: str) -> None:
    """Says what it took as JSON, then stays until it is ended, so that its memory can be read."""
    config = client.Configuration()
    config.host, config.ssl_ca_cert = server, ca
    config.api_key = {"authorization": f"Bearer {token}"}
    config.api_key["BearerToken"] = config.api_key["authorization"]
    api = client.CoreV1Api(client.ApiClient(config))
    began, used = time.monotonic(), time.process_time()
    if command == "list":
        kept = {uid_of(pod): pod for pod in api.list_pod_for_all_namespaces().items}
        say(pods=len(kept), wall=time.monotonic() - began, cpu=time.process_time() - used)
    else:
        follow(api, int(more[0]))
    signal.pause()


def follow(api: client.CoreV1Api, events: int) -> None:
    """So many events of a watch, timed from the first."""
    kept, seen, began, used = {}, 0, 0.0, 0.0
    untyped: Any = watch.Watch
    for event in untyped().stream(api.list_pod_for_all_namespaces):
        if not seen:
            began, used = time.monotonic(), time.process_time()
        pod = event["object"]
        kept[uid_of(pod)] = pod
        seen += 1
        if seen == events:
            break
    say(updates=seen, wall=time.monotonic() - began, cpu=time.process_time() - used)


def uid_of(pod: client.V1Pod) -> str | None:
    """The key of a copy."""
    return pod.metadata.uid if pod.metadata else None


def say(**what: float) -> None:
    """One JSON object as a line, at once."""
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
