"""How long a signed webhook takes to be answered, one after the other."""

from __future__ import annotations

import base64
import http.client
import json
import time
from datetime import UTC, datetime

from standardwebhooks import Webhook

SECRET = "whsec_" + base64.b64encode(b"bench-secret-of-the-tests-000000").decode()
CONNECTIONS = json.dumps({"standard": {"secret": SECRET}})


def deliver(port: int, count: int) -> list[float]:
    """Post so many deliveries of Standard Webhooks; return the seconds that each took."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    times = []
    for number in range(count):
        event = {
            "type": "note.created",
            "timestamp": "2026-09-14T10:20:00Z",
            "data": {
                "external_id": f"w-{number}",
                "text": f"Call {number}. Our price is 20% above the other quote. " * 4,
            },
        }
        body, key, now = json.dumps(event), f"msg_{number}", datetime.now(UTC)
        headers = {
            "webhook-id": key,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(SECRET).sign(key, now, body),
            "Content-Type": "application/json",
        }
        began = time.perf_counter()
        connection.request("POST", "/v1/webhooks/standard", body, headers)
        response = connection.getresponse()
        content = response.read()
        times.append(time.perf_counter() - began)
        assert response.status == 202, content
    return times
