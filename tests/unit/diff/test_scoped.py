"""A comparison in scope: what counts, how severe it is, and what policy still demands."""

from __future__ import annotations

from envlock.config.policy_tables import Demand, Expectation
from envlock.diff.drift import Change, DriftReport, Result
from envlock.diff.engine import Options, compare
from envlock.diff.policy.policy import Policy
from envlock.model.lock import Lock
from envlock.model.record import Record
from envlock.model.scope import Member, MemberClass, Role, Root, scope_records
from envlock.scope.pairing import pair
from tests.unit.scope.samples import image, laptop, machine, role


def report_of(left: Lock, right: Lock, **options: object) -> DriftReport:
    paired = pair(left, right, "dev", "prod")
    given = Options(left_name="dev", right_name="prod", scoping=paired.scoping, **options)  # type: ignore[arg-type]
    return compare(paired.left, paired.right, options=given)


def in_scope(report: DriftReport) -> dict[str, Change]:
    return {f"{c.record} {c.field}".strip(): c for c in report.changes if c.scope}


def test_what_is_outside_does_not_count() -> None:
    report = report_of(laptop(), image())
    assert report.result is Result.EQUAL
    assert not any(report.summary.values())
    assert sum(report.outside.values()) == 1  # vim; that libssl3 was asked for is on both sides
    assert report.parity == 100.0


def test_what_is_in_scope_counts_and_names_the_application() -> None:
    report = report_of(laptop(), image(ssl="3.0.11-1~deb12u2"))
    change = in_scope(report)["deb libssl3:amd64 version"]
    assert change.scope == ("app",)
    assert change.via == "python:app/cryptography → _rust.abi3.so → libssl.so.3"
    assert change.why.endswith(f"; app needs it: {change.via}")
    assert report.result is Result.DRIFT


def test_how_a_package_came_and_where_things_lie_concern_no_application() -> None:
    right = image(more=[Record("env", "HOME", {"value": "/root"})])
    changed = {**right.sections, "deb": {**right.sections["deb"]}}
    changed["deb"]["libssl3:amd64"] = {**right.get("deb", "libssl3:amd64"), "mark": "auto"}
    report = report_of(laptop(), Lock(sections=changed, coverage=right.coverage))
    assert in_scope(report) == {}
    assert {c.field for c in report.changes if c.section == "deb"} == {"", "mark"}


def test_a_missing_library_is_high_and_a_mere_dependency_is_low() -> None:
    gone = image(without=[("deb", "libssl3:amd64"), ("deb", "zlib1g:amd64")])
    found = in_scope(report_of(laptop(), gone))
    assert found["deb libssl3:amd64"].severity == "high"
    assert found["deb zlib1g:amd64"].severity == "low"


def test_what_only_the_right_side_has_is_low() -> None:
    more = [Member("python", "opt-app/extra", MemberClass.DECLARED, "python:opt-app")]
    right = machine(
        "opt-app",
        "/opt/app",
        role("opt-app", "", more=more, kind="process"),
        more=[Record("python", "opt-app/extra", {"version": "1"})],
    )
    assert in_scope(report_of(laptop(), right))["python app/extra"].severity == "low"


def test_the_files_of_a_member_and_of_its_directory_are_in_scope() -> None:
    own = Record("file", "/opt/app/conf.ini", {"class": "unowned", "mode": "0644"})
    facts = {"class": "package-modified", "packaged-by": "deb libssl3:amd64", "sha256": "ab"}
    packaged = Record("file", "/usr/lib/libssl.so.3", facts)
    found = in_scope(report_of(laptop(), image(more=[own, packaged])))
    assert found.keys() == {"file /{app}/conf.ini", "file /usr/lib/libssl.so.3"}


def test_what_policy_demands_counts_everywhere() -> None:
    demand = Expectation(
        section="deb", key="vim:*", fact="", demand=Demand.AT_LEAST, version="99", reason="r",
        severity="medium",
    )  # fmt: skip
    report = report_of(laptop(), image(), policy=Policy(expect=(demand,)))
    (unmet,) = [change for change in report.changes if change.is_unmet]
    assert unmet.counts
    assert unmet.scope is None
    assert report.result is Result.DRIFT
    report = report_of(laptop(), image(), require=frozenset({"service"}))
    assert report.result is Result.INCONCLUSIVE


def test_a_lead_outside_hides_nothing_in_scope() -> None:
    asked = Record("deb", "bundle:amd64", {"version": "1", "mark": "manual"})
    left = laptop(more=[asked])
    facts = {**left.get("deb", "libssl3:amd64"), "needed-by": "bundle:amd64"}
    sections = {**left.sections, "deb": {**left.sections["deb"], "libssl3:amd64": facts}}
    left = Lock(sections=sections, coverage=left.coverage)
    found = in_scope(report_of(left, image(without=[("deb", "libssl3:amd64")])))
    assert found["deb libssl3:amd64"].explained_by == ""


def test_members_of_one_side_only_are_one_finding() -> None:
    vim = Record("deb", "vim:amd64", {"version": "9.0"})
    extra = Member("deb", "vim:amd64", MemberClass.LINKED, "app → libvim.so")
    right = machine(
        "opt-app", "/opt/app", role("opt-app", "", more=[extra], kind="process"), more=[vim]
    )
    (change,) = in_scope(report_of(laptop(), right)).values()
    assert (change.rule, change.key, change.right) == ("SCOPE-MEMBERS", "app", "deb:vim:amd64")


def test_what_metadata_alone_depends_on_is_no_difference_of_members() -> None:
    vim = Record("deb", "vim:amd64", {"version": "9.0"})
    extra = Member("deb", "vim:amd64", MemberClass.DEPENDS, "deb:libssl3:amd64")
    right = machine(
        "opt-app", "/opt/app", role("opt-app", "", more=[extra], kind="process"), more=[vim]
    )
    assert in_scope(report_of(laptop(), right)) == {}


def with_tool(lock: Lock, *, is_there: bool) -> Lock:
    members = (Member("deb", "zlib1g:amd64", MemberClass.DECLARED, "tool"),) if is_there else ()
    tool = Role("tool", Root.parse("exe:/usr/bin/jq"), members)
    records = {record.key: record.facts for record in scope_records([tool])}
    scope = {**lock.sections["scope"], **records}
    return Lock(sections={**lock.sections, "scope": scope}, coverage=lock.coverage)


def test_a_declared_program_that_one_side_lacks_is_high() -> None:
    left, right = with_tool(laptop(), is_there=True), with_tool(image(), is_there=False)
    (change,) = in_scope(report_of(left, right)).values()
    assert (change.rule, change.severity, change.scope) == ("SCOPE-ROOT", "high", ("tool",))
    assert (change.left, change.right) == ("exe:/usr/bin/jq", None)
    mirrored = in_scope(report_of(right, left))
    assert [(c.left, c.right) for c in mirrored.values()] == [(None, "exe:/usr/bin/jq")]
    assert in_scope(report_of(left, with_tool(image(), is_there=True))) == {}


def test_what_an_image_cannot_have_concerns_no_application() -> None:
    coverage = {"host.kernel": {"status": "unsupported"}}
    right = image(without=[("host.kernel", "")])
    right = Lock(sections=right.sections, coverage={**right.coverage, **coverage})
    report = report_of(laptop(), right)
    assert report.result is Result.EQUAL
    assert [c.scope for c in report.changes if c.section == "host.kernel"] == [()]


def test_what_could_not_be_read_of_a_machine_stays_unknown() -> None:
    coverage = {"host.kernel": {"status": "unreadable"}}
    right = image(without=[("host.kernel", "")])
    right = Lock(sections=right.sections, coverage={**right.coverage, **coverage})
    report = report_of(laptop(), right)
    assert report.result is Result.INCONCLUSIVE
    assert [c.scope for c in report.changes if c.section == "host.kernel"] == [("app",)]


def test_of_how_a_container_is_started_its_limits_count_against_a_machine() -> None:
    def started(ulimits: str, workdir: str) -> Lock:
        facts = {"cmd": '["serve"]', "workdir": workdir, "ulimits": ulimits}
        member = Member("process", "", MemberClass.ALWAYS)
        of = role("opt-app", "", more=[member], kind="process")
        return machine("opt-app", "/opt/app", of, more=[Record("process", "", facts)])

    left, right = started("nofile=256:256", "/"), started("nofile=512:512", "/tmp")
    found = in_scope(report_of(laptop(), left))
    assert [(c.section, c.field) for c in found.values()] == [("process", "ulimits")]
    found = in_scope(report_of(left, right))
    assert [c.field for c in found.values()] == ["ulimits", "workdir"]


def test_a_library_that_shadows_that_of_a_package_is_high() -> None:
    path = "/usr/local/lib/libz.so.1"
    member = Member("software", path, MemberClass.LINKED, "deb:libssl3:amd64 → libz.so.1")
    record = Record("software", path, {"build-id": "1f95d549"})
    right = machine(
        "opt-app", "/opt/app", role("opt-app", "", more=[member], kind="process"), more=[record]
    )
    (change,) = in_scope(report_of(laptop(), right)).values()
    assert (change.severity, change.kind) == ("high", "added")
    assert change.why.endswith("app needs it: deb:libssl3:amd64 → libz.so.1")


def test_a_library_that_only_metadata_names_is_a_lesser_loss() -> None:
    library = Record("deb", "libargon2-1:amd64", {"version": "1", "section": "libs"})
    member = Member("deb", "libargon2-1:amd64", MemberClass.DEPENDS, "deb:libssl3:amd64")
    left = machine("shop", "/srv/shop", role("shop", "/srv/shop", more=[member]), more=[library])
    (change,) = (c for c in in_scope(report_of(left, image())).values() if "argon" in c.key)
    assert change.severity == "low"


def test_another_interpreter_that_an_environment_is_made_from_is_no_missing_environment() -> None:
    base = Record("python", "pyenv-3.11", {"version": "3.11.7", "path": "/root/.pyenv/3.11.7"})
    member = Member("python", "pyenv-3.11", MemberClass.LOADED, "file:/root/.pyenv/python")
    left = machine("shop", "/srv/shop", role("shop", "/srv/shop", more=[member]), more=[base])
    assert in_scope(report_of(left, image()))["python app-base"].severity == "low"
