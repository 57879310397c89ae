"""Every section of packages is judged by rules for packages, and its commands can be filled in."""

import pytest

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.engine import changed_packages
from envlock.diff.fixes.commands import Surroundings, filled
from envlock.diff.fixes.languages import command_words
from envlock.diff.severity import classify
from envlock.model.facts import SECTIONS, packages_of
from envlock.model.lock import Lock
from envlock.versions.relation import Relation

KEY = "place/name"
PATHS = {name: {"place": {"path": "/srv/place"}} for name in packages_of()}
AROUND = Surroundings(right=Lock(sections=PATHS))


def missing(section):
    return Delta(section, KEY, "", ChangeKind.REMOVED, "1.2.3", None, {"group": "g"})


@pytest.mark.parametrize("section", packages_of())
def test_a_rule_judges_what_is_missing_extra_or_older(section):
    older = Delta(section, KEY, "version", ChangeKind.CHANGED, "1.2.3", "1.2.2", {}, Relation.OLDER)
    extra = Delta(section, KEY, "", ChangeKind.ADDED, None, "1.2.3", {})
    rules = {classify(delta, "dev", "prod").rule for delta in (missing(section), older, extra)}
    assert "OTHER" not in rules


@pytest.mark.parametrize("section", packages_of())
def test_its_commands_can_be_filled_in(section):
    words = command_words(missing(section), AROUND)
    row = SECTIONS[section]
    for template in filter(None, (row.install, row.remove)):
        (command,) = filled(template, words)
        assert "name" in " ".join(command)
        assert not any("{" in word for word in command)


@pytest.mark.parametrize("section", SECTIONS)
def test_only_a_package_explains_what_came_with_it(section):
    is_package = section in packages_of()
    assert changed_packages([missing(section)]) == ({f"{section} {KEY}"} if is_package else set())
