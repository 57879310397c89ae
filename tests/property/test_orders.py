"""Laws of version orders: total, antisymmetric, transitive."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envlock.versions import alpm, apk, deb, rpm

SHAPES = {
    rpm: r"(?:[01]:)?[019a](?:[0-9]|[ab]|\.|~|\^|_|\+){0,6}-(?:1|2|10|1\.el9|1~a|1\^b)",
    apk: r"(?:0|1|10)(?:\.(?:0|1|01|10|009)){0,2}[ab]?(?:_(?:alpha|rc|p|git)(?:|1|02)){0,2}"
    r"(?:~0a)?(?:-r(?:0|1|10))?",
    alpm: r"(?:[01]:)?(?:0|1|10)(?:\.(?:0|1|10)){0,2}(?:(?:a|rc|beta)(?:|1|2)|\+1|\.r1)?"
    r"-(?:1|2|10|1\.1)",
    deb: r"(?:[01]:)?[019](?:[0-9]|[ab]|\.|~|\+){0,6}-(?:1|2|10|1~a|1\+b1)",
}
"""Versions as they are published: for arbitrary text, libalpm's rules are not an order."""


@pytest.mark.parametrize("order", SHAPES, ids=lambda order: order.__name__.rpartition(".")[2])
@settings(max_examples=300)
@given(data=st.data())
def test_compare_is_a_total_order(order, data):
    versions = st.from_regex(SHAPES[order], fullmatch=True)
    a, b, c = (data.draw(versions) for _ in range(3))
    assert order.compare(a, a) == 0
    assert order.compare(a, b) == -order.compare(b, a)
    if order.compare(a, b) <= 0 and order.compare(b, c) <= 0:
        assert order.compare(a, c) <= 0


@pytest.mark.parametrize("order", SHAPES, ids=lambda order: order.__name__.rpartition(".")[2])
@given(text=st.text(max_size=20), other=st.text(max_size=20))
def test_any_text_has_a_sign_or_is_rejected(order, text, other):
    try:
        sign = order.compare(text, other)
    except ValueError:
        return
    assert sign == -order.compare(other, text)
