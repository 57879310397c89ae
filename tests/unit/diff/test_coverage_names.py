"""The diff finds the coverage of every section that a collector writes."""

import pytest

from envlock.capture.registry import collectors
from envlock.model.facts import SECTIONS, coverage_of


@pytest.mark.parametrize("collector", collectors(), ids=lambda c: c.name)
def test_the_vocabulary_names_the_collector_of_each_section(collector):
    assert {section: coverage_of(section) for section in collector.sections} == dict.fromkeys(
        collector.sections, collector.name
    )


def test_every_section_that_shares_a_collector_names_one_that_exists():
    names = {collector.name for collector in collectors()}
    assert {section.collector for section in SECTIONS.values()} - {""} <= names
