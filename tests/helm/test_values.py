"""Values, names and manifests."""

import time

import pytest

from deployments.helm import names, values
from deployments.helm.errors import BadValues, HelmFailed, InvalidName
from deployments.helm.manifest import objects
from deployments.helm.types import ObjectRef

BAD = {
    "alias": ("a: &x 1\nb: *x\n", 2, 4),
    "bomb": ("a: &a [x]\nb: &b [*a,*a]\nc: [*b,*b]\n", 2, 8),
    "merge": ("a:\n  <<: {b: 1}\n", 2, 3),
    "tag": ("a: !!binary aGk=\n", 1, 4),
    "python": ("a: !!python/object/apply:os.system ['id']\n", 1, 4),
    "twice": ("a: 1\nb: 2\na: 3\n", 3, 1),
    "twice, quoted": ('a: {b: 1, "b": 2}\n', 1, 11),
    "documents": ("a: 1\n---\nb: 2\n", 2, 1),
    "list": ("- a\n", 1, 1),
    "text": ("hello", 1, 1),
    "no YAML": ("a: [1\nb: 2", 2, 2),
    "key is a list": ("? [a]\n: 1\n", 1, 3),
    "deep": ("a: " + "[" * 100 + "]" * 100, 1, 67),
    "deepest": ("a: " + "[" * 5000, 1, 1003),
    "large": ("a: " + "x" * (256 << 10), 0, 0),
    "control": ("a: \x07", 0, 0),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_values_name_the_place(case: str) -> None:
    text, line, column = BAD[case]
    with pytest.raises(BadValues) as caught:
        values.check(text)
    assert (caught.value.line, caught.value.column) == (line, column), caught.value


def test_an_error_does_not_quote_the_values() -> None:
    with pytest.raises(BadValues) as caught:
        values.check("password: hunter2\n bad: [")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None


def test_values_read_as_helm_reads_them() -> None:
    text = "port: 22:22\nday: 2026-01-02\nn: 3\nf: 1.5\ne: 1e3\nx: 0x10\non: true\nnone:\nl: [a]\n"
    assert values.check(text) == {
        "port": "22:22",
        "day": "2026-01-02",
        "n": 3,
        "f": 1.5,
        "e": 1000.0,
        "x": 16,
        True: True,
        "none": None,
        "l": ["a"],
    }
    assert values.check("") == values.check("# only a comment\n") == {}


def test_the_largest_values_are_read_in_time() -> None:
    text = "".join(f"key{n}: {{a: [1, 2], b: 'x'}}\n" for n in range(7500))
    start = time.monotonic()
    assert len(values.check(text)) == 7500
    assert time.monotonic() - start < 5


@pytest.mark.parametrize(
    "name", ["--set", "-f", "", "A", "a b", "a/b", "a_b", "a.", "x" * 54, "ä", "a\n"]
)
def test_a_bad_release_name_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        names.release(name)


@pytest.mark.parametrize("name", ["--all", "", "a.b", "A", "x" * 64, "a-", "a\n"])
def test_a_bad_namespace_is_refused(name: str) -> None:
    with pytest.raises(InvalidName):
        names.namespace(name)


def test_good_names_pass() -> None:
    assert names.release("web-1.x") == "web-1.x"
    assert names.namespace("x" * 63) == "x" * 63
    assert names.revision(1) == 1
    with pytest.raises(InvalidName):
        names.revision(0)


def test_objects_of_a_manifest() -> None:
    text = (
        "---\n# Source: a\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
        "---\n---\napiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: Secret, metadata: {name: s, namespace: other}}\n---\njust text\n"
    )
    assert objects(text, namespace="team") == [
        ObjectRef("apps/v1", "Deployment", "team", "web"),
        ObjectRef("v1", "Secret", "other", "s"),
    ]
    assert objects("") == []


@pytest.mark.parametrize("text", ["a: [", "a: " + "[" * 100_000])
def test_a_broken_manifest_is_said(text: str) -> None:
    with pytest.raises(HelmFailed):
        objects(text)
