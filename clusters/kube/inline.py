"""A kubeconfig of this machine with the files that it names put into it.

Only for a kubeconfig that its owner reads on a machine of their own: one that came from elsewhere
could name any file. What `kubeconfig.parse` refuses otherwise it refuses afterwards, too.
"""

import json
from pathlib import Path
from typing import Any

from clusters.kube.credentials import encode_base64
from clusters.kube.errors import KubeconfigError
from clusters.kube.strict_yaml import LARGEST, load

# The key that names a file, the key that holds its content, and whether that is base64.
_FILES = {
    "cluster": (("certificate-authority", "certificate-authority-data", True),),
    "user": (
        ("client-certificate", "client-certificate-data", True),
        ("client-key", "client-key-data", True),
        ("tokenFile", "token", False),
    ),
}


def inline(path: Path, context: str | None = None) -> str:
    """The kubeconfig at `path` as JSON, with the files of one context inside.

    Names of files are relative to the kubeconfig, as kubectl takes them. KubeconfigError names
    the field whose file cannot be read; OSError and UnicodeError are those of the kubeconfig.
    """
    top = load(path.read_text())
    if not isinstance(top, dict):
        raise KubeconfigError("", "This is not a kubeconfig.", "not_a_kubeconfig")
    chosen = _entry(top, "contexts", context or top.get("current-context"))[0]
    for kind, files in _FILES.items():
        entry, field = _entry(top, f"{kind}s", chosen.get(kind))
        for named, content, is_base64 in files:
            if entry.get(named):
                text = _read(path.parent / str(entry.pop(named)), f"{field}.{named}")
                entry[content] = encode_base64(text) if is_base64 else text.strip()
    return json.dumps(top)


def _entry(top: dict[str, Any], plural: str, name: Any) -> tuple[dict[str, Any], str]:
    """The entry of this name with its field; an empty one when there is none."""
    kind = plural.removesuffix("s")
    listed = top.get(plural)
    for position, item in enumerate(listed if isinstance(listed, list) else []):
        if isinstance(item, dict) and item.get("name") == name:
            found = item.get(kind)
            if isinstance(found, dict):
                return found, f"{plural}[{position}].{kind}"
    return {}, ""


def _read(file: Path, field: str) -> str:
    try:
        with file.open() as opened:
            text = opened.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        message = f"The file {file} cannot be read: {reason}."
        raise KubeconfigError(field, message, "unreadable_file") from error
    if len(text) > LARGEST:
        raise KubeconfigError(field, "The file is larger than 256 KiB.", "too_large")
    return text
