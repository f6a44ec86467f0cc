"""API servers on this machine: what they hold, what they were asked, and the faults that they are told to have."""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Call:
    method: str
    path: str
    query: dict[str, str]
    body: Any
    headers: dict[str, str]
    at: float


@dataclass
class Fault:
    """An answer that is given instead of the right one, after a while."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b"{}"
    slow: float = 0.0


Answer = tuple[int, Any]


@dataclass
class ApiServer:
    """A server whose subclass answers in `answer`; `faults` go first, one each call (None: no fault)."""

    url: str = ""
    calls: list[Call] = field(default_factory=list)
    faults: deque[Fault | None] = field(default_factory=deque)
    tokens: set[str] = field(default_factory=lambda: {"token-1"})
    scheme: str = "Bearer "
    per_second: int = 0
    before: Callable[[Call], None] = lambda _call: None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(self, call: Call) -> Answer:
        raise NotImplementedError

    def public(self, call: Call) -> bool:
        """Tell whether a call needs no token."""
        return "oauth" in call.path

    def proved(self, call: Call) -> bool:
        return call.headers.get("authorization", "").removeprefix(self.scheme) in self.tokens

    def handle(self, call: Call) -> tuple[int, dict[str, str], bytes]:
        with self.lock:
            self.calls.append(call)
            fault = self.faults.popleft() if self.faults else None
            recent = sum(other.at > call.at - 1 for other in self.calls)
        self.before(call)
        if fault and fault.slow:
            time.sleep(fault.slow)
        if fault and fault.status:
            return fault.status, fault.headers, fault.body
        if self.per_second and recent > self.per_second:
            return 429, {"Retry-After": "1"}, b"{}"
        if not self.public(call) and not self.proved(call):
            return 401, {}, b"{}"
        with self.lock:
            status, document = self.answer(call)
        return status, {}, b"" if document is None else json.dumps(document).encode()


@contextmanager
def serving(api: ApiServer) -> Iterator[ApiServer]:
    """Run a server on a free port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _do(self) -> None:
            raw = self.rfile.read(int(self.headers.get("content-length", 0)))
            split = urlsplit(self.path)
            form = self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
            body = _flat(raw.decode()) if form else json.loads(raw or b"null")
            headers = {name.lower(): value for name, value in self.headers.items()}
            call = Call(self.command, split.path, _flat(split.query), body, headers, time.monotonic())
            status, extra, content = api.handle(call)
            self.send_response(status)
            for name, value in {**extra, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _do

        def log_message(self, *_: object) -> None:
            pass

        def handle(self) -> None:
            with suppress(BrokenPipeError, ConnectionResetError):  # the client was killed
                super().handle()

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    api.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield api
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}


@dataclass
class HubSpotApi(ApiServer):
    """CRM objects, associations, owners and OAuth as HubSpot documents them.

    `objects` holds properties by type and id, `links` ids by (from type, id, to type). The list gives `page_size`
    records a page.
    """

    objects: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    links: dict[tuple[str, str, str], list[str]] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    transcripts: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    page_size: int = 100
    next_token: str = "token-2"
    forbidden: set[str] = field(default_factory=set)

    def put(self, kind: str, key: str, changed: str = "2026-09-02T10:00:00Z", **properties: str) -> None:
        self.objects.setdefault(kind, {})[key] = {"hs_lastmodifieddate": changed, **properties}

    def link(self, kind: str, key: str, to: str, *others: str) -> None:
        self.links[kind, key, to] = list(others)

    def answer(self, call: Call) -> Answer:
        parts = call.path.strip("/").split("/")
        if call.path == "/oauth/v1/token":
            return self._token(call)
        if call.path == "/crm/v3/owners":
            if call.query["archived"] == "true":
                return 200, {"results": []}
            named = [
                {"id": key, "firstName": n.split()[0], "lastName": n.split()[1], "email": f"{key}@firm.example"}
                for key, n in self.owners.items()
            ]
            return 200, {"results": named}
        if parts[2:5] == ["extensions", "calling", "transcripts"]:
            found = self.transcripts.get(parts[5])
            if "transcripts" in self.forbidden:
                return 403, {"category": "MISSING_SCOPES"}
            return (200, {"id": parts[5], "transcriptUtterances": found}) if found else (404, {})
        if parts[:2] == ["crm", "v4"]:
            results = [
                {"from": {"id": one["id"]}, "to": [{"toObjectId": int(key)} for key in found]}
                for one in call.body["inputs"]
                if (found := self.links.get((parts[3], one["id"], parts[4])))
            ]
            return 207 if len(results) < len(call.body["inputs"]) else 200, {"results": results}
        kind = parts[3]
        if kind in self.forbidden:
            return 403, {"category": "MISSING_SCOPES"}
        held = self.objects.get(kind, {})
        if parts[4:] == ["batch", "read"]:
            assert len(call.body["inputs"]) <= 100
            wanted = [one["id"] for one in call.body["inputs"]]
            return 200, {"results": [self._shown(kind, key) for key in wanted if key in held]}
        if parts[4:] == ["search"]:
            return self._search(kind, call)
        keys, start = sorted(held, key=int), int(call.query.get("after", 0))
        return self._page(kind, keys, start)

    def _page(self, kind: str, keys: list[str], start: int) -> Answer:
        found = {"results": [self._shown(kind, key) for key in keys[start : start + self.page_size]]}
        if start + self.page_size < len(keys):
            found["paging"] = {"next": {"after": str(start + self.page_size)}}
        return 200, found

    def _search(self, kind: str, call: Call) -> Answer:
        from datetime import datetime

        least = int(call.body["filterGroups"][0]["filters"][0]["value"])
        held = self.objects.get(kind, {})
        changed = {key: datetime.fromisoformat(held[key]["hs_lastmodifieddate"]).timestamp() * 1000 for key in held}
        keys = sorted((key for key in held if changed[key] >= least), key=lambda key: (changed[key], int(key)))
        return self._page(kind, keys, int(call.body.get("after") or 0))

    def _shown(self, kind: str, key: str) -> dict[str, Any]:
        return {"id": key, "properties": self.objects[kind][key]}

    def _token(self, call: Call) -> Answer:
        if call.body.get("refresh_token") != "refresh-1" or call.body.get("client_secret") != "hubspot-secret":
            return 400, {"status": "BAD_REFRESH_TOKEN"}
        self.tokens = {self.next_token}
        return 200, {"access_token": self.next_token, "refresh_token": "refresh-1", "expires_in": 1800}


@dataclass
class GongApi(ApiServer):
    """Calls and transcripts; `pages` gives the calls of each page."""

    called: dict[str, dict[str, Any]] = field(default_factory=dict)
    transcripts: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    page_size: int = 2

    def answer(self, call: Call) -> Answer:
        wanted = call.body["filter"].get("callIds")
        if call.path == "/v2/calls/transcript":
            found = [self._transcript(key) for key in wanted if key in self.transcripts]
            return (200, {"callTranscripts": found, "records": {}}) if found else (404, {"errors": ["No calls found"]})
        keys = [key for key in (wanted or sorted(self.called)) if key in self.called]
        if not keys:
            return 404, {"errors": ["No calls found"]}
        start = int(call.body.get("cursor") or 0)
        records = {} if wanted or start + self.page_size >= len(keys) else {"cursor": str(start + self.page_size)}
        shown = keys if wanted else keys[start : start + self.page_size]
        return 200, {"calls": [self.called[key] for key in shown], "records": records}

    def _transcript(self, key: str) -> dict[str, Any]:
        turns = [{"speakerId": who, "sentences": [{"start": 0, "text": said}]} for who, said in self.transcripts[key]]
        return {"callId": key, "transcript": turns}


@dataclass
class ZohoApi(ApiServer):
    """Modules with their records, pages by number and then by token, and OAuth."""

    scheme: str = "Zoho-oauthtoken "
    modules: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    page_size: int = 200

    def answer(self, call: Call) -> Answer:
        if call.path == "/oauth/v2/token":
            if call.body.get("refresh_token") != "refresh-1":
                return 200, {"error": "invalid_code"}
            self.tokens = {"token-2"}
            return 200, {"access_token": "token-2", "expires_in": 3600, "api_domain": "https://elsewhere.example"}
        held = self.modules.get(call.path.removeprefix("/crm/v8/"), {})
        assert call.query["fields"]
        if "ids" in call.query:
            found = [{"id": key, **held[key]} for key in call.query["ids"].split(",") if key in held]
            return (200, {"data": found}) if found else (204, None)
        since = call.headers.get("if-modified-since", "")
        keys = sorted(key for key in held if held[key]["Modified_Time"][:19] >= since[:19])
        if not keys:
            return (304 if since else 204), None
        start = int(call.query.get("page_token") or (int(call.query["page"]) - 1) * self.page_size)
        more = start + self.page_size < len(keys)
        data = [{"id": key, **held[key]} for key in keys[start : start + self.page_size]]
        info = {"more_records": more, **({"next_page_token": str(start + self.page_size)} if more else {})}
        return 200, {"data": data, "info": info}


@dataclass
class PipedriveApi(ApiServer):
    """Notes and users of v1, activities, deals and organisations of v2."""

    held: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    page_size: int = 2

    def proved(self, call: Call) -> bool:
        return call.headers.get("x-api-token") in self.tokens

    def answer(self, call: Call) -> Answer:
        _, version, kind, *key = call.path.strip("/").split("/")
        held = self.held.get(kind, {})
        if key:
            return (200, {"data": held[key[0]]}) if key[0] in held else (404, {"success": False})
        if kind == "users":
            return 200, {"data": list(held.values())}
        if "ids" in call.query:
            return 200, {"data": [held[one] for one in call.query["ids"].split(",") if one in held]}
        since = call.query.get("updated_since", "")
        keys = sorted((one for one in held if held[one]["update_time"] >= since), key=int)
        start = int(call.query.get("start" if version == "v1" else "cursor", 0))
        following = start + self.page_size if start + self.page_size < len(keys) else None
        more: dict[str, Any] = {"next_cursor": str(following) if following else None}
        if version == "v1":
            more = {"pagination": {"more_items_in_collection": bool(following), "next_start": following}}
        return 200, {"data": [held[one] for one in keys[start : start + self.page_size]], "additional_data": more}
