"""What differs inside files: the settings, and the layout, of those whose content is stored."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from envlock.diff.drift import ChangeKind, Delta
from envlock.diff.file_settings import MAX_BYTES, Redact, Setting, settings, settings_of
from envlock.diff.files import SECTION as FILE
from envlock.diff.filters import SETTING
from envlock.diff.layout import LayoutChange, layout_changes, plain_text
from envlock.formats.config import format_of
from envlock.model.glob import compile_globs
from envlock.model.severity import Severity
from envlock.model.text import whole_number

Contents = Callable[[str], bytes | None]
"""Return the content of a digest (hex), None if it is not stored."""

NOT_SHOWN_EITHER = "(another value, not shown)"
_SSHD = compile_globs(("/etc/ssh/sshd_config", "/etc/ssh/sshd_config.d/*")).match
_LOGINS = frozenset({"permitrootlogin", "passwordauthentication", "permitemptypasswords"})
_MAX_SINGLE = 1 << 14
"""Settings are listed for a file on one side only if it is at most this large."""


def with_contents(
    deltas: Iterable[Delta], contents: Contents | None, redact: Redact
) -> Iterator[Delta]:
    """Yield every difference; after a file also the settings in it that differ.

    A file that is on one side only is followed by its settings, if its format is known.
    """
    for delta in deltas:
        if contents is None or delta.section != FILE or delta.explained_by:
            yield delta
        elif delta.kind is ChangeKind.CHANGED and delta.field == "sha256":
            yield from _changed(delta, contents, redact)
        elif delta.kind in (ChangeKind.ADDED, ChangeKind.REMOVED) and not delta.field:
            rows = list(_one_sided(delta, contents, redact))
            is_open = _SSHD(delta.key) and any(map(_opens_login, rows))
            yield delta._replace(special_rule="ssh-login") if is_open else delta
            yield from _followed(delta, rows)
        else:
            yield delta


def _changed(delta: Delta, contents: Contents, redact: Redact) -> Iterator[Delta]:
    before, after = (contents(digest or "") for digest in (delta.left, delta.right))
    if before is None or after is None or max(len(before), len(after)) > MAX_BYTES:
        yield delta
        return
    left, right = map(plain_text, (before, after))
    found = settings(delta.key, left, right, redact)
    if found is None:
        yield delta
        return
    layout = list(layout_changes(delta.key, before, after))
    judged = _judged(delta, layout, found)
    yield judged
    rows = [*found, *((change.name, change.left, change.right) for change in layout)]
    yield from _followed(judged, rows)


def _judged(delta: Delta, layout: list[LayoutChange], found: list[Setting]) -> Delta:
    """Return the difference with the rule for its layout or a setting, if one decides."""
    worst = next((change for change in layout if change.rule), None)
    if worst is not None and (not found or worst.rule == "interpreter-line"):
        return delta._replace(special_rule=worst.rule, note=worst.why)
    if not found:
        return delta._replace(special_rule="comments")
    if _SSHD(delta.key) and any(map(_opens_login, found)):
        return delta._replace(special_rule="ssh-login")
    return delta


def _opens_login(setting: Setting) -> bool:
    """True when the right side lets in by ssh whom the left one does not."""
    name, before, after = setting
    return name.lower() in _LOGINS and after == "yes" and before != "yes"


def _one_sided(delta: Delta, contents: Contents, redact: Redact) -> Iterator[Setting]:
    digest, size = delta.facts.get("sha256", ""), whole_number(delta.facts.get("size"))
    if not digest or size is None or size > _MAX_SINGLE:
        return
    if format_of(delta.key) is None:  # asked before the content is read: most files have none
        return
    content = contents(digest)
    found = None if content is None else settings_of(delta.key, content, redact)
    is_left = delta.left is not None
    for name, value in found or ():
        yield (name, value, None) if is_left else (name, None, value)


def _followed(delta: Delta, rows: Iterable[Setting]) -> Iterator[Delta]:
    for position, before, after in rows:
        kind = ChangeKind.CHANGED
        if before is None or after is None:
            kind = ChangeKind.ADDED if before is None else ChangeKind.REMOVED
        yield delta._replace(
            field=f"{SETTING}{position}",
            kind=kind,
            left=before,
            right=NOT_SHOWN_EITHER if after is not None and after == before else after,
            explained_by=delta.record,
            note="",
            special_rule="setting",
            severity=Severity.INFO if delta.special_rule == "comments" else None,
            below=(),
        )
