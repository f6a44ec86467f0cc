"""What a process counts while it works. Labels are of few values: never an id, a name or a word of a note."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Histogram

PROCESS = CollectorRegistry(auto_describe=True)

REQUESTS = Counter(
    "binome_http_requests", "HTTP requests by route and status.", ["method", "route", "status"], registry=PROCESS
)
REQUEST_SECONDS = Histogram(
    "binome_http_request_seconds",
    "How long HTTP requests took, by route.",
    ["method", "route"],
    buckets=(0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30),
    registry=PROCESS,
)
NOTES_TAKEN = Counter(
    "binome_notes_taken",
    "Notes that were stored, by source and what became of them.",
    ["source", "result"],
    registry=PROCESS,
)
NOTES_READ = Counter("binome_notes_read", "Notes that a worker read, or failed to read.", ["result"], registry=PROCESS)
BATCH_SECONDS = Histogram(
    "binome_analysis_batch_seconds",
    "How long workers took to read a batch of notes and to store what they found.",
    buckets=(0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60),
    registry=PROCESS,
)
LONG_WORK = Counter(
    "binome_long_work", "Long work that ended, by kind and result.", ["kind", "result"], registry=PROCESS
)
SENT = Counter(
    "binome_deliveries", "Webhooks, mails and messages sent, by kind and result.", ["kind", "result"], registry=PROCESS
)

_SENDERS = ("cloudevents", "dynamics", "gong", "hubspot", "make", "n8n", "pipedrive", "salesforce", "slack")
COUNTED_SOURCES = frozenset((*_SENDERS, "standard", "zapier", "zoho", "api", "import", "mail", "sample"))
"""Sources that have a label of their own: callers of the API may name others without end."""
