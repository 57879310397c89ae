"""The table of warnings and notes: everything the verbs say on standard error besides errors.

The id of a message never changes its meaning.  docs/reference/errors.md is generated from this
table, and ``envlock explain ID`` prints its row.
"""

from __future__ import annotations

from enum import Enum, StrEnum


class Level(StrEnum):
    """How a message is printed."""

    WARNING = "warning"
    """Deserves attention, though the command went on; printed even with ``--quiet``."""
    NOTE = "note"
    """Printed unless ``--quiet`` is given."""


class Message(Enum):
    """One warning or note: its level, its text with placeholders in braces, and what it means.

    >>> Message.WROTE.with_values(path="a.lock")
    'wrote a.lock'
    """

    SECRET_LEFT_OUT = (
        Level.WARNING,
        "left out as secret: {path} ({rule})",
        "This rule says that the file holds a secret, so its content is not recorded.",
    )
    MORE_SECRETS_LEFT_OUT = (
        Level.WARNING,
        "left out as secret: {count} more files",
        "Further files were left out as secret; --json lists all of them.",
    )
    APPLIED = (
        Level.NOTE,
        "run {id} is done: {steps} steps; `envlock apply --undo {id}` takes it back",
        "A plan was done; the journal of the run keeps what was there before.",
    )
    NOT_REMOVED = (
        Level.WARNING,
        "still there: {what}; step {step} should have removed it",
        "The machine was captured again after the plan was done, and a difference is still there.",
    )
    CAME_ANEW = (
        Level.WARNING,
        "new: {what}",
        "The machine was captured again, and has a difference that was not there before the plan.",
    )
    STAYS = (
        Level.WARNING,
        "not taken back: {what}",
        "A part of a run could not be taken back; the sentence says why.",
    )
    UNDONE = (
        Level.NOTE,
        "run {id} was taken back",
        "Every step of the run that had begun was taken back.",
    )
    DECLARATION_CHANGED = (
        Level.WARNING,
        "{path} was not made from what [declare.{name}] says now; run `envlock lock {name}`",
        "With --frozen nothing is installed; the declaration or a file that it takes has changed.",
    )
    IMAGE_LOCKS_ACCOUNTS = (
        Level.WARNING,
        "{path}: its password hashes are not in the image; locked: {names}",
        "Password hashes are never in an image, whichever account file holds them.",
    )
    KEPT_BY_VALUE = (
        Level.WARNING,
        "kept by value, since their packages cannot be had: {packages} ({reason})",
        "A rebuild elsewhere needs these files from whoever captured them.",
    )
    STATE_LEFT_OUT = (
        Level.WARNING,
        "left out as a whole: {path} ({engine}, {size}); --with-state {path} takes it along",
        "Data of a service is kept whole or not at all, and only when its server is stopped.",
    )
    STATE_KEPT = (
        Level.NOTE,
        "kept whole: {path} ({engine}, {size}), with every password that it holds",
        "--with-state or capture.with-state asked for this data; nothing in it was redacted.",
    )
    IMAGE_LEAVES_OUT_STATE = (
        Level.WARNING,
        "the image has no {engine} data: {path} is empty; {cure}",
        "The lock has none of this data, so its server starts anew or must be given a copy.",
    )
    IMAGE_LACKS = (
        Level.WARNING,
        "{path} names {lost}, which the image does not have; {cure}",
        "What reads this file will not start, or not do this part, before that is there.",
    )
    IMAGE_LACKS_MORE = (
        Level.WARNING,
        "{count} more files name what the image does not have; -v lists them",
        "What reads these files will not start, or not do this part.",
    )
    STATE_NOT_COMPARED = (
        Level.WARNING,
        "not compared: {path} ({engine}); the lock has none of this data",
        "Data of a service that the capture left out as a whole is in no verdict.",
    )
    KEPT_WITHOUT_SECRETS = (
        Level.NOTE,
        "kept without their secret values: {count} files",
        "Each secret value is replaced by `***`, the rest is compared; --json lists the files.",
    )
    IMAGE_HOLDS_REDACTED = (
        Level.WARNING,
        "{path}: *** stands in place of each secret value; put the real file in place at run time",
        "The capture keeps settings without their secret values, so an image cannot have them.",
    )
    IMAGE_HOLDS_REDACTED_MORE = (
        Level.WARNING,
        "*** stands in place of secret values in {count} more files",
        "Further files of the image lack their secret values; --json lists all of them.",
    )
    COVERAGE_GAP = (
        Level.WARNING,
        "{section}: {status}: {where}: {reason}",
        "A part of this section could not be captured; a diff calls it unknown, not removed.",
    )
    COVERAGE_GAPS = (
        Level.WARNING,
        "{section}: {status}: {where}: {reason} and {count} more",
        "Several parts of this section could not be captured; -v lists them.",
    )
    WROTE = (Level.NOTE, "wrote {path}", "The file was written or replaced.")
    PUSHED_AS_IMAGE = (
        Level.NOTE,
        "{host} takes images only, so the lock is there in the form of one: {reason}",
        "The blobs are the same, and `envlock pull` reads them. The next push goes there at once.",
    )
    PUSHED = (
        Level.NOTE,
        "pushed to {reference}: {sent} blobs sent ({size} bytes), {present} were there",
        "The lock and its content are in the registry; `envlock pull` fetches them.",
    )
    CARRIED = (
        Level.NOTE,
        "{folder}: {count} files, {size} bytes ({new} new); commit them with the lock",
        "The content of the lock lies beside it, so that a clone can rebuild it.",
    )
    TOO_MUCH_TO_CARRY = (
        Level.WARNING,
        (
            "{path}: its content has more than {limit} bytes, so git does not carry it; use "
            "`envlock push` or `envlock bundle`, or raise locks.carry-limit"
        ),
        "Nothing was written beside the lock; a registry or a file can carry any size.",
    )
    VENDORED = (
        Level.NOTE,
        "{place}: {count} packages, {size} bytes ({new} new)",
        "A rebuild takes these packages from there before it asks any mirror.",
    )
    PACKAGES_BY_VALUE = (
        Level.WARNING,
        (
            "kept by value, because no index of the environment has them: {count} packages, "
            "{size} MB: {names}"
        ),
        "The content of these packages is in the store, since no mirror will be able to give it.",
    )
    CONTENT_FETCHED = (
        Level.NOTE,
        "{lock}: {count} files that the store lacked came from {place}",
        "The content of the lock was verified and is in the store now.",
    )
    CONTENT_NOT_THERE = (
        Level.WARNING,
        "{lock}: its content cannot be had from {place}: {reason}",
        "The store lacks content of the lock, and neither git nor the registry could give it.",
    )
    ROLE_KEEPS = (
        Level.NOTE,
        "{role}: {kept} of {count} packages, {size} of {total} MB; left out: {names}",
        "The image holds the closure of one application; -v lists what was left out.",
    )
    TRACED = (
        Level.NOTE,
        "wrote {path}: {packages} packages; {programs} programs, {libraries} libraries of none",
        "What the command touched; the programs and libraries belong to no package.",
    )
    TRACE_GOES_ON = (
        Level.NOTE,
        "the command has ended; the trace goes on until {count} more processes have ended",
        "What strace follows cannot be left alone; Ctrl-C and signals now go to these processes.",
    )
    TRACE_IS_CUT = (
        Level.WARNING,
        "the command touched more than {count} files; the trace is not complete",
        "The trace holds what was touched first.",
    )
    UNCHANGED = (Level.NOTE, "unchanged: {path}", "The file already had this content.")
    REPLICA_DIFFERS = (
        Level.WARNING,
        "{service}: {replica} differs from {first}: see `envlock diff {first} {replica}`",
        "Replicas of a service should be identical; the lock is of the first one.",
    )
    LIVE_TARGET = (
        Level.NOTE,
        "{target}: captured now; to use its lock, give {path}",
        "The operand is a target, so the live environment is used although a lock of it exists.",
    )
    REPORTS_WRITTEN = (
        Level.NOTE,
        "{verdict}; written: {files}",
        "All reports went to files, so the verdict is printed here.",
    )
    BASELINE_CREATED = (
        Level.NOTE,
        "{path}: {count} differences accepted",
        "--write-baseline recorded all current differences in a new baseline.",
    )
    BASELINE_REDUCED = (
        Level.NOTE,
        "{path}: {count} differences that no longer exist were removed",
        "--update-baseline removed these differences; should they come back, they count again.",
    )
    BASELINE_CURRENT = (
        Level.NOTE,
        "{path}: all accepted differences still exist",
        "--update-baseline had nothing to remove.",
    )
    TREES_DIFFER = (
        Level.NOTE,
        "to see which files differ, compare two at a time: envlock diff {left} {right}",
        "A comparison of three or more environments compares file trees by their digests only.",
    )
    IMAGE_LEAVES_OUT = (
        Level.WARNING,
        "left out of the image: {path} ({reason})",
        "By this rule an image must not hold the path, so provide it when you start a container.",
    )
    IMAGE_LEAVES_OUT_MORE = (
        Level.WARNING,
        "left out of the image: {count} more paths; -v lists them",
        "Further paths that the image does not hold.",
    )
    VALUES_NEEDED = (
        Level.WARNING,
        "variables without a recorded value: {names}; set them when you start a container",
        "Their values may be secret, so the lock has none; capture.env-allow records more values.",
    )
    MATERIALIZED = (
        Level.NOTE,
        (
            "{paths:,} paths in {layers} layers, {fetched} packages fetched, {reused} reused, "
            "{seconds:.1f} s"
        ),
        "The rebuild is complete.",
    )
    START_WITH = (
        Level.NOTE,
        "start it with: {command}",
        "As the lock names it; values are yours, and HOST_PATH stands for a directory of yours.",
    )
    IMAGE_DELIVERED = (
        Level.NOTE,
        "{result}",
        "The image is also where --archive, --load or another sink puts it.",
    )
    MERGED_AS_TEXT = (
        Level.WARNING,
        "merged as text, because a version is not a valid lock: {error}",
        "Lines were merged instead of records; check the result with `envlock check`.",
    )
    MERGE_CONFLICT = (
        Level.WARNING,
        "conflict: both sides changed {record}",
        "The lock has conflict markers around this record; keep one of the two versions.",
    )
    STORE_INTACT = (Level.NOTE, "no problems found in the store", "`envlock store check` is done.")
    PATHS_COMPARED = (
        Level.NOTE,
        "{compared:,} paths compared, {skipped:,} skipped because images leave them out",
        "How much of the file tree `envlock verify` compared.",
    )
    LABEL_MISSING = (
        Level.NOTE,
        "the image has no label with an environment digest",
        "The image was not made by `envlock materialize`, or its labels were removed.",
    )
    LABEL_DIFFERS = (
        Level.NOTE,
        "the label of the image says environment {label}, but the lock is {lock}",
        "The image was made from another lock; the comparison says whether its content differs.",
    )
    LABEL_MATCHES = (
        Level.NOTE,
        "the label of the image has the environment digest of the lock: {lock}",
        "The image says that it was made from this lock.",
    )

    def __init__(self, level: Level, text: str, meaning: str) -> None:
        self.level = level
        self.text = text
        self.meaning = meaning

    @property
    def id(self) -> str:
        """The stable id, as the documentation and ``envlock explain`` name the message."""
        return self.name.lower().replace("_", "-")

    @property
    def is_warning(self) -> bool:
        """True for a warning, which is printed even with ``--quiet``."""
        return self.level is Level.WARNING

    def with_values(self, **values: object) -> str:
        """Return the text with its placeholders filled in.  Raise KeyError if one is missing."""
        return self.text.format_map(values)
