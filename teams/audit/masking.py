"""Hides secrets in data that is shown or kept: the values of keys that sound like secrets.

Knows no Django. What is masked cannot be told apart by length. It errs on the side of hiding.
"""

import base64
import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

MASK = "••••••"
# A longer text, list or tree is cut off: a trail is no store of documents.
LONGEST_TEXT = 2000
MOST_ITEMS = 200
DEEPEST = 24
# Shorter ones cannot be told from words in a text.
SHORTEST = 5

# Words that make a key's value a secret: anywhere in it, at its end, at the end of more words.
_ANYWHERE = re.compile(
    r"passw(?:or)?d|pass(?:phrase|code)|pwd|secrets?|tokens?|credentials?|apikey|kubeconfig"
    r"|authorization|bearer|jwt|totp|otp|htpasswd|dockerconfigjson|dsn"
)
# Also inside of a word that is written without a break: PGPASSWORD, clientsecret.
_INSIDE = re.compile(r"passw(?:or)?d|passphrase|secret|token|credential|apikey|privatekey")
_LAST = re.compile("pass|psk|pw|cookies?|pin|salt")
_LAST_OF_MORE = re.compile("keys?|auth|pem")
# A key that ends so tells about a secret, not the secret itself.
_ABOUT = re.compile(
    "names?|refs?|ids?|kind|types?|modes?|enabled|disabled|expires|expiry|expiration|ends|until"
    "|created|count|length|size|policy|path|file|mount|namespace|version|algorithm|url|issuer"
    "|class|provider|method|required|rotation|ttl|days|hours|minutes|seconds|scopes?|selector"
    "|prefix|suffix"
)
# Keys of which the value is known to others anyway.
_PUBLIC = frozenset(("public", "primary", "sort", "partition", "topology"))
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
# Secrets that are known by their look, wherever they stand.
_LOOKS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----"
    r"|\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"
    r"|client-key-data:|client-certificate-data:"
    r"|\b(?:[Bb]earer|[Bb]asic)\s+[\w.~+/=-]{12,}"
)
_USERINFO = re.compile(r"(\w[\w+.-]*://[^\s/:@]*:)[^\s/@]+(@)")
# Words that a sentence or command may hold beside their value: --password=x, PASSWORD: x
_ASSIGNED = re.compile(
    r"(?i)\b([\w.-]*(?:password|passwd|secret|token|api[_-]?key)[\w.-]*\s*[=:]\s*)(\"[^\"]*\"|'[^']*'|[^\s,;]+)"
)


def is_secret(key: str) -> bool:
    """Whether a key of this name holds a secret: `apiKey`, `DB_PASSWORD`, `tls.key`."""
    words = [word.lower() for word in _WORDS.findall(key)]
    if not words or _ABOUT.fullmatch(words[-1]):
        return False
    joined = "".join(words)
    if any(map(_ANYWHERE.fullmatch, [*words, joined])) or _INSIDE.search(joined):
        return True
    if _LAST.fullmatch(words[-1]):
        return True
    ends = len(words) > 1 and _LAST_OF_MORE.fullmatch(words[-1])
    return bool(ends) and not _PUBLIC & set(words)


def masked(data: Any) -> Any:
    """A copy of the data as JSON knows it, without its secrets. Never raises."""
    return _masked(data, hidden=False, depth=0)


def concealing(data: Any) -> Callable[[str], str]:
    """Masks in texts what the data hold under keys that sound like secrets.

    For the words of programs that were given the data, and may quote them.
    """
    hidden = {
        dress for secret in _secrets(data, hidden=False, depth=0) for dress in _quoted(secret)
    }
    if not hidden:
        return str
    # The longest first: one may begin with another.
    known = re.compile("|".join(map(re.escape, sorted(hidden, key=len, reverse=True))))
    return lambda plain: known.sub(MASK, plain)


def _secrets(data: Any, *, hidden: bool, depth: int) -> Iterator[str]:
    if depth > DEEPEST or data is None or isinstance(data, bool):
        return
    if isinstance(data, Mapping):
        hides = _hiding(data)
        for key, value in data.items():
            yield from _secrets(value, hidden=hidden or hides(str(key)), depth=depth + 1)
    elif isinstance(data, list):
        for value in data:
            yield from _secrets(value, hidden=hidden, depth=depth + 1)
    elif hidden:
        yield from str(data).splitlines()


def _quoted(secret: str) -> set[str]:
    """As it is, in the quotes of JSON and Go, as Kubernetes keeps it; none of what is a word."""
    if len(secret) < SHORTEST:
        return set()
    return {secret, json.dumps(secret)[1:-1], base64.b64encode(secret.encode()).decode()}


def _masked(data: Any, *, hidden: bool, depth: int) -> Any:
    if depth > DEEPEST:
        return "…"
    match data:
        case None | bool():
            return data
        case Mapping():
            return _mapping(data, hidden=hidden, depth=depth)
        case list() | tuple() | set() | frozenset():
            items = sorted(data, key=str) if isinstance(data, set | frozenset) else data
            found = [_masked(each, hidden=hidden, depth=depth + 1) for each in items[:MOST_ITEMS]]
            return [*found, "…"] if len(items) > MOST_ITEMS else found
        case int() | float():
            return MASK if hidden else _number(data)
        case _:
            return MASK if hidden else text(str(data))


def _mapping(data: Mapping[Any, Any], *, hidden: bool, depth: int) -> dict[str, Any]:
    hides = _hiding(data)
    found: dict[str, Any] = {}
    for n, (key, value) in enumerate(data.items()):
        if n == MOST_ITEMS:
            found["…"] = "…"
            break
        name = _storable(str(key))[:200]
        found[name] = _masked(value, hidden=hidden or hides(name), depth=depth + 1)
    return found


def _hiding(data: Mapping[Any, Any]) -> Callable[[str], bool]:
    """Which keys of a mapping hold secrets."""
    # {"name": "DB_PASSWORD", "value": "…"}, as containers have their environment.
    named = data.get("name", data.get("key"))
    beside = {"value"} if isinstance(named, str) and is_secret(named) else set[str]()
    if data.get("kind") == "Secret":
        beside |= {"data", "stringData"}
    return lambda key: key in beside or is_secret(key)


def text(plain: str) -> str:
    """The text with what looks like a secret in it masked."""
    if _LOOKS.search(plain):
        return MASK
    plain = _USERINFO.sub(rf"\1{MASK}\2", plain)
    plain = _ASSIGNED.sub(rf"\1{MASK}", plain)
    plain = _storable(plain)
    return plain if len(plain) <= LONGEST_TEXT else plain[:LONGEST_TEXT] + "…"


def _number(number: int | float) -> Any:
    """JSON knows no NaN, and PostgreSQL no endless numbers."""
    return number if abs(number) < 1e300 else str(number)


def _storable(plain: str) -> str:
    return plain.replace("\0", "").encode(errors="replace").decode()
