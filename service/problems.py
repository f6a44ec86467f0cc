"""Errors as application/problem+json (RFC 9457).

Every answer that is not a success has the same shape: `{"type", "title", "status", "code", "detail", "errors",
"request_id"}`. `code` is stable; `errors` lists `{"field", "code", "message"}` where input was wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import sqlalchemy as sa
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import JSONResponse, Response

from service.database_faults import problem_of
from service.errors import BadRequest, InvalidInput, Problem, UnsupportedMedia
from service.field_words import in_words

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger()


class FieldError(BaseModel):
    """One fault of the input."""

    field: str
    code: str
    message: str


class ProblemBody(BaseModel):
    """The body of every error."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    errors: list[FieldError]
    request_id: str


def problem_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe error answers for the OpenAPI document."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemBody"}}},
        }
        for status in statuses
    }


def request_id(request: Request) -> str:
    """Return the request's id, as the log has it."""
    return str(getattr(request.state, "request_id", ""))


def answer(request: Request, problem: Problem) -> Response:
    """Turn a problem into its answer."""
    status = HTTPStatus(problem.status)
    headers = {"WWW-Authenticate": "Bearer"} if status == HTTPStatus.UNAUTHORIZED else {}
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    body = problem_body(problem, request_id(request))
    return JSONResponse(body, status_code=status.value, media_type=MEDIA_TYPE, headers=headers)


def problem_body(problem: Problem, request_id: str) -> dict[str, Any]:
    """Return a problem as JSON."""
    return {
        "type": "about:blank",
        "title": HTTPStatus(problem.status).phrase,
        "status": problem.status,
        "code": problem.code,
        "detail": problem.detail,
        "errors": problem.errors,
        "request_id": request_id,
    }


def field_errors(errors: Sequence[Any], *, within: str = "") -> list[dict[str, Any]]:
    """Turn pydantic's errors into ours; what was sent is not repeated, it may be a note's text.

    Args:
        errors: As pydantic gives them.
        within: What holds the fields, where the errors don't say it: FastAPI's begin with `body`, `query` or the like.
    """
    places = [(within, *error["loc"]) if within else error["loc"] for error in errors]
    return [
        {"field": _field(place), "code": error["type"], "message": in_words(error)}
        for place, error in zip(places, errors, strict=True)
    ]


def _field(place: Sequence[Any]) -> str:
    """Return a field's name; what is wrong as a whole is named as that: the body, the query."""
    return ".".join(str(part) for part in place[1:]) or str(place[0])


def install(app: FastAPI) -> None:
    """Register the handlers of all errors."""

    @app.exception_handler(Problem)
    def _problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return answer(request, error)

    @app.exception_handler(RequestValidationError)
    def _validation(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        if any(e["type"] == "json_invalid" for e in error.errors()):
            return answer(request, BadRequest("The body is not valid JSON.", code="invalid_json"))
        if isinstance(error.body, bytes):  # FastAPI parses only what says that it is JSON
            return answer(request, UnsupportedMedia("Send the body as JSON, with Content-Type: application/json."))
        faults = field_errors(error.errors())
        named = ", ".join(f"{f['field']}: {f['message']}" for f in faults[:5])
        return answer(request, InvalidInput(f"Some fields are wrong. {named}.", errors=faults))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        code = HTTPStatus(error.status_code).name.lower()
        problem = Problem(str(error.detail), code=code)
        problem.status = error.status_code
        response = answer(request, problem)
        response.headers.update(error.headers or {})
        return response

    @app.exception_handler(ClientDisconnect)
    def _gone(request: Request, _error: Exception) -> Response:
        return answer(request, BadRequest("The body broke off."))

    @app.exception_handler(sa.exc.DBAPIError)
    @app.exception_handler(sa.exc.TimeoutError)
    @app.exception_handler(OSError)
    def _database(request: Request, error: Exception) -> Response:
        problem = problem_of(error)
        if problem is None:
            raise error
        _log.error("database_unavailable", error=type(error).__name__)
        return answer(request, problem)
