"""What a request for an act says of the objects, read."""

from collections.abc import Sequence

from clusters.models import Object
from operations.models import Step


def keys_of(text: str) -> list[int]:
    """The keys of objects in "1,2,3", each once."""
    keys = [int(key) for key in text.split(",") if key.isascii() and key.isdecimal()]
    return list(dict.fromkeys(key for key in keys if key < 2**63))


def confirm_word(objects: Sequence[Object | Step]) -> str:
    """What must be typed before these of prod are touched; "" where there is none.

    One object's own name, of several their cluster's, of several clusters the environment's.
    """
    clusters = {each.cluster.name for each in objects}
    if not objects:
        return ""
    if len(objects) == 1:
        return objects[0].name
    return clusters.pop() if len(clusters) == 1 else "prod"
