"""Claims, volumes and storage classes; STATUS follows `printPersistentVolumeClaim` and others."""

from collections.abc import Iterable
from typing import Any

from clusters.kube.project.base import (
    TERMINATING,
    annotation,
    facts,
    is_deleted,
    row,
    shared,
)
from clusters.kube.types import Health, Row

OLD_CLASS = "volume.beta.kubernetes.io/storage-class"
DEFAULT = ("storageclass.kubernetes.io/is-default-class",
           "storageclass.beta.kubernetes.io/is-default-class")  # fmt: skip
HEALTH: dict[str, Health] = {
    "Bound": "healthy",
    "Pending": "progressing",
    TERMINATING: "progressing",
    "Available": "idle",
    "Released": "idle",
    "Lost": "failing",
    "Failed": "failing",
}


def claim_row(found: Any) -> Row:
    """The row of a PersistentVolumeClaim message; ValueError as for pods."""
    status = _phase(found)
    volume = found.spec.volumeName
    return row(
        "PersistentVolumeClaim",
        found.metadata,
        status=status,
        health=HEALTH.get(status, "unknown"),
        facts=facts(
            capacity=_capacity(found.status.capacity) if volume else "",
            volume=volume,
            **_class(found),
        ),
    )


def volume_row(found: Any) -> Row:
    """The row of a PersistentVolume message; ValueError as for pods."""
    status = _phase(found)
    claim = found.spec.claimRef
    return row(
        "PersistentVolume",
        found.metadata,
        status=status,
        health=HEALTH.get(status, "unknown"),
        since=found.status.lastPhaseTransitionTime.seconds,
        facts=facts(
            capacity=_capacity(found.spec.capacity),
            claim=f"{claim.namespace}/{claim.name}" if claim.name else "",
            reason=found.status.reason,
            **_class(found),
        ),
    )


def storage_class_row(found: Any) -> Row:
    """The row of a StorageClass message; ValueError as for pods."""
    is_default = any(annotation(found.metadata, each) == "true" for each in DEFAULT)
    deleted = is_deleted(found.metadata)
    return row(
        "StorageClass",
        found.metadata,
        status=TERMINATING if deleted else "",
        health="progressing" if deleted else "idle",
        facts=facts(provisioner=found.provisioner, default="true" if is_default else ""),
    )


def _phase(found: Any) -> str:
    return TERMINATING if is_deleted(found.metadata) else shared(found.status.phase or "Unknown")


def _class(found: Any) -> dict[str, str]:
    return {"class": annotation(found.metadata, OLD_CLASS) or found.spec.storageClassName}


def _capacity(amounts: Iterable[Any]) -> str:
    return next((str(each.value.string) for each in amounts if each.key == "storage"), "")
