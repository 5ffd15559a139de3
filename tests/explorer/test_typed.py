"""The typed query: what is written comes back as what is meant, and errors name their place."""

import random
import string

import pytest

from explorer.filters import typed
from explorer.filters.typed import BadQuery, Term, parse, quoted, read
from explorer.filters.words import FIELDS, kind_named


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", []),
        ("   ", []),
        ("web", [("name", ("web",), False)]),
        ("web api", [("name", ("web",), False), ("name", ("api",), False)]),
        ("-web", [("name", ("web",), True)]),
        ("-", [("name", ("-",), False)]),
        ('"-web"', [("name", ("-web",), False)]),
        ('"a b"', [("name", ("a b",), False)]),
        ("a,b", [("name", ("a,b",), False)]),
        ("kind:deploy", [("kind", ("deploy",), False)]),
        ("NS:payments", [("namespace", ("payments",), False)]),
        ("ns:a,b", [("namespace", ("a", "b"), False)]),
        ("-env:prod", [("environment", ("prod",), True)]),
        ("status:Init:0/1", [("status", ("Init:0/1",), False)]),
        ("label:app=web", [("label", ("app=web",), False)]),
        ("app=web", [("label", ("app=web",), False)]),
        ("-app=web,db=x", [("label", ("app=web", "db=x"), True)]),
        ("a.io/b=c:d", [("label", ("a.io/b=c:d",), False)]),
        ('label:"a=b c"', [("label", ("a=b c",), False)]),
        ('"system:node"', [("name", ("system:node",), False)]),
        ("image:nginx:1.25", [("image", ("nginx:1.25",), False)]),
        ("owner:Job/nightly", [("owner", ("Job/nightly",), False)]),
        ("id:7,8", [("id", ("7", "8"), False)]),
    ],
)
def test_a_query_is_read(query: str, expected: list[tuple[str, tuple[str, ...], bool]]) -> None:
    assert [(term.field, term.values, term.negated) for term in parse(query)] == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("restarts>5", ("restarts", ">", "5", False)),
        ("-restarts>=5", ("restarts", ">=", "5", True)),
        ("AGE<1h30m", ("age", "<", "1h30m", False)),
        ("memory<=1.5Gi", ("memory", "<=", "1.5Gi", False)),
        ("restarts:5", ("restarts", ":", "5", False)),
        ('cpu>"250m"', ("cpu", ">", "250m", False)),
        ("a=b>c", ("label", ":", "a=b>c", False)),
        ("ns:a<b", ("namespace", ":", "a<b", False)),
    ],
)
def test_amounts_are_compared(query: str, expected: tuple[str, str, str, bool]) -> None:
    (term,) = parse(query)
    assert (term.field, term.sign, *term.values, term.negated) == expected


def test_a_star_stands_for_any_rest_unless_it_is_quoted() -> None:
    (term,) = parse('cluster:prod-*,"a*",b')
    assert term.values == ("prod-*", "a*", "b")
    assert term.patterns == {"prod-*"}
    (term,) = parse("web-*-1")
    assert term.field == "name"
    assert term.patterns == {"web-*-1"}
    (term,) = parse("app=we*")
    assert term.patterns == {"app=we*"}


def test_what_can_be_read_is_read_beside_what_cannot() -> None:
    terms, bad = read("colour:red web ns: -app=web")
    assert [term.values for term in terms] == [("web",), ("app=web",)]
    assert [(error.at, error.length) for error in bad] == [(1, 6), (16, 3)]
    terms, bad = read('web "half')
    assert (terms, [error.at for error in bad]) == ([], [5])


@pytest.mark.parametrize(
    ("query", "at", "length"),
    [
        ('web "half', 5, 5),
        ("colour:red", 1, 6),
        ("web  -colour:red", 6, 7),
        ("web ns:", 5, 3),
        ("ns:a,,b", 1, 7),
        ('""', 1, 2),
        ("label:app", 1, 9),
        ("label:=x", 1, 8),
        ("web name>5", 5, 6),
        ("a restarts> b", 3, 9),
        ("x" * (typed.LONGEST + 2), typed.LONGEST + 1, 2),
        ("a " * (typed.MOST_TERMS + 2), 2 * typed.MOST_TERMS + 1, 3),
    ],
)
def test_what_cannot_be_read_names_its_place(query: str, at: int, length: int) -> None:
    with pytest.raises(BadQuery) as error:
        parse(query)
    assert (error.value.at, error.value.length) == (at, length)
    assert str(error.value).startswith(f"character {at}: ")


def test_whatever_is_quoted_comes_back() -> None:
    chance = random.Random(4)
    letters = string.ascii_letters + string.digits + "-.:=,/ \t%_'\\é集*<>"
    for _ in range(2000):
        terms = [_some(chance, letters) for _ in range(chance.randint(0, 6))]
        assert [_plain(term) for term in parse("  ".join(map(_written, terms)))] == terms


def test_no_text_ends_in_anything_but_terms_or_a_place() -> None:
    chance = random.Random(5)
    for _ in range(5000):
        text = "".join(chance.choices('ab-:=,"<>* \t\n', k=chance.randint(0, 12)))
        try:
            terms = parse(text)
        except BadQuery as error:
            places = {error.at, error.at + error.length - 1}
        else:
            places = {term.at for term in terms} | {term.at + term.length - 1 for term in terms}
            assert all(term.field in FIELDS.values() and all(term.values) for term in terms)
        assert all(1 <= place <= len(text) for place in places)


def test_kinds_are_known_by_the_names_kubectl_knows() -> None:
    for word in ("po", "pod", "Pod", "PODS", "pods"):
        assert kind_named(word) == "Pod"
    assert kind_named("ing") == kind_named("ingresses") == "Ingress"
    assert kind_named("pvc") == "PersistentVolumeClaim"
    assert kind_named("Certificate.cert-manager.io") == "Certificate.cert-manager.io"
    assert kind_named("nothing") is None
    assert kind_named(".") is None


def _some(chance: random.Random, letters: str) -> Term:
    def value() -> str:
        return "".join(chance.choices(letters, k=chance.randint(1, 8)))

    field = chance.choice(sorted(set(FIELDS.values())))
    values = tuple(value() for _ in range(1 if field == "name" else chance.randint(1, 3)))
    if field == "label":
        values = tuple(f"key={value}" for value in values)
    return Term(field, values, chance.random() < 0.3)


def _plain(term: Term) -> Term:
    return Term(term.field, term.values, term.negated)


def _written(term: Term) -> str:
    sign = "-" if term.negated else ""
    field = "" if term.field == "name" else f"{term.field}:"
    return sign + field + ",".join(map(quoted, term.values))
