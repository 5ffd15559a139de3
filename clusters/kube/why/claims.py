"""PersistentVolumeClaims that are not bound, for themselves and for the pods that wait for them."""

import re
from collections.abc import Iterator

from clusters.kube.errors import sentence
from clusters.kube.why.around import Around
from clusters.kube.why.cause import PLACE, WAITING, Cause, Evidence, Saying, cause, evidence
from clusters.kube.why.neighbours import Claim, PersistentVolume, StorageClass
from clusters.kube.why.parts import Event, about, seconds
from clusters.kube.why.pod import Pod

_CLASS = re.compile(r'storageclass\.storage\.k8s\.io "([^"]{1,253})" not found')
_PROVISIONER = re.compile(r"external provisioner '([^']{1,253})'")

ABSENT = Saying(
    "pvc_missing",
    PLACE,
    sentence("The PersistentVolumeClaim %(claim)s that the pod mounts does not exist."),
    sentence("Make the claim in this namespace, or mend claimName in the pod's template."),
)
NO_CLASS = Saying(
    "pvc_no_class",
    PLACE,
    sentence(
        "The PersistentVolumeClaim %(claim)s is not bound: it has no storage class that"
        " could make a volume, and no volume that is there fits."
    ),
    sentence("Name a storage class in a new claim, or make a PersistentVolume that fits it."),
)
CLASS_MISSING = Saying(
    "pvc_class_missing",
    PLACE,
    sentence(
        "The PersistentVolumeClaim %(claim)s asks for the storage class %(class)s, which"
        " does not exist."
    ),
    sentence("Make a new claim with a class that exists; the class of a claim cannot be changed."),
)
PROVISIONING = Saying(
    "pvc_provisioning_failed",
    PLACE,
    sentence(
        "No volume can be made for the PersistentVolumeClaim %(claim)s (storage class %(class)s)."
    ),
    sentence(
        "The message of the provisioner beside this says why: quota, size, zone or"
        " credentials of the storage."
    ),
)
PROVISIONER = Saying(
    "pvc_waits_for_provisioner",
    PLACE,
    sentence(
        "The PersistentVolumeClaim %(claim)s waits until the provisioner %(provisioner)s"
        " has made its volume."
    ),
    sentence(
        "If that takes long, see that the pods of this storage driver run, and read their logs."
    ),
)
FIRST_POD = Saying(
    "pvc_waits_for_pod",
    WAITING,
    sentence(
        "The PersistentVolumeClaim %(claim)s gets its volume when the first pod that uses"
        " it is placed (WaitForFirstConsumer)."
    ),
    sentence(
        "Nothing is wrong with the claim: start a pod that uses it, or look at why that"
        " is not placed."
    ),
)
LOST = Saying(
    "pvc_lost",
    PLACE,
    sentence(
        "The PersistentVolumeClaim %(claim)s has lost its volume %(volume)s; the data on"
        " it is gone or out of reach."
    ),
    sentence("Restore the PersistentVolume, or make the claim anew from a backup."),
)
UNBOUND = Saying(
    "pvc_unbound",
    PLACE,
    sentence("The PersistentVolumeClaim %(claim)s is not bound to a volume."),
    sentence("Look at the claim's events, its storage class and the volumes that there are."),
)
DELETED = Saying(
    "pvc_being_deleted",
    PLACE,
    sentence("The PersistentVolumeClaim %(claim)s that the pod mounts is being deleted."),
    sentence("Make the claim anew when it is gone, or stop the pods that hold it."),
)


def of_pod(pod: Pod, around: Around) -> Iterator[Cause]:
    """What is wrong with the claims of a pod that has no node yet."""
    for name in pod.claims():
        if around.gone("claim", name):
            said = [evidence("field", "spec.volumes[].persistentVolumeClaim", name)]
            yield cause(ABSENT, about("Pod", pod.metadata), said, claim=name)
        elif (claim := around.one("claim", name)) is not None:
            yield from of_claim(claim, around)


def of_claim(claim: Claim, around: Around) -> Iterator[Cause]:
    """Why a claim is not bound; nothing when it is."""
    meta = claim.metadata
    events = around.events(meta, "PersistentVolumeClaim")
    # A claim that is not bound has not been since it was made.
    since = seconds(meta.creation_timestamp) if claim.status.phase == "Pending" else 0
    phase = [evidence("field", "status.phase", claim.status.phase, since)]
    if claim.status.phase == "Lost":
        yield _cause(claim, LOST, _first(events, "ClaimLost") or phase)
    elif claim.status.phase == "Pending":
        if meta.deletion_timestamp:
            yield _cause(claim, DELETED, phase)
        yield _pending(claim, around, events, phase)


def _pending(claim: Claim, around: Around, events: list[Event], phase: list[Evidence]) -> Cause:
    wanted = claim.spec.storage_class_name or ""
    failed = _first(events, "ProvisioningFailed")
    missing = wanted and around.gone("class", wanted)
    if missing or any(_CLASS.search(each.text) for each in failed):
        return _cause(claim, CLASS_MISSING, failed or phase)
    if failed:
        return _cause(claim, PROVISIONING, failed)
    if bound := _first(events, "FailedBinding"):
        return _cause(claim, NO_CLASS if not wanted else UNBOUND, bound)
    if waits := _first(events, "ExternalProvisioning"):
        found = _PROVISIONER.search(waits[0].text)
        return _cause(claim, PROVISIONER, waits, found[1] if found else "?")
    if waits := _first(events, "WaitForFirstConsumer"):
        return _cause(claim, FIRST_POD, waits)
    kind: StorageClass | None = around.one("class", wanted)
    if kind is not None and kind.volume_binding_mode == "WaitForFirstConsumer":
        return _cause(claim, FIRST_POD, phase)
    return _cause(claim, UNBOUND, phase)


def _first(events: list[Event], reason: str) -> list[Evidence]:
    return [each.said() for each in events if each.reason == reason][:1]


def _cause(claim: Claim, saying: Saying, said: list[Evidence], provisioner: str = "") -> Cause:
    return cause(
        saying,
        about("PersistentVolumeClaim", claim.metadata),
        said,
        claim=claim.metadata.name,
        provisioner=provisioner,
        volume=claim.spec.volume_name,
        **{"class": claim.spec.storage_class_name or ""},
    )


def places(pod: Pod, around: Around) -> str:
    """Where the volumes of a pod's claims are, as far as they say: "data: zone In (a)"."""
    found = []
    for name in pod.claims():
        claim: Claim | None = around.one("claim", name)
        volume: PersistentVolume | None = (
            around.one("volume", claim.spec.volume_name) if claim else None
        )
        affinity = volume.spec.node_affinity if volume else None
        for term in affinity.required.node_selector_terms if affinity and affinity.required else []:
            found.append(f"{name}: {', '.join(map(str, term.match_expressions))}")
    return "; ".join(found)
