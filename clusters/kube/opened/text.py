"""A live object as YAML for people: who set which field apart, the values of Secrets hidden."""

import base64
import binascii
import unicodedata
from typing import Any

import msgspec
import yaml

from clusters.kube import errors
from clusters.kube.edited import documents
from clusters.kube.errors import sentence

MASK = "••••••"
# It may hold a whole Secret as it was applied once.
APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
TOO_DEEP = sentence("The object is nested too deeply to be shown.")
NOT_AN_OBJECT = sentence("The answer is not what Kubernetes sends.")
DEEPEST = 100


class Manifest(msgspec.Struct, frozen=True):
    """An object as YAML; `managed` is its managedFields as YAML ("" for none).

    `masked` says how many values of a Secret were hidden.
    """

    text: str
    managed: str
    masked: int
    version: str


class Value(msgspec.Struct, frozen=True):
    """A value of a Secret: its text, or None where it is none, and then in base64."""

    key: str
    text: str | None
    encoded: str
    size: int


def manifest(body: bytes) -> Manifest:
    """The object in `body` as YAML, keys in the order of kubectl; BadAnswer when it is none."""
    found = _object(body)
    metadata = found["metadata"]
    managed = metadata.pop("managedFields", None)
    masked = mask(found) if found.get("kind") == "Secret" else 0
    return Manifest(
        text=written(found),
        managed=written(managed) if managed else "",
        masked=masked,
        version=errors.safe_text(str(metadata.get("resourceVersion", "")), 40),
    )


def values(body: bytes) -> list[Value]:
    """The opened values of the Secret in `body`; BadAnswer when it is no Secret."""
    found = _object(body)
    data = found.get("data") or {}
    if found.get("kind") != "Secret" or not isinstance(data, dict):
        raise errors.BadAnswer(NOT_AN_OBJECT)
    return [_value(str(key), str(value)) for key, value in sorted(data.items())]


def visible(text: str) -> str:
    """The text with what nobody sees written out: such characters can show it in another order."""
    return "".join(_spelled(each) if unicodedata.category(each) == "Cf" else each for each in text)


def _spelled(character: str) -> str:
    return f"\\u{ord(character):04x}"


def _object(body: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise errors.BadAnswer(NOT_AN_OBJECT) from error
    if not isinstance(found, dict) or not isinstance(found.get("metadata"), dict):
        raise errors.BadAnswer(NOT_AN_OBJECT)
    return found


def mask(secret: dict[str, Any]) -> int:
    """Hides the values of a Secret in place, and says how many."""
    hidden = 0
    for part in ("data", "stringData"):
        if isinstance(secret.get(part), dict):
            hidden += len(secret[part])
            secret[part] = dict.fromkeys(secret[part], MASK)
        elif part in secret:
            secret[part] = MASK
    annotations = secret["metadata"].get("annotations")
    if isinstance(annotations, dict) and APPLIED in annotations:
        annotations[APPLIED] = MASK
    return hidden


def _value(key: str, encoded: str) -> Value:
    try:
        plain = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return Value(key, None, encoded, len(encoded))
    try:
        text = plain.decode()
    except UnicodeDecodeError:
        return Value(key, None, encoded, len(plain))
    printable = all(each in "\n\r\t" or unicodedata.category(each) != "Cc" for each in text)
    return Value(key, text if printable else None, encoded, len(plain))


class _Dumper(yaml.CSafeDumper):
    """Several lines stand as lines, and nothing becomes an alias."""

    def ignore_aliases(self, _data: Any) -> bool:
        return True


def _text(dumper: yaml.CSafeDumper, text: str) -> yaml.ScalarNode:
    # A block cannot end its lines with spaces; then libyaml itself chooses quotes. It does not
    # quote what only others take for a number, such as 1e3.
    style = "|" if "\n" in text else None if documents.is_text(text) else '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def written(found: Any) -> str:
    """Any data as YAML, keys in their order; BadAnswer where it is nested too deeply."""
    try:
        _measure(found)
        text = yaml.dump(
            found, Dumper=_Dumper, allow_unicode=True, default_flow_style=False, width=2**20
        )
    except (RecursionError, yaml.YAMLError) as error:
        raise errors.BadAnswer(TOO_DEEP) from error
    return str(text)


def _measure(found: Any, depth: int = 0) -> None:
    """RecursionError for what is deeper than any object: libyaml's own stack knows no limit."""
    if depth > DEEPEST:
        raise RecursionError
    if isinstance(found, dict | list):
        for each in found.values() if isinstance(found, dict) else found:
            _measure(each, depth + 1)
