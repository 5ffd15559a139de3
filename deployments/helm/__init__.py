"""Helm without Django: find the program, check what is untrusted, run it, read what it says."""

from deployments.helm.engine import Helm
from deployments.helm.errors import (
    BadChart,
    BadValues,
    ClusterUnreachable,
    HelmCancelled,
    HelmError,
    HelmFailed,
    HelmKilled,
    HelmMissing,
    HelmTimedOut,
    InvalidName,
    NotPermitted,
    OperationInProgress,
    ReleaseExists,
    ReleaseNotFound,
)
from deployments.helm.manifest import objects
from deployments.helm.types import (
    ChartInfo,
    Install,
    ObjectRef,
    Program,
    Release,
    Revision,
    Upgrade,
)

__all__ = [
    "BadChart",
    "BadValues",
    "ChartInfo",
    "ClusterUnreachable",
    "Helm",
    "HelmCancelled",
    "HelmError",
    "HelmFailed",
    "HelmKilled",
    "HelmMissing",
    "HelmTimedOut",
    "Install",
    "InvalidName",
    "NotPermitted",
    "ObjectRef",
    "OperationInProgress",
    "Program",
    "Release",
    "ReleaseExists",
    "ReleaseNotFound",
    "Revision",
    "Upgrade",
    "objects",
]
