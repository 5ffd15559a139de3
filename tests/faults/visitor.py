"""Somebody who uses pages and API of a running instance by HTTP; all answers are kept."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

LINKS = re.compile(r'(?:href|hx-get|data-live-url|data-rows)="(/[^"#]*)"')
# Not pages of MCM's, or of which one is as good as all.
SKIPPED = re.compile(r"/static/|/logout/|/api/v1/schema|/i18n/|/admin/(auth|jsi18n|contenttypes)/")
# So often one path is asked for with different queries, and so many of one kind of page.
QUERIES, ALIKE = 3, 25
KEYS = re.compile(r"(?<=/)(?:\d+|[0-9a-f-]{36})(?=/|$)")


@dataclass
class Said:
    """An answer; `shows` are the markers that are meant to stand in it."""

    where: str
    body: bytes
    shows: tuple[str, ...] = ()


@dataclass
class Visitor:
    """A browser, or with `token` a program. Every answer goes into `said`."""

    url: str
    said: list[Said]
    token: str = ""
    session: requests.Session = field(default_factory=requests.Session)

    def __post_init__(self) -> None:
        self.session.trust_env = False  # no proxy and no other authority

    def ask(
        self, method: str, path: str, *, shows: Iterable[str] = (), expect: Any = (), **options: Any
    ) -> requests.Response:
        """The answer, which must have one of the statuses of `expect`, if any is given."""
        headers = options.pop("headers", {})
        if self.token:
            headers |= {"Authorization": f"Bearer {self.token}"}
        elif method != "GET":
            headers |= {"X-CSRFToken": self.session.cookies.get("csrftoken", "")}
        answer = self.session.request(
            method,
            urljoin(self.url, path),
            headers=headers,
            allow_redirects=False,
            timeout=60,
            **options,
        )
        head = "\n".join(f"{name}: {value}" for name, value in answer.headers.items())
        where = f"{method} {path.partition('?')[0]} ({answer.status_code})"
        self.said.append(Said(where, head.encode() + b"\n" + answer.content, tuple(shows)))
        assert not expect or answer.status_code in expect, (where, answer.text[:2000])
        return answer

    def get(self, path: str, **options: Any) -> requests.Response:
        return self.ask("GET", path, **options)

    def post(self, path: str, data: Any = None, **options: Any) -> requests.Response:
        """A form."""
        return self.ask("POST", path, data=data, **options)

    def call(self, path: str, body: Any = None, **options: Any) -> requests.Response:
        """JSON."""
        return self.ask(options.pop("method", "POST"), path, json=body, **options)

    def sign_in(self, name: str, password: str, **options: Any) -> requests.Response:
        self.get("/login/")
        return self.post("/login/", {"login": name, "password": password}, **options)

    def walk(self, *starts: str) -> set[str]:
        """Opens every page that can be reached by links; their paths."""
        waiting, asked, alike = list(starts), dict[str, set[str]](), Counter[str]()
        while waiting:
            address = waiting.pop(0)
            path = urlsplit(address).path
            queries, kind = asked.setdefault(path, set()), KEYS.sub("*", path)
            full = len(queries) >= QUERIES or alike[kind] >= ALIKE
            if address in queries or full or SKIPPED.match(path):
                continue
            queries.add(address)
            alike[kind] += 1
            answer = self.get(address)
            if "html" in answer.headers.get("Content-Type", ""):
                waiting += [link.replace("&amp;", "&") for link in LINKS.findall(answer.text)]
            elif "Location" in answer.headers:
                waiting.append(urlsplit(answer.headers["Location"]).path)
        return set(asked)
