"""What every projection from an object of the API to its slim `Row` shares.

Everything from a cluster is hostile: texts lose their control characters and their excess length
here, so that they can be stored and shown.
"""

import unicodedata
from collections.abc import Iterable
from itertools import islice
from typing import Any

from clusters.kube.cached import cached, total
from clusters.kube.schema import MESSAGE
from clusters.kube.types import Health, Row

FAILING = frozenset(
    {
        *("CrashLoopBackOff", "Error", "ImagePullBackOff", "ErrImagePull", "InvalidImageName"),
        *("CreateContainerConfigError", "CreateContainerError", "RunContainerError", "OOMKilled"),
        *("Evicted", "ContainerStatusUnknown", "StartError", "DeadlineExceeded", "Unknown"),
    }
)
"""The words that `status:failing` means, with or without "Init:" before them."""

LONGEST_NAME = 253
LONGEST_TEXT = 512
MOST_PARTS = 256  # labels, images or owners of one object
LATEST = 253402300799  # the last second of year 9999: no clock of ours goes further
LARGEST_INT32 = 2**31 - 1
LARGEST_INT64 = 2**63 - 1
NO_FACTS: dict[str, str] = {}
NO_COUNTS = (0, 0, 0)
TERMINATING = "Terminating"

_pair = MESSAGE["Pair"].FromString
_reference = MESSAGE["OwnerReference"].FromString


def plain(text: str, longest: int = LONGEST_TEXT) -> str:
    """`text` without control characters, at most `longest` long."""
    if text.isprintable() and len(text) <= longest:
        return text
    return "".join(c for c in text[:longest] if unicodedata.category(c)[0] != "C")


# The caches replace sys.intern, which never frees anything on Python 3.12. Sharing these texts
# between rows is what keeps 100,000 pods far below 150 MB. They are keyed by undecoded bytes where
# that spares the decoding, too.
@cached(65536, len)
def shared(text: str) -> str:
    """`plain` text as one object for all rows."""
    return plain(text)


@cached(16384, len)
def _shared_label(pair: bytes) -> tuple[str, str]:
    decoded = _pair(pair)
    return shared(decoded.key), shared(decoded.value)


@cached(16384, total)
def shared_labels(pairs: tuple[bytes, ...]) -> dict[str, str]:
    """One dict for all rows with the same labels: read it, never change it."""
    # Each ReplicaSet has other labels than all others, but only by one of them.
    return dict(map(_shared_label, islice(pairs, MOST_PARTS)))


@cached(16384, total)
def shared_images(images: tuple[str, ...]) -> tuple[str, ...]:
    """The images in their order, each once."""
    return tuple(dict.fromkeys(map(shared, islice(images, MOST_PARTS))))


@cached(16384, total)
def shared_owner(references: tuple[bytes, ...]) -> tuple[str, str]:
    """The kind and the name of the owner: the controlling one, or else the first, or none."""
    if not references:
        return "", ""
    decoded = list(map(_reference, islice(references, MOST_PARTS)))
    chosen = next((each for each in decoded if each.controller), decoded[0])
    return shared(chosen.kind), shared(chosen.name)


@cached(16384, lambda pairs: sum(map(total, pairs)))
def _shared_facts(pairs: tuple[tuple[str, str], ...]) -> dict[str, str]:
    return {key: shared(value) for key, value in pairs if value}


def facts(**values: str) -> dict[str, str]:
    """The facts that are known (not ""), as one dict for all rows with the same ones."""
    return _shared_facts(tuple(values.items()))


def row(  # noqa: PLR0913 - the parts that differ between kinds, named at each call
    kind: str,
    metadata: Any,
    *,
    status: str,
    health: Health,
    counts: tuple[int, int, int] = NO_COUNTS,
    images: tuple[str, ...] = (),
    node: str = "",
    since: int = 0,
    amounts: tuple[int, int] = (0, 0),
    facts: dict[str, str] = NO_FACTS,
    owner: tuple[str, str] | None = None,
    created: int | None = None,
) -> Row:
    """A row from an ObjectMeta message; `counts` is (ready, wanted, restarts).

    `amounts` are millicores and MiB; `owner` and `created` replace what the metadata say.
    ValueError when the metadata cannot be an API server's.
    """
    uid, name = metadata.uid, metadata.name
    version = int(metadata.resourceVersion)
    if not (is_name(uid) and is_name(name) and 0 <= version <= LARGEST_INT64):
        raise ValueError("metadata that no API server sends")
    if owner is None:
        owner = shared_owner(tuple(metadata.ownerReferences))
    if created is None:
        created = metadata.creationTimestamp.seconds
    return Row(
        kind,
        shared(metadata.namespace),
        name,
        uid,
        version,
        shared_labels(tuple(metadata.labels)),
        *owner,
        images,
        status,
        health,
        *counts,
        node,
        created if 0 <= created <= LATEST else 0,
        since if 0 <= since <= LATEST else 0,
        *amounts,
        facts,
    )


def is_name(text: str) -> bool:
    """Whether `text` may be a name or a uid."""
    return 0 < len(text) <= LONGEST_NAME and text.isprintable()


def is_deleted(metadata: Any) -> bool:
    """Whether the object is on its way out."""
    return bool(metadata.HasField("deletionTimestamp"))


def count(number: int) -> int:
    """A count that a cluster claims, as one that can be stored."""
    return min(max(number, 0), LARGEST_INT32)


def annotation(metadata: Any, key: str) -> str:
    """One annotation of a FullMeta message, "" when it has none."""
    return next((str(each.value) for each in metadata.annotations if each.key == key), "")


def condition(conditions: Iterable[Any], type_: str) -> Any | None:
    """The condition of this type, None when there is none."""
    return next((each for each in conditions if each.type == type_), None)


def template_images(template: Any) -> tuple[str, ...]:
    """The images of a pod template's containers."""
    return shared_images(tuple([each.image for each in template.spec.containers]))
