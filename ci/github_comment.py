"""One comment on a pull request, identified by a hidden marker and updated in place.

REST API: https://docs.github.com/rest/issues/comments (there a pull request is an issue).
"""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from typing import NamedTuple

LIMIT = 65_536
"""Most characters of a comment; GitHub refuses a longer one."""

_PAGE = 100
_PAGES = 50
_RESPONSE_BYTES = 20_000_000
_SECONDS = 30


class CommentError(Exception):
    """The comment could not be written; `refused` means that the token may not write comments."""

    def __init__(self, message: str, *, refused: bool = False) -> None:
        super().__init__(message)
        self.refused = refused


class Issue(NamedTuple):
    """A pull request, the URL of the API, and the token to use."""

    api: str
    repository: str
    number: int
    token: str


class _Straight(urllib.request.HTTPRedirectHandler):
    """Follows no redirect, which would send the token to another host."""

    def redirect_request(self, *_arguments: object, **_named: object) -> None:
        """Decline."""


def put_comment(
    issue: Issue, marker: str, body: str, *, create: bool, pauses: Sequence[float] = (1, 4)
) -> str:
    """Write `marker` and `body` into the comment that starts with `marker`; return its URL.

    If there is none, it is created if `create`, else the URL is empty.  After an error of the
    network or the server it tries again after each of `pauses` (seconds).  Raise CommentError.
    """
    text = f"{marker}\n{body}"
    if len(text) > LIMIT:
        raise CommentError(f"{len(text)} characters are more than a comment can hold")
    for pause in (*pauses, None):
        try:
            return _put(issue, marker, text, create=create)
        except urllib.error.HTTPError as error:
            last = f"{error.code} {error.reason}"
            error.close()
            if error.code in (401, 403, 404):
                raise CommentError(
                    f"the token may not comment here: {last}", refused=True
                ) from None
            if error.code < 500 and error.code != 429:
                raise CommentError(last) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            last = str(error) or type(error).__name__
        if pause is None:
            break
        time.sleep(pause)
    raise CommentError(last)


def _put(issue: Issue, marker: str, text: str, *, create: bool) -> str:
    # Each try searches again: the one before may have succeeded although its response was lost.
    for comment in _comments(issue):
        if str(comment.get("body", "")).startswith(marker):
            return _url(_call(issue, "PATCH", f"issues/comments/{comment['id']}", text))
    if not create:
        return ""
    return _url(_call(issue, "POST", f"issues/{issue.number}/comments", text))


def _comments(issue: Issue) -> Iterator[dict[str, object]]:
    for page in range(1, _PAGES + 1):
        path = f"issues/{issue.number}/comments?per_page={_PAGE}&page={page}"
        found = _call(issue, "GET", path)
        if not isinstance(found, list):
            raise ValueError("the response is not a list")  # noqa: TRY004  not an argument
        yield from found
        if len(found) < _PAGE:
            return


def _call(issue: Issue, method: str, path: str, text: str | None = None) -> object:
    request = urllib.request.Request(  # noqa: S310  the runner's own API
        f"{issue.api}/repos/{issue.repository}/{path}",
        data=None if text is None else json.dumps({"body": text}).encode(),
        method=method,
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {issue.token}",
            "Content-Type": "application/json",
            "X-GitHub-Api-Version": "2022-11-28",
            "User-Agent": "envlock",
        },
    )
    opener = urllib.request.build_opener(_Straight)
    with opener.open(request, timeout=_SECONDS) as response:
        return json.loads(response.read(_RESPONSE_BYTES))


def _url(response: object) -> str:
    return str(response.get("html_url", "")) if isinstance(response, dict) else ""
