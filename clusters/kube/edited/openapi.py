"""What the cluster itself says of the fields of a kind: its OpenAPI v3, of which one kind is kept.

Protocol: https://kubernetes.io/docs/concepts/overview/kubernetes-api/#openapi-v3. The index names
a document for each group and version by an address that changes with its content.
"""

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any, NamedTuple

import msgspec

from clusters.kube import errors
from clusters.kube.client import Client
from clusters.kube.errors import sentence

INDEX = "/openapi/v3"
# Documents of the largest groups have 1.5 MiB; custom resources may have many more fields.
LARGEST = 16 * 1024 * 1024
MOST_TYPES = 1500
LONGEST_TEXT = 160
NOT_TOLD = sentence("The cluster does not tell the fields of this kind.")
TOO_LARGE = sentence("What the cluster tells of its fields is too large.")


class Field(msgspec.Struct, omit_defaults=True):
    """`type` is JSON's word, `of` names a type of its own, `items` and `values` what is inside.

    `keys` tells list items apart, each with what stands where it is left out.
    """

    type: str = ""
    of: str = ""
    items: "Field | None" = None
    values: "Field | None" = None
    words: list[str] = []
    text: str = ""
    keys: dict[str, Any] = {}


class Type(msgspec.Struct, omit_defaults=True):
    """An object type: its fields, those it must have; `open` where others are taken, too."""

    fields: dict[str, Field] = {}
    required: list[str] = []
    open: bool = False


class Schema(msgspec.Struct):
    """One kind: the type at its root, and all types that it leads to by their names."""

    root: str
    types: dict[str, Type]

    def keys(self, path: str) -> Mapping[str, Any] | None:
        """By what the items of a list are told apart: `spec.containers[]`."""
        found = self.field(path.removesuffix("[]"))
        return found.keys or None if found else None

    def field(self, path: str) -> Field | None:
        """The field at a path without numbers."""
        at: Field | None = Field(of=self.root)
        for part in path.split("."):
            name, _, inside = part.partition("[")
            at = self._inside(at, name)
            for _item in range(inside.count("]")):
                at = at.items if at else None
        return at

    def _inside(self, at: Field | None, name: str) -> Field | None:
        if at is None:
            return None
        known = self.types.get(at.of)
        if known is not None and name in known.fields:
            return known.fields[name]
        return at.values


class Wanted(NamedTuple):
    """A kind as objects name it."""

    group: str
    version: str
    kind: str

    @classmethod
    def of(cls, api_version: str, kind: str) -> "Wanted":
        group, _, version = api_version.rpartition("/")
        return cls(group, version, kind)

    @property
    def place(self) -> str:
        """What the index calls its document."""
        return f"apis/{self.group}/{self.version}" if self.group else f"api/{self.version}"


class Kept:
    """Schemas that were read, by an address that changes with their content; the oldest goes."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[tuple[str, str, str], Schema] = OrderedDict()

    def get(self, key: tuple[str, str, str]) -> Schema | None:
        return self._kept.get(key)

    def put(self, key: tuple[str, str, str], schema: Schema) -> None:
        self._kept[key] = schema
        while len(self._kept) > self._most:
            try:
                self._kept.popitem(last=False)
            except KeyError:  # another thread was quicker
                return


class _At(msgspec.Struct, rename="camel"):
    server_relative_url: str = msgspec.field(default="", name="serverRelativeURL")


class _Index(msgspec.Struct):
    paths: dict[str, _At] = {}


class _Components(msgspec.Struct):
    schemas: dict[str, dict[str, Any]] = {}


class _Document(msgspec.Struct):
    components: _Components = msgspec.field(default_factory=_Components)


KEPT = Kept(48)


def schema(client: Client, cluster: str, wanted: Wanted) -> Schema:
    """The schema of the kind; KubeError where the cluster does not tell it.

    `cluster` is any name that tells it from the others.
    """
    at = _decode(client.read(INDEX), _Index).paths.get(wanted.place)
    if at is None or not at.server_relative_url.startswith("/openapi/v3/"):
        raise errors.NotFound(NOT_TOLD, 404)
    key = (cluster, at.server_relative_url, wanted.kind)
    if (known := KEPT.get(key)) is not None:
        return known
    body = client.read(at.server_relative_url)
    if len(body) > LARGEST:
        raise errors.BadAnswer(TOO_LARGE)
    made = read(body, wanted)
    KEPT.put(key, made)
    return made


def read(body: bytes, wanted: Wanted) -> Schema:
    """One kind out of a document; NotFound where it does not have it."""
    schemas = _decode(body, _Document).components.schemas
    for name, found in schemas.items():
        kinds = found.get("x-kubernetes-group-version-kind")
        if isinstance(kinds, list) and dict(wanted._asdict()) in kinds:
            return _Reader(schemas).of(name)
    raise errors.NotFound(NOT_TOLD, 404)


def _decode(body: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise errors.BadAnswer(NOT_TOLD) from error


class _Reader:
    def __init__(self, schemas: dict[str, dict[str, Any]]) -> None:
        self._schemas = schemas
        self._types: dict[str, Type] = {}

    def of(self, root: str) -> Schema:
        self._named(root)
        return Schema(root, self._types)

    def _named(self, name: str) -> None:
        if name in self._types or len(self._types) >= MOST_TYPES:
            return
        self._types[name] = Type(open=True)  # types may hold themselves
        self._fill(name, self._schemas.get(name, {}))

    def _fill(self, name: str, found: dict[str, Any]) -> None:
        properties = found.get("properties")
        open_ = not isinstance(properties, dict) or bool(
            found.get("x-kubernetes-preserve-unknown-fields")
        )
        required = found.get("required")
        fields = {
            key: self._field(f"{name}/{key}", each, 0)
            for key, each in (properties.items() if isinstance(properties, dict) else ())
            if isinstance(each, dict)
        }
        self._types[name] = Type(
            fields, [str(each) for each in required] if isinstance(required, list) else [], open_
        )

    def _field(self, place: str, found: dict[str, Any], depth: int) -> Field:
        made = Field(text=_short(found.get("description")))
        if depth > 20:
            return made
        several = found.get("allOf")
        inner = several[0] if isinstance(several, list) and len(several) == 1 else found
        reference = inner.get("$ref") if isinstance(inner, dict) else None
        if isinstance(reference, str):
            return self._reference(made, reference)
        made.type = str(found.get("type", ""))
        if found.get("x-kubernetes-int-or-string"):
            made.type = ""
        words = found.get("enum")
        made.words = [each for each in words if isinstance(each, str)][:50] if isinstance(
            words, list
        ) else []  # fmt: skip
        self._within(made, place, found, depth)
        return made

    def _reference(self, made: Field, reference: str) -> Field:
        name = reference.removeprefix("#/components/schemas/")
        target = self._schemas.get(name, {})
        made.type = str(target.get("type", ""))
        if made.type == "object" and "properties" in target:
            self._named(name)
            made.of = name
        elif _takes_several(name, made.type, target):
            made.type = ""
        return made

    def _within(self, made: Field, place: str, found: dict[str, Any], depth: int) -> None:
        items, values = found.get("items"), found.get("additionalProperties")
        if made.type == "array" and isinstance(items, dict):
            made.items = self._field(f"{place}[]", items, depth + 1)
            made.keys = self._keys(found.get("x-kubernetes-list-map-keys"), items)
        if made.type == "object" and isinstance(found.get("properties"), dict):
            # Custom resources write their types in place: they get the name of the place.
            if len(self._types) < MOST_TYPES:
                self._types[place] = Type(open=True)
                self._fill(place, found)
                made.of = place
        elif made.type == "object" and isinstance(values, dict):
            made.values = self._field(f"{place}{{}}", values, depth + 1)

    def _keys(self, names: Any, items: dict[str, Any]) -> dict[str, Any]:
        if not isinstance(names, list):
            return {}
        several = items.get("allOf")
        inner = several[0] if isinstance(several, list) and several else items
        reference = str(inner.get("$ref", "")) if isinstance(inner, dict) else ""
        target = self._schemas.get(reference.removeprefix("#/components/schemas/"), items)
        properties = target.get("properties")
        known = properties if isinstance(properties, dict) else {}
        return {
            str(name): known[name].get("default") if isinstance(known.get(name), dict) else None
            for name in names
        }


def _takes_several(name: str, word: str, target: dict[str, Any]) -> bool:
    """Whether it may be written as a number or as a text, whatever its type is called."""
    either = "oneOf" in target or target.get("format") in ("int-or-string", "quantity")
    scalar = word in ("string", "integer", "number", "boolean")
    return either or not scalar or name.endswith((".IntOrString", ".Quantity"))


def _short(text: Any) -> str:
    return errors.safe_text(text, LONGEST_TEXT) if isinstance(text, str) else ""
