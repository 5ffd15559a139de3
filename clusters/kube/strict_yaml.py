"""YAML as a kubeconfig needs it: mappings, lists and scalars, and nothing that can surprise."""

from collections.abc import Iterator
from typing import Any

import yaml

from clusters.kube.errors import KubeconfigError, sentence

LARGEST = 256 * 1024
DEEPEST = 20
WORDS: dict[str, bool | None] = {
    "true": True, "True": True, "TRUE": True,
    "false": False, "False": False, "FALSE": False,
    "null": None, "Null": None, "NULL": None, "~": None, "": None,
}  # fmt: skip

WRONG_TYPE = {
    dict: sentence("This must be a mapping."),
    list: sentence("This must be a list."),
    str: sentence("This must be a text."),
    bool: sentence("This must be true or false."),
}


def load(text: str) -> Any:
    """The one document in `text`, made of dict, list, str, bool and None; numbers stay texts.

    KubeconfigError for more than 256 KiB, bad YAML, several documents, anchors, aliases, merge
    keys, tags, keys that are no text or occur twice, and nesting deeper than 20.
    """
    if len(text) > LARGEST or len(text.encode("utf-8", "replace")) > LARGEST:
        raise KubeconfigError("", "The file is larger than 256 KiB.", "too_large")
    try:
        return _document(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = f"line {mark.line + 1}" if mark else ""
    except (yaml.YAMLError, UnicodeError):
        place = ""
    # Outside the handler: the parser's own message quotes the file, and with it its secrets.
    raise KubeconfigError(place, "This is not valid YAML.", "invalid_yaml")


def _document(events: Iterator[Any]) -> Any:
    document: Any = None
    documents = 0
    for event in events:
        if isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                raise KubeconfigError("", "The file holds several documents.", "several_documents")
            document = _node(next(events), events, "", 0)
    if not documents:
        raise KubeconfigError("", "The file is empty.", "empty")
    return document


def _node(event: Any, events: Iterator[Any], field: str, depth: int) -> Any:
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
        raise KubeconfigError(field, "YAML anchors and aliases are not accepted.", "yaml_alias")
    if event.tag is not None:
        raise KubeconfigError(field, "YAML tags are not accepted.", "yaml_tag")
    if depth > DEEPEST:
        raise KubeconfigError(field, "The file is nested too deeply.", "too_deep")
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(events, field, depth)
    if isinstance(event, yaml.SequenceStartEvent):
        return _sequence(events, field, depth)
    return WORDS.get(event.value, event.value) if event.implicit[0] else event.value


def _mapping(events: Iterator[Any], field: str, depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    while not isinstance(event := next(events), yaml.MappingEndEvent):
        if not isinstance(event, yaml.ScalarEvent):
            raise KubeconfigError(field, "A key is not a plain text.", "yaml_key")
        key: str = event.value
        _node(event, events, field, depth)
        if key == "<<":
            raise KubeconfigError(field, "YAML merge keys are not accepted.", "yaml_merge")
        inner = f"{field}.{key}" if field else key
        if key in found:
            raise KubeconfigError(inner, "This key occurs twice.", "duplicate_key")
        found[key] = _node(next(events), events, inner, depth + 1)
    return found


def _sequence(events: Iterator[Any], field: str, depth: int) -> list[Any]:
    found: list[Any] = []
    while not isinstance(event := next(events), yaml.SequenceEndEvent):
        found.append(_node(event, events, f"{field}[{len(found)}]", depth + 1))
    return found


def expect(value: Any, kind: type, field: str) -> Any:
    """`value` when it is of this kind; an empty one of it for None; otherwise KubeconfigError."""
    if value is None:
        return kind()
    if not isinstance(value, kind):
        raise KubeconfigError(field, WRONG_TYPE[kind], "wrong_type")
    return value
