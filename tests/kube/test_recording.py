"""What is written down of a shell: what it showed, in bounds, and nothing that was typed."""

import base64
import hashlib
import json
import os
from typing import Any

import pytest

from clusters.kube import recording
from clusters.kube.recording import Recording

V5, BASE64 = "v5.channel.k8s.io", "v4.base64.channel.k8s.io"


def begun(protocol: str = V5, *, has_terminal: bool = True) -> Recording:
    return Recording(protocol, has_terminal=has_terminal, at=1_700_000_000.5)


def taken(shell: Recording) -> list[Any]:
    """The whole transcript, line by line; what was taken before is not in it."""
    shell.end()
    whole = b"".join(shell.take())
    return [json.loads(line) for line in whole.splitlines()]


def shown(shell: Recording) -> str:
    return "".join(text for _at, code, text in taken(shell)[1:] if code == "o")


def test_it_is_an_asciicast_with_times_and_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("clusters.kube.recording.time.monotonic", lambda: now[0])
    shell = begun()
    shell.from_person(b'\x04{"Width":120,"Height":40}')
    now[0] += 1.25
    shell.from_pod(b"\x01$ ls\r\n")
    now[0] += 2
    shell.from_pod(b"\x02no\x1b[0m")
    assert taken(shell) == [
        {"version": 2, "width": 80, "height": 24, "timestamp": 1_700_000_000},
        [0.0, "r", "120x40"],
        [1.25, "o", "$ ls\r\n"],
        [3.25, "o", "no\x1b[0m"],
    ]


@pytest.mark.parametrize("has_terminal", [True, False])
def test_what_is_typed_is_never_kept(has_terminal: bool) -> None:
    shell = begun(has_terminal=has_terminal)
    shell.from_person(b"\x00planted-password\n")
    shell.from_pod(b"\x01Welcome")
    shell.end()
    whole = b"".join(shell.take())
    assert b"planted" not in whole
    assert b"Welcome" in whole
    # The length of a password is nobody's business either.
    assert shell.typed == (0 if has_terminal else 17)


def test_characters_that_are_split_over_messages_are_whole() -> None:
    shell = begun()
    first, second = "wörld 世界".encode(), "größe".encode()
    for byte in first:
        shell.from_pod(b"\x01" + bytes([byte]))
    # The other stream in between does not mix in.
    shell.from_pod(b"\x01" + second[:3])
    shell.from_pod(b"\x02error\n")
    shell.from_pod(b"\x01" + second[3:])
    assert shown(shell) == "wörld 世界" + "gr" + "error\n" + "öße"


def test_what_is_no_text_and_what_breaks_off_is_shown_as_broken() -> None:
    shell = begun()
    shell.from_pod(b"\x01\xff\xfe ok \xe4\xb8")
    assert shown(shell) == "\ufffd\ufffd ok \ufffd"


def test_messages_in_base64_are_read_as_well() -> None:
    """Who chooses another protocol does not get round the transcript."""
    shell = begun(BASE64, has_terminal=False)
    shell.from_pod("1" + base64.b64encode(b"hello ").decode())
    shell.from_pod(b"2" + base64.b64encode(b"there"))
    shell.from_pod("1!not base64")
    shell.from_person("0" + base64.b64encode(b"typed").decode())
    shell.from_person("4" + base64.b64encode(b'{"Width":1,"Height":2}').decode())
    assert shell.typed == 5
    events = taken(shell)
    assert [event[2] for event in events[1:3]] == ["hello ", "there"]
    assert events[-1][1:] == ["r", "1x2"]


def test_a_huge_message_is_kept_up_to_the_cut_and_counted_beyond() -> None:
    shell = begun()
    body = b"x" * (4 * 1024 * 1024)
    shell.from_pod(b"\x01" + body)
    kept = shown(shell)
    assert recording.LONGEST - 2 * recording.PART < shell.size <= recording.LONGEST
    assert len(kept) + shell.cut == len(body)
    before = shell.size, shell.cut, shell.sha256
    shell.from_pod(b"\x01more")
    shell.from_person(b'\x04{"Width":1,"Height":2}')
    assert (shell.size, shell.cut, shell.sha256) == (before[0], before[1] + 4, before[2])
    assert shell.take() == []


def test_what_is_full_has_no_hole() -> None:
    """After the first part that found no room nothing smaller slips in."""
    shell = begun()
    while not shell.cut:
        shell.from_pod(b"\x01" + os.urandom(recording.PART))
    size = shell.size
    shell.from_pod(b"\x01a")
    shell.end()
    assert shell.size == size <= recording.LONGEST


def test_pieces_are_bounded_and_together_what_the_hash_is_of() -> None:
    shell = begun()
    pieces = [*shell.take()]
    assert shell.take() == []
    for n in range(400):
        shell.from_pod(b"\x01%d" % n * 500)
        if n == 200:
            pieces += shell.take()
    shell.end()
    pieces += shell.take()
    assert len(pieces) > 3
    assert all(0 < len(piece) <= recording.LARGEST_PIECE for piece in pieces)
    whole = b"".join(pieces)
    assert (len(whole), hashlib.sha256(whole).hexdigest()) == (shell.size, shell.sha256)


@pytest.mark.parametrize(
    "message",
    [
        *("", b"", b"\x01", b"\xff\x00", b"\x03{}", "\ud800", b"\x04", b"\x04["),
        b"\x04" + b"[" * 9999,
        *(b'\x04{"Width":-1,"Height":2}', b'\x04{"Width":1e9,"Height":2}', b'\x04{"Width":"1"}'),
        b'\x04{"Width":99999999999999999999,"Height":1}',
    ],
    ids=repr,
)  # fmt: skip
def test_whatever_comes_else_leaves_no_trace_and_no_error(message: bytes | str) -> None:
    for protocol in (V5, BASE64):
        shell = begun(protocol)
        shell.from_pod(message)
        shell.from_person(message)
        assert len(taken(shell)) == 1
