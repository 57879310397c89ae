"""The table of target kinds is complete, and its answers are those of the rows."""

from __future__ import annotations

import inspect
import pkgutil
import sys
from importlib import import_module
from pathlib import Path

import pytest

import envlock.targets
from envlock.errors import TargetNameError
from envlock.model.depth import Depth
from envlock.targets import kinds
from envlock.targets.base import Target
from envlock.targets.kinds import KINDS, Form
from envlock.targets.stream.streaming import StreamingTarget

REFERENCE_PAGE = Path(__file__).resolve().parents[3] / "docs/reference/command-line.md"
FORMS = [form for kind in KINDS.values() for form in (kind.one, kind.group) if form is not None]
MEMBERS = [name for name in vars(Target) if not name.startswith("_")]


def target_classes() -> set[type]:
    """Return every class in `envlock.targets` that a user could open as a target."""
    modules = pkgutil.walk_packages(envlock.targets.__path__, "envlock.targets.")
    return {
        value
        for module in map(import_module, (found.name for found in modules))
        for value in vars(module).values()
        if inspect.isclass(value)
        and value.__module__ == module.__name__
        and not getattr(value, "_is_protocol", False)
        and all(
            hasattr(value, name) for name in MEMBERS if name not in ("reference", "capabilities")
        )
    }


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.text)
def test_the_opener_of_every_form_takes_its_operand(form: Form) -> None:
    signature = inspect.signature(kinds.load_opener(form))
    signature.bind(*(["operand"] if form.has_operand else []))


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.text)
def test_every_form_is_in_the_reference(form: Form) -> None:
    assert f"| `{form.text}` | {form.meaning} |" in REFERENCE_PAGE.read_text()


def test_every_class_of_targets_is_opened_by_a_row() -> None:
    openers = {kinds.load_opener(form).__module__ for form in FORMS}
    opened = {value for name in openers for value in vars(sys.modules[name]).values()
              if inspect.isclass(value)}  # fmt: skip
    classes = target_classes() - {StreamingTarget}
    assert len(classes) >= 9, "the search for target classes finds them"
    assert {found.__qualname__ for found in classes - opened} == set()


@pytest.mark.parametrize("scheme", KINDS)
def test_a_row_is_found_by_its_scheme(scheme: str) -> None:
    kind = KINDS[scheme]
    assert kind.one or kind.group, "it names something"
    for form in filter(None, (kind.one, kind.group)):
        assert form.text.startswith(kind.prefix)
    assert kinds.is_target(f"{kind.prefix}x" if ":" in kind.prefix else scheme)
    assert not kinds.is_target(f"{scheme}:x" if ":" not in kind.prefix else scheme)


@pytest.mark.parametrize(
    ("reference", "depth", "deep"),
    [
        ("host", Depth.CONFIG, Depth.FULL),
        ("ssh:box", Depth.CONFIG, Depth.FULL),
        ("pid:1", Depth.CONFIG, Depth.FULL),
        ("docker:web", Depth.FULL, Depth.FULL),
        ("image:web", Depth.FULL, Depth.FULL),
        ("oci:web", Depth.FULL, Depth.FULL),
        ("dir:/srv", Depth.FULL, Depth.FULL),
        ("kube:pods.json#a/b", Depth.FULL, Depth.FULL),
        ("compose:shop", Depth.FULL, Depth.FULL),
        ("recorded:case.tar", Depth.RECORDS, Depth.RECORDS),
    ],
)
def test_depth_of_a_capture(reference: str, depth: Depth, deep: Depth) -> None:
    assert kinds.capture_depth(reference, deep=False) is depth
    assert kinds.capture_depth(reference, deep=True) is deep


@pytest.mark.parametrize(
    ("reference", "name"),
    [("host", ""), ("docker:web", "web"), ("dir:/srv/root/", "root"), ("oci:/srv/a", "/srv/a")],
)
def test_suggested_name(reference: str, name: str) -> None:
    assert kinds.suggested_name(reference) == name


def test_images_are_distinguished_from_containers() -> None:
    assert {scheme for scheme in KINDS if kinds.is_image(f"{scheme}:x")} == {"image", "oci"}


@pytest.mark.parametrize("reference", ["compose:shop", "kube:pods.json"])
def test_a_group_is_not_opened_as_one_environment(reference: str) -> None:
    assert kinds.is_group(reference)
    with pytest.raises(TargetNameError, match="several environments"):
        kinds.open_target(reference)


@pytest.mark.parametrize("reference", ["", "web", "docker:", "compose", "host:x", "nothing:x"])
def test_a_reference_of_no_known_form_is_a_name_error(reference: str) -> None:
    assert not kinds.is_group(reference)
    with pytest.raises(TargetNameError, match="names no environment"):
        kinds.open_target(reference)


@pytest.mark.parametrize("reference", ["host", "docker:web", "compose:", "kube:", "nothing:x"])
def test_only_groups_are_opened_as_groups(reference: str) -> None:
    with pytest.raises(TargetNameError, match="names no group"):
        kinds.open_group(reference)
