"""Every error that a user can meet.

BinomeError                 message for a person; on the command line printed alone, exit code 1
├── SettingsRefused         a setting is misspelt or out of range
├── StartRefused            the service can't start: port taken, folder read-only, database newer than the code
└── Problem                 answered as application/problem+json (RFC 9457)
    ├── BadRequest          400
    ├── InvalidInput        422, with the fields
    ├── Unauthorized        401
    ├── Forbidden           403
    ├── NotFound            404
    ├── NotAcceptable       406
    ├── TooSlow             408
    ├── Conflict            409
    ├── Gone                410
    ├── TooLarge            413
    ├── UnsupportedMedia    415
    ├── TooMany             429, with the seconds to wait
    ├── HeadTooLarge        431
    ├── Unavailable         503
    └── InsufficientStorage 507
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


class BinomeError(Exception):
    """Base; `str(error)` is a plain sentence that says what to do."""


class SettingsRefused(BinomeError):
    """A setting is misspelt or out of range."""


class StartRefused(BinomeError):
    """The service can't start."""


class Problem(BinomeError):
    """An error with an HTTP answer.

    Attributes:
        status: HTTP status.
        code: Stable name of the error, for programs.
        detail: What was wrong and what to do, for people. Never a note's text.
        errors: For input: one `{"field", "code", "message"}` per fault.
        retry_after: Seconds until it is worth trying again, where that may help.
    """

    status = 500
    code = "internal_error"
    retry_after: int | None = None

    def __init__(self, detail: str, *, code: str | None = None, errors: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or type(self).code
        self.errors = list(errors)


class BadRequest(Problem):
    """The request can't be read at all."""

    status, code = 400, "bad_request"


class InvalidInput(Problem):
    """Some fields are wrong; `errors` names them."""

    status, code = 422, "invalid_input"


class Unauthorized(Problem):
    """No key, or one that is unknown, expired or revoked."""

    status, code = 401, "unauthorized"


class Forbidden(Problem):
    """The key lacks the scope."""

    status, code = 403, "forbidden"


class NotFound(Problem):
    """There is no such thing."""

    status, code = 404, "not_found"


class TooSlow(Problem):
    """The request did not arrive in time."""

    status, code = 408, "too_slow"


class Conflict(Problem):
    """The state of things does not allow it."""

    status, code = 409, "conflict"


class Gone(Problem):
    """It was switched off; senders that know this answer stop."""

    status, code = 410, "gone"


class MethodNotAllowed(Problem):
    """The route has no such method."""

    status, code = 405, "method_not_allowed"


class NotAcceptable(Problem):
    """It is refused for good; senders that know this answer stop."""

    status, code = 406, "not_acceptable"


class UnsupportedMedia(Problem):
    """The body's type or encoding is none that the route reads."""

    status, code = 415, "unsupported_media_type"


class TooLarge(Problem):
    """The body is over its limit."""

    status, code = 413, "too_large"


class TooMany(Problem):
    """There were too many of these lately.

    Attributes:
        retry_after: Seconds until it is worth trying again.
    """

    status, code = 429, "too_many_requests"

    def __init__(self, detail: str, *, retry_after: int, code: str | None = None) -> None:
        super().__init__(detail, code=code)
        self.retry_after = retry_after


class HeadTooLarge(Problem):
    """The head of the request is over its limit."""

    status, code = 431, "head_too_large"


class Unavailable(Problem):
    """The database does not answer; try again: what was stored all the same is not doubled."""

    status, code = 503, "unavailable"
    retry_after: int | None = 5


class InsufficientStorage(Problem):
    """The disk is full, or nearly; try again once there is room."""

    status, code = 507, "disk_full"
    retry_after: int | None = 60
