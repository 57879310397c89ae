"""Laws of scope: parity digests are equal exactly when a comparison in scope finds nothing."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from envlock.diff.engine import Options, compare
from envlock.model.facts import Part, part_of
from envlock.model.lock import Lock
from envlock.model.parity import parity_digest
from envlock.model.record import Record
from envlock.model.scope import EVERY, Member, MemberClass, Role, Root, RootKind, scope_records
from envlock.model.text import sort_key
from envlock.scope.pairing import pair

QUIET = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=80)

CLASSES = st.sampled_from([c for c in MemberClass if c is not MemberClass.TRACED])
TEXTS = st.sampled_from(["1", "{folder}/lib", "/usr/lib", "a {folder}"])
FACTS = st.fixed_dictionaries(
    {"version": st.sampled_from(["1", "2", "3.0~rc1"])},
    optional={
        "mark": st.sampled_from(["auto", "manual"]),
        "value": TEXTS,
        "target": TEXTS,
        "path": TEXTS,
        "packaged-by": st.sampled_from(["deb libssl3:amd64", "python {env}/flask"]),
    },
)
KEYS = (
    ("deb", "libssl3:amd64"),
    ("deb", "zlib1g:amd64"),
    ("python", "{env}/flask"),
    ("python", "{env}/six"),
    ("python", "other/six"),
    ("env", "PATH"),
    ("env", "LD_LIBRARY_PATH"),
    ("file", "{folder}/bin/serve"),
    ("file", "/usr/lib/libx.so"),
    ("certificate", "a"),
    ("certificate", "b"),
    ("os", ""),
    ("locale", ""),
    ("host.kernel", ""),
)


@st.composite
def environments(draw):
    """Return, for each key, the facts of its record, and the class of its member; None for none."""
    return {
        key: (draw(st.none() | FACTS), draw(st.none() | CLASSES), draw(st.booleans()))
        for key in KEYS
    }


@st.composite
def pairs(draw):
    left = draw(environments())
    right = dict(left)
    for key in draw(st.lists(st.sampled_from(KEYS), max_size=3)):
        right[key] = draw(environments())[key]
    return left, right


def lock_of(states, env, folder):
    """Return a lock whose application is the environment `env` in `folder`, and its role."""

    def there(text):
        return text.replace("{env}", env).replace("{folder}", folder)

    records = [Record("python", env, {"version": "3.11.2", "path": folder})]
    members = [Member("python", env, MemberClass.DECLARED, "app")]
    for (section, key), (facts, member_class, has_digest) in states.items():
        if facts is not None:
            records.append(
                Record(section, there(key), {name: there(value) for name, value in facts.items()})
            )
        if member_class is not None and (facts is not None or section == "file"):
            every = section == "certificate"
            digest = "ab" * 32 if has_digest and section == "file" else ""
            name = EVERY if every else there(key)
            members.append(Member(section, name, member_class, "", digest))
    unique = {member.name: member for member in members}
    ordered = sorted(unique.values(), key=lambda member: sort_key(member.name))
    role = Role("app", Root(RootKind.PYTHON, folder), tuple(ordered))
    return Lock.of([*records, *scope_records([role])]), role


def in_scope(left, right):
    paired = pair(left, right, "left", "right")
    report = compare(paired.left, paired.right, options=Options(scoping=paired.scoping))
    return [c for c in report.changes if c.scope and part_of(c.section) is not Part.HOST]


@QUIET
@given(pairs())
def test_parity_is_equal_exactly_when_nothing_in_scope_differs(states):
    left, ours = lock_of(states[0], "shop", "/home/me/.venv")
    right, theirs = lock_of(states[1], "opt-app", "/opt/app")
    same = parity_digest(left, ours) == parity_digest(right, theirs)
    assert same == (not in_scope(left, right))


@QUIET
@given(environments())
def test_an_application_is_equal_to_itself_in_another_directory(state):
    left, ours = lock_of(state, "shop", "/home/me/.venv")
    right, theirs = lock_of(state, "opt-app", "/opt/app")
    assert parity_digest(left, ours) == parity_digest(right, theirs)
    assert in_scope(left, right) == []


@QUIET
@given(pairs())
def test_scope_mirrors(states):
    left, _ = lock_of(states[0], "shop", "/home/me/.venv")
    right, _ = lock_of(states[1], "opt-app", "/opt/app")
    there, back = in_scope(left, right), in_scope(right, left)
    assert {(c.section, c.key, c.field, c.scope) for c in there} == {
        (c.section, c.key, c.field, c.scope) for c in back
    }
