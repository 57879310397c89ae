"""A registry of npm packages on this machine's loopback, and a home whose npm asks only that."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.unit.materialize.packages import integrity


class NpmServer:
    """Serves tarballs by the address that npm's own registry gives them.

    `tarballs` maps (name, version) -> content; `asked` are the paths that were asked for, and
    `answers` path -> media type and body.
    """

    def __init__(self, url: str, tarballs: Mapping[tuple[str, str], bytes]) -> None:
        self.url = url
        self.asked: list[str] = []
        self.answers: dict[str, tuple[str, bytes]] = {}
        for (name, version), content in tarballs.items():
            file = f"/{name}/-/{name.rpartition('/')[2]}-{version}.tgz"
            self.answers[file] = ("application/octet-stream", content)
            dist = {"tarball": f"{url}{file}", "integrity": integrity(content)}
            document = {
                "name": name,
                "dist-tags": {"latest": version},
                "versions": {version: {"name": name, "version": version, "dist": dist}},
            }
            answer = ("application/json", json.dumps(document).encode())
            self.answers[f"/{name.replace('/', '%2f')}"] = answer

    def answer(self, path: str) -> tuple[str, bytes] | None:
        """Return media type and body, or None for what it does not have."""
        self.asked.append(path)
        return self.answers.get(path)


@contextmanager
def serving(tarballs: Mapping[tuple[str, str], bytes]) -> Iterator[NpmServer]:
    """Serve packages while the context lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = server.answer(self.path)
            self.send_response(200 if found else 404)
            kind, body = found or ("application/json", b"{}")
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Write nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        server = NpmServer(f"http://127.0.0.1:{http.server_port}", tarballs)
        thread = threading.Thread(target=http.serve_forever)
        thread.start()
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def npm_home(folder: Path, registry: str) -> dict[str, str]:
    """Return variables that make npm ask `registry` alone, with its cache in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "npmrc"
    config.write_text(f"registry={registry}/\nfetch-retries=0\naudit=false\nfund=false\n")
    return {
        "npm_config_userconfig": str(config),
        "npm_config_globalconfig": "/dev/null",
        "npm_config_registry": f"{registry}/",
        "npm_config_cache": str(folder / "cache"),
    }
