"""What a log keeps of a terminal's output: the text, without colours and without most states of progress bars."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from typedcat.torch_tools.copier import EVERY_S, LogText

PIECES = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"\x1b[1A", b"\x1b[2K", b"\x1b[31m", b"ab", b"c", b" "]))


class Clock:
    """A time that stands still."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def logged(*pieces: bytes) -> bytes:
    text = LogText(Clock())
    return b"".join([*map(text.feed, pieces), text.rest()])


@given(st.lists(st.binary().map(lambda data: data.replace(b"\r", b"").replace(b"\x1b", b""))))
def test_plain_output_stays_as_it_is(pieces: list[bytes]) -> None:
    assert logged(*pieces) == b"".join(pieces)


@given(PIECES, st.data())
def test_how_it_comes_in_pieces_makes_no_difference(pieces: list[bytes], data: st.DataObject) -> None:
    whole = b"".join(pieces)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(whole)), max_size=8)))
    parts = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert logged(*parts) == logged(whole)


STATES = st.lists(st.sampled_from([b"1%", b"22%", b"done"]), min_size=1)


@given(st.lists(STATES))
def test_of_a_line_that_is_drawn_again_the_last_state_stays(bars: list[list[bytes]]) -> None:
    output = b"".join(b"".join(b"\r" + state for state in states) + b"\n" for states in bars)
    assert logged(output) == b"".join(states[-1] + b"\n" for states in bars)


@pytest.mark.parametrize(
    ("output", "text"),
    [
        (b"a\r\nb\r\r\n", b"a\nb\n"),
        (b"loading...\rdone      \n", b"loading...\ndone\n"),
        (b"\r50%\r100%\r          \rnext\n", b"next\n"),
        (b"\r50%\rstays\r", b"stays"),
        (b"1\r2\r3\r\nend\n", b"1\n3\nend\n"),
        (b"\x1b[31mred\x1b[0m \x1b]8;;https://x\x1b\\link\x1b]8;;\x07\n", b"red link\n"),
        (b"50%\x1b[", b"50%"),
        (b"one\n\n\ntwo\n", b"one\n\n\ntwo\n"),
        ("\r\x1b[2K█ 1\r\x1b[2K██ 2\n".encode(), "██ 2\n".encode()),  # as rich draws
        # two bars of rich, with a line that is printed above them
        (b"A1\nB1\r\x1b[2K\x1b[1A\x1b[2KA2\nB2\r\x1b[2K\x1b[1A\x1b[2Khello\nA2\nB3\r\x1b[2K\x1b[1A\x1b[2KA4\nB4\nend\n",
         b"A1\nB1\nhello\nA2\nB3\nA4\nB4\nend\n"),
    ],
)  # fmt: skip
def test_output_and_its_log(output: bytes, text: bytes) -> None:
    assert logged(output) == text


def test_a_long_bar_leaves_a_state_now_and_then() -> None:
    clock = Clock()
    text = LogText(clock)
    log = b""
    for step in range(1_000):
        clock.now = step / 10
        log += text.feed(b"\r%d of 1000" % step)
    log += text.feed(b"\n")
    lines = log.split(b"\n")
    assert len(lines) == pytest.approx(100 / EVERY_S, abs=2)
    assert lines[-2:] == [b"999 of 1000", b""]


def test_a_bar_that_stands_still_is_written() -> None:
    clock = Clock()
    text = LogText(clock)
    assert text.feed(b"\rwaiting") == text.idle() == b""
    clock.now += EVERY_S
    assert text.idle() == b"waiting"
    assert text.idle() == b""
    assert text.feed(b"\n") == b"\n"
