"""Rows that open pages ask for over their sockets, found once for all who ask alike.

A change is heard by every page that shows its topic in one moment, and all of them want the same
rows. Who asks for the same list, in the same language and with the same rights, while others wait
for their turn, is answered with them by one look, which begins after all of them have asked.
"""

import asyncio
from collections.abc import Collection, Mapping
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from channels.db import database_sync_to_async
from django.http import HttpRequest, HttpResponse, QueryDict
from django.urls import Resolver404, resolve
from django.utils import translation
from django.views import View

from clusters.live.heard import Scopes
from teams.models import User

# A page asks for no more rows at once.
MOST_ROWS = 100
# So many are looked for together.
MOST_TOGETHER = 1000
# So many looks at the same time, each of which takes a connection to the database.
LOOKS = 2


class RowsView(View):
    """The rows of a list that `?rows=` names; open pages may also ask for them over their socket.

    Those that are gone, or match no more, are left out.
    """

    http_method_names = ["get"]

    @staticmethod
    def find(user: User, query: QueryDict, keys: Collection[str]) -> Mapping[str, str]:
        """The rows with these keys that the person may see and that match, as HTML by key."""
        raise NotImplementedError

    def get(self, request: HttpRequest) -> HttpResponse:
        named = request.GET.get("rows", "").split(",")[:MOST_ROWS]
        person: Any = request.user
        return HttpResponse("".join(self.find(person, request.GET, named).values()))


class Question(NamedTuple):
    """What must be alike for two pages to share an answer."""

    view: type[RowsView]
    query: str
    language: str
    scopes: Scopes

    @classmethod
    def of(cls, url: str, language: str, scopes: Scopes) -> Self:
        """Raises LookupError for an address that has no rows and a language that is not spoken."""
        parts = urlsplit(url)
        try:
            view = getattr(resolve(parts.path).func, "view_class", None)
        except Resolver404 as error:
            raise LookupError(url) from error
        if view is None or not issubclass(view, RowsView):
            raise LookupError(url)
        return cls(view, parts.query, translation.get_supported_language_variant(language), scopes)

    def answer(self, user: User, keys: Collection[str]) -> Mapping[str, str]:
        """The rows by key, found with the rights that the person has now."""
        with translation.override(self.language):
            return self.view.find(user, QueryDict(self.query), keys)


Rows = Mapping[str, str]


class Desk:
    """Where all pages of this process ask."""

    def __init__(self) -> None:
        self._turns = asyncio.Semaphore(LOOKS)
        # The looks that have not begun, which more may join.
        self._gathering: dict[Question, tuple[set[str], asyncio.Task[Rows]]] = {}

    async def ask(self, question: Question, user: User, keys: Collection[str]) -> Rows:
        """The rows with these keys, and with those that others asked for, by key.

        Raises what the look raises.
        """
        together, look = self._gathering.get(question, (None, None))
        if together is None or look is None or len(together) + len(keys) > MOST_TOGETHER:
            together = set[str]()
            look = asyncio.create_task(self._look(question, user, together))
            self._gathering[question] = together, look
        together.update(keys)
        return await asyncio.shield(look)  # who leaves takes nobody else's answer away

    async def _look(self, question: Question, user: User, together: set[str]) -> Rows:
        async with self._turns:
            if self._gathering[question][0] is together:
                del self._gathering[question]
            return await _answer(question, user, together)


# Each in a thread of its own: in the one that all sockets share they would wait for the slowest.
_answer = database_sync_to_async(Question.answer, thread_sensitive=False)
