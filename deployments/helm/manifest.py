"""Reads the manifest of a release: which objects it names."""

from collections.abc import Iterator
from typing import Any, Final

import yaml

from deployments.helm.errors import HelmFailed
from deployments.helm.types import ObjectRef

LIMIT: Final = 32 << 20
DEPTH: Final = 200


def objects(manifest: str, *, namespace: str = "") -> list[ObjectRef]:
    """List the objects in a manifest, in its order; the members of a List each.

    In: the text of `Helm.manifest` or `Helm.template`, and the namespace to put where the manifest
    names none (cluster-scoped objects get it too: only the cluster knows which they are).
    Out: references. Errors: `HelmFailed` when it is no YAML, deeper than 200 or over 32 MiB.
    """
    if len(manifest) > LIMIT:
        raise HelmFailed(f"the manifest is larger than {LIMIT >> 20} MiB", "bad_manifest")
    try:
        _check_depth(manifest)
        documents = list(yaml.load_all(manifest, Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError) as error:
        raise HelmFailed("the manifest is not valid YAML", "bad_manifest") from error
    return [_reference(found, namespace) for one in documents for found in _members(one)]


def _check_depth(manifest: str) -> None:
    """Refuse what would overflow the stack of the loader."""
    depth = 0
    for event in yaml.parse(manifest, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEPTH:
                raise HelmFailed(f"the manifest is deeper than {DEPTH}", "bad_manifest")
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1


def _members(document: Any) -> Iterator[dict[str, Any]]:
    if not isinstance(document, dict) or not isinstance(document.get("kind"), str):
        return
    items = document.get("items")
    if document["kind"].endswith("List") and isinstance(items, list):
        for item in items:
            yield from _members(item)
    else:
        yield document


def _reference(document: dict[str, Any], namespace: str) -> ObjectRef:
    metadata = document.get("metadata")
    about = metadata if isinstance(metadata, dict) else {}
    return ObjectRef(
        str(document.get("apiVersion") or ""),
        document["kind"],
        str(about.get("namespace") or namespace),
        str(about.get("name") or ""),
    )
