"""The configuration of KWOK: stages, logs, exec and metrics of one cluster."""

import os
import stat
from pathlib import Path

import yaml

from testbed.api import Json
from testbed.podlogs import PodLogs

STAGES = Path(__file__).parent / "stages"
NOBODY = 65534
GREETING = "This is a pretended container of the MCM test clusters: an empty folder, no network.\n"


def write_config(path: Path, logs: PodLogs, sandbox: Path) -> None:
    """Write the configuration to `path`; `sandbox` becomes the working folder of exec."""
    sandbox.mkdir(parents=True, exist_ok=True)
    (sandbox / "README").write_text(GREETING)
    documents: list[Json] = []
    for file in sorted(STAGES.glob("*.yaml")):
        documents += yaml.safe_load_all(file.read_text())
    documents += [dict(logs.config()), _exec(sandbox), _options()]
    path.write_text(yaml.safe_dump_all(documents, sort_keys=False))


def _exec(sandbox: Path) -> Json:
    """Commands of `kubectl exec` run on this machine: with little, and never as root."""
    local: Json = {
        "workDir": str(sandbox),
        "envs": [
            {"name": "PATH", "value": "/usr/local/bin:/usr/bin:/bin"},
            {"name": "HOME", "value": str(sandbox)},
            {"name": "TERM", "value": "xterm"},
            {"name": "PS1", "value": "$ "},
        ],
    }
    if os.getuid() == 0:
        local["securityContext"] = {"runAsUser": NOBODY, "runAsGroup": NOBODY}
        if not _open_to_others(sandbox):
            local["workDir"] = "/"
    return {
        "apiVersion": "kwok.x-k8s.io/v1alpha1",
        "kind": "ClusterExec",
        "metadata": {"name": "exec"},
        "spec": {"execs": [{"local": local}]},
    }


def _options() -> Json:
    """KWOK's own options. It takes no default once this object is there, so all are named."""
    return {
        "apiVersion": "config.kwok.x-k8s.io/v1alpha1",
        "kind": "KwokConfiguration",
        "metadata": {"name": "kwok"},
        "options": {
            "enableDebuggingHandlers": True,
            "podPlayStageParallelism": 16,
            "nodePlayStageParallelism": 4,
            "nodeLeaseParallelism": 4,
            "podsOnNodeSyncParallelism": 4,
            "enablePodsOnNodeSyncListPager": True,
            "enablePodsOnNodeSyncStreamWatch": False,
            "enableCRDs": [],
        },
    }


def _open_to_others(folder: Path) -> bool:
    return all(place.stat().st_mode & stat.S_IXOTH for place in (folder, *folder.resolve().parents))
