"""A remote machine, read by a program at the other end of a pipe (`ssh_remote.py`).

Each request asks for many things, so that a capture costs a few round trips and not one per file:
first what collectors declared, then the walk level by level, then the content of files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from envlock.model.process import ProcessConfig
from envlock.model.tree import Entry
from envlock.targets.base import Capability, Place, ScanPlan
from envlock.targets.remote.conversation import Conversation, Link
from envlock.targets.remote.remote_files import UNBOUNDED, RemoteFiles
from envlock.targets.remote.remote_pieces import fetch_digests, fetch_pieces
from envlock.targets.remote.remote_scan import RemoteScan
from envlock.targets.stream.streaming import RETAIN_TOTAL


class RemoteTarget(RemoteFiles):
    """The machine at the other end of a link."""

    is_streaming = True
    walks_before_reading = True

    def __init__(self, reference: str, link: Link, retain_total: int = RETAIN_TOTAL) -> None:
        super().__init__(Conversation(link, reference), retain_total)
        self.reference = reference
        self.capabilities = frozenset({Capability.FILES, Capability.ENVIRON, Capability.KERNEL})

    def scan(self, plan: ScanPlan) -> Iterator[Entry]:
        """Walk, then read; see `envlock.targets.base.Target.scan`."""
        yield from RemoteScan(self, plan).entries()

    def pieces(self, wanted: Mapping[str, Sequence[Place]]) -> Mapping[str, Mapping[Place, bytes]]:
        """Fetch parts of many files; see `envlock.targets.base.BatchedTarget.pieces`."""
        return fetch_pieces(self.conversation, wanted)

    def digests(self, paths: Iterable[str]) -> Mapping[str, str]:
        """Have files hashed there; see `envlock.targets.base.BatchedTarget.digests`."""
        return fetch_digests(self.conversation, paths, UNBOUNDED)

    def process(self) -> ProcessConfig:
        """Return the environment of the session on the other machine."""
        environ = self.conversation.hello.get("environ")
        try:
            pairs = {str(name): str(value) for name, value in environ or ()}
        except (TypeError, ValueError) as error:
            raise self.conversation.unexpected_reply() from error
        return ProcessConfig(environ=pairs, is_session=True)

    def close(self) -> None:
        """End the remote program and the connection."""
        self.conversation.close()
