"""The parts of objects' JSON that several readers share; fields that are not named are skipped."""

from typing import TypeVar

import msgspec

from clusters.kube import errors

Found = TypeVar("Found")


class Part(msgspec.Struct, rename="camel"):
    """Any part of an object: Kubernetes writes its names in camelCase."""


class Metadata(Part):
    """ObjectMeta."""

    name: str = ""
    namespace: str = ""
    generation: int = 0


class Condition(Part):
    """A condition of any kind."""

    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


def decode(body: bytes, kind: type[Found]) -> Found:
    """`body` read as `kind`; BadAnswer when it is something else."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise errors.BadAnswer("The answer is not what Kubernetes sends.") from error
