"""Environments for property tests: hostile text, and pairs that share most of their keys."""

from __future__ import annotations

from hypothesis import strategies as st

from envlock.model.facts import SECTIONS
from envlock.model.lock import Lock
from envlock.model.record import Record

_TEXT = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=12)
_BYTES = st.binary(min_size=1, max_size=12).map(lambda raw: raw.decode("utf-8", "surrogateescape"))
_ODD = st.sampled_from(
    ['quo"te', "back\\slash", "\\x41", "\n[os]\n", "\t", "€", "\udcff", "]", "# x"]
)
texts = st.one_of(_TEXT, _BYTES, _ODD).filter(lambda text: "://" not in text)
fact_names = st.sampled_from(
    ["version", "sha256", "mode", "value", "source", "class", "target", "x-y"]
)
facts = st.dictionaries(fact_names, texts, min_size=1, max_size=4)


@st.composite
def records(draw):
    section = draw(st.sampled_from(sorted(SECTIONS)))
    key = draw(texts) if SECTIONS[section].keyed else ""
    return Record(section, key, draw(facts))


@st.composite
def locks(draw):
    found = {(r.section, r.key): r for r in draw(st.lists(records(), max_size=12))}
    coverage = draw(
        st.dictionaries(
            st.sampled_from(sorted(SECTIONS)),
            st.fixed_dictionaries({"status": st.sampled_from(["ok", "partial", "skipped"])}),
            max_size=4,
        )
    )
    return Lock.of(found.values(), coverage)
