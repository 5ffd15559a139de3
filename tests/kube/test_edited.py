"""YAML of people: read without surprises, merged by field, hidden where it is secret."""

import random
import time
from contextlib import suppress
from typing import Any

import pytest
import yaml

from clusters.kube.edited import contents, documents, merging, openapi
from clusters.kube.edited.documents import Wrong
from clusters.kube.edited.merging import GONE, merge
from clusters.kube.opened.text import MASK, written

HEAD = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
# What one reader or another takes for something else than a text.
TRICKY = (
    "", " ", "~", "null", "yes", "No", "on", "y", "true", "0", "-1", "+1", "0777", "0o17", "0x1F",
    "1_000", "1e3", "12e4567", "1.5", ".5", "5.", ".inf", "-.Inf", ".nan", "1:30", "190:20:30",
    "2001-01-01", "2001-01-01T00:00:00Z", "=", "<<", "*a", "&a", "!t", "#c", "a #b", "a: b", "- a",
    "a\nb", "a\nb\n", "a \nb", "\ta", "'", '"', "%", "@", "`", "{", "[", "é", "\u2028", "0b1", "08",
    "9" * 30, "1e400",
)  # fmt: skip


def read(value: str) -> Any:
    return documents.only(f"{HEAD}data: {{k: {value}}}\n").data["data"]["k"]


@pytest.mark.parametrize("text", TRICKY)
def test_what_was_written_is_read_as_it_was(text: str) -> None:
    made = {"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}, "data": {"k": text}}
    assert documents.only(written(made)).data == made


def test_scalars_are_read_as_kubectl_reads_them() -> None:
    assert [read(each) for each in ("0644", "0x10", "1_000", "on", "~", "1.5", "1e3")] == [
        420, 16, 1000, True, None, 1.5, 1000.0,
    ]  # fmt: skip
    assert [read(each) for each in ("2001-01-01", "1:30", "'1'", "v1")] == [
        "2001-01-01", "1:30", "1", "v1",
    ]  # fmt: skip
    for wrong in (".inf", ".nan", "9" * 40, "1e999"):
        with pytest.raises(Wrong, match="number"):
            read(wrong)


def test_fields_have_their_lines() -> None:
    text = HEAD + "data:\n  a.b: c\n---\n" + HEAD + "spec:\n  items:\n  - x: 1\n  - y: 2\n"
    first, second = documents.load(text)
    assert [first.line_of(each) for each in ("data[a.b]", "data", "data.q")] == [5, 4, 4]
    assert second.line_of("spec.items[1].y") == 13
    assert second.line_of("spec.items[7].z") == 11
    assert (second.number, second.line) == (2, 7)


def test_hostile_text_costs_little() -> None:
    long = "k" * 500_000
    texts = [
        HEAD + f"? {long}\n: {{" + ", ".join(f"a{n}: 1" for n in range(40_000)) + "}\n",
        HEAD + "data: " + "[" * 100_000,
        HEAD + "data: " + "{a: " * 50_000,
    ]
    for text in texts:
        began = time.monotonic()
        with suppress(Wrong):
            documents.load(text)
        assert time.monotonic() - began < 20
    lines = [random.Random(n).choice("abcdefgh") for n in range(60_000)]
    assert contents.lines("\n".join(lines), "\n".join(reversed(lines)))[0].kind == "o"


KEYS: dict[str, dict[str, Any]] = {
    "spec.containers[]": {"name": None},
    "spec.ports[]": {"port": None, "protocol": "TCP"},
}


def keys_of(path: str) -> dict[str, Any] | None:
    return KEYS.get(path)


def test_what_one_side_changed_is_taken() -> None:
    base = {
        "a": 1, "b": {"c": 2, "d": 3},
        "spec": {"containers": [{"name": "x", "image": "1"}, {"name": "y"}], "args": [1, 2]},
    }  # fmt: skip
    mine = {
        "a": 1, "b": {"c": 5, "d": 3},
        "spec": {"containers": [{"name": "x", "image": "2"}, {"name": "y"}], "args": [1, 2, 3]},
    }  # fmt: skip
    theirs = {
        "b": {"c": 2, "d": 3, "e": 4},
        "spec": {"containers": [{"name": "w"}, {"name": "x", "image": "1", "env": []}]},
    } | {"z": None}  # fmt: skip
    merged = merge(base, mine, theirs, keys_of, {})
    assert merged.data["b"] == {"c": 5, "d": 3, "e": 4}
    assert "a" not in merged.data
    assert merged.data["spec"]["containers"] == [
        {"name": "w"}, {"name": "x", "image": "2", "env": []},
    ]  # fmt: skip
    assert [(one.path, one.theirs is GONE) for one in merged.overlaps] == [("spec.args", True)]
    taken = merge(base, mine, theirs, keys_of, {"spec.args": "mine"})
    assert (taken.data["spec"]["args"], taken.overlaps) == ([1, 2, 3], [])


def test_lists_that_nobody_can_tell_apart_are_whole() -> None:
    base: dict[str, Any] = {"spec": {"ports": [{"port": 1}, {"port": 1, "protocol": "UDP"}]}}
    mine = {"spec": {"ports": [{"port": 1, "name": "m"}, {"port": 1, "protocol": "UDP"}]}}
    theirs = {"spec": {"ports": [{"port": 1, "protocol": "TCP"}, {"port": 1, "protocol": "UDP"}]}}
    merged = merge(base, mine, theirs, keys_of, {})
    assert merged.overlaps == []
    assert merged.data["spec"]["ports"][0] == {"port": 1, "protocol": "TCP", "name": "m"}
    assert len(merge(base, mine, theirs, merging.whole, {}).overlaps) == 1
    twice = {"spec": {"ports": [{"port": 1}, {"port": 1}]}}
    assert len(merge(base, twice, theirs, keys_of, {}).overlaps) == 1


def test_merging_loses_nothing_of_either_side() -> None:
    """Random changes on both sides, in places of their own, are all in the result."""
    chance = random.Random(7)
    for _ in range(300):
        base = {f"k{n}": {"v": n, "w": [n]} for n in range(6)}
        mine = {key: dict(value) for key, value in base.items()}
        theirs = {key: dict(value) for key, value in base.items()}
        for key in base:
            side = chance.choice((mine, theirs, None))
            if side is not None:
                side[key][chance.choice("vwx")] = chance.randrange(100, 200)
        merged = merge(base, mine, theirs, merging.whole, {})
        assert merged.overlaps == []
        for key in base:
            wanted = mine[key] if mine[key] != base[key] else theirs[key]
            assert merged.data[key] == wanted


def test_masks_keep_values_and_never_become_values() -> None:
    live = {
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "resourceVersion": "1"},
        "data": {"a": "QQ==", "b": "Qg=="},
    }  # fmt: skip
    shown = contents.masked(live)
    assert shown["data"] == {"a": MASK, "b": MASK}
    wanted = shown | {"data": {"a": MASK, "c": "Qw=="}, "stringData": {"b": MASK, "d": "x"}}
    made = contents.unmasked(wanted, live)
    assert made["data"] == {"a": "QQ==", "c": "Qw==", "b": "Qg=="}
    assert made["stringData"] == {"d": "x"}
    assert MASK not in str(made)
    with pytest.raises(Wrong, match="write one"):
        contents.unmasked(shown | {"data": {"z": MASK}}, live)
    lines = "\n".join(line.text for line in contents.difference(live, made))
    assert all(secret not in lines for secret in ("QQ==", "Qg==", "Qw=="))
    assert contents.NEW in yaml.safe_load(written(contents.veiled(live, made)[1]))["data"]["c"]


def test_a_custom_resource_that_writes_its_types_in_place_is_read() -> None:
    body = b"""{"components": {"schemas": {"x.Thing": {
      "x-kubernetes-group-version-kind": [{"group": "x.io", "version": "v1", "kind": "Thing"}],
      "type": "object", "required": ["spec"],
      "properties": {"spec": {"type": "object", "properties": {
        "size": {"type": "integer"}, "mode": {"type": "string", "enum": ["a", "b"]},
        "parts": {"type": "array", "x-kubernetes-list-map-keys": ["id"],
          "items": {"type": "object", "properties": {"id": {"type": "string"}}}}}}}}}}}"""
    schema = openapi.read(body, openapi.Wanted("x.io", "v1", "Thing"))
    assert dict(schema.keys("spec.parts[]") or {}) == {"id": None}
    mode = schema.field("spec.mode")
    assert mode is not None
    assert mode.words == ["a", "b"]
    assert schema.field("spec.parts[].id") is not None
    assert schema.field("spec.other") is None
