"""The objects of one path and the history of their changes."""

import itertools
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace

from testbed.replay.objects import Thing, event

TICK = 0.01


@dataclass(slots=True)
class Entry:
    """One change; each form is encoded once, however many watch."""

    type: str
    thing: Thing
    forms: dict[bool, bytes] = field(default_factory=dict)

    def encoded(self, *, protobuf: bool) -> bytes:
        """The event on the wire."""
        made = self.forms.get(protobuf)
        if made is None:
            made = self.forms[protobuf] = event(self.type, self.thing, protobuf=protobuf)
        return made


class Versions:
    """The version of the whole cluster, which every change raises."""

    def __init__(self) -> None:
        self.now = 1000

    def next(self) -> int:
        """A new version."""
        self.now += 1
        return self.now


class Collection:
    """What the server says under one path. Methods may be called from any thread."""

    def __init__(self, versions: Versions, wake: Callable[[], None]) -> None:
        self.history: list[Entry] = []
        # Watches from an earlier version are refused by 410.
        self.oldest = 0
        self._versions = versions
        self._wake = wake
        self._things: dict[str, Thing] = {}
        self._lock = threading.Lock()

    @property
    def things(self) -> list[Thing]:
        """What a list shows."""
        with self._lock:
            return list(self._things.values())

    def named(self, name: str) -> Thing:
        """The object of this name; KeyError."""
        found = next((thing for thing in self.things if thing.name == name), None)
        if found is None:
            raise KeyError(name)
        return found

    def put(self, *things: Thing, silently: bool = False) -> None:
        """Objects come or change; silently: lists show it, watches do not."""
        self._change(things, "", silently)

    def remove(self, *names: str, silently: bool = False) -> None:
        """Objects go; silently: a watch that has lost the DELETED event."""
        self._change([self.named(name) for name in names], "DELETED", silently)

    def touch(self, name: str, word: str) -> None:
        """A pod's status becomes `word`, as `kubectl get pods` prints it."""
        self.put(self.restated(self.named(name), word))

    def restated(self, thing: Thing, word: str) -> Thing:
        """The pod with another status word."""
        return thing.now(status={**thing.body.get("status", {}), "reason": word})

    def churn(
        self, count: int, words: Iterable[str] = ("Evicted", "NodeAffinity")
    ) -> Iterator[Thing]:
        """`count` changes of the objects in turn, each one another word than before.

        Nothing happens before it is iterated; `put` what comes.
        """
        things, turn = self.things, itertools.cycle(words)
        for number in range(count):
            if number % len(things) == 0:
                word = next(turn)
            yield self.restated(things[number % len(things)], word)

    def forget(self) -> None:
        """The history is compacted: whoever watches from before now gets 410."""
        with self._lock:
            self.history.clear()
            self.oldest = self._versions.next()

    def restore(self, things: Iterable[Thing]) -> None:
        """These objects as of a backup: the history is another one."""
        with self._lock:
            self.history.clear()
            self.oldest = 0
            kept = [replace(thing, version=self._versions.next()) for thing in things]
            self._things = {thing.uid: thing for thing in kept}

    def after(self, version: int, most: int) -> list[Entry]:
        """The oldest changes since `version`."""
        with self._lock:
            start = bisect_right(self.history, version, key=lambda entry: entry.thing.version)
            return self.history[start : start + most]

    def snapshot(self) -> tuple[int, list[Thing]]:
        """A version and what a list showed at it."""
        with self._lock:
            return self._versions.now, list(self._things.values())

    def storm(self, rate: float, seconds: float) -> int:
        """`rate` changes a second in batches of 10 ms; returns how many, when all are made."""
        total = int(rate * seconds)
        changes, done, pause = self.churn(total), 0, threading.Event()
        began = time.monotonic()
        while done < total:
            due = min(total, int((time.monotonic() - began) * rate))
            self.put(*itertools.islice(changes, due - done))
            done = due
            pause.wait(TICK)
        return total

    def _change(self, things: Iterable[Thing], type_: str, silently: bool) -> None:
        with self._lock:
            for thing in things:
                made = replace(thing, version=self._versions.next())
                word = type_ or ("MODIFIED" if made.uid in self._things else "ADDED")
                if word == "DELETED":
                    self._things.pop(made.uid, None)
                else:
                    self._things[made.uid] = made
                if not silently:
                    self.history.append(Entry(word, made))
        self._wake()
