"""Records of CRMs that post them whole: what is stored of each field, in whatever form and order they come."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

from service.sources.salesforce import long_id
from tests.sources.asked.cases import AT, DAY, OK, Asked, asked, by, keys
from tests.sources.payloads import Step, iso
from tests.sources.senders import ORG

ACK = (
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>'
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound"><Ack>true</Ack></notificationsResponse>'
    "</soapenv:Body></soapenv:Envelope>"
)
FEBRUARY = "2026-02-03T08:00:00Z"
Told = dict[str, Any]


def cases() -> Iterator[Asked]:
    """Give all cases."""
    for make in (
        _forms,
        _tasks,
        _deals,
        _spoilt,
        _pipedrive,
        _pipedrive_odd,
        _zoho,
        _zoho_odd,
        _dynamics,
        _dynamics_odd,
    ):
        yield from make()


def _id(kind: str = "00T") -> str:
    return long_id(f"{kind}5g0000{next(keys) % 10**6:06d}")


def _envelope(
    records: str, org: str = ORG, prefix: str = "", head: str = '<?xml version="1.0"?>', soap: str = "e"
) -> str:
    p, declared = (f"{prefix}:", f":{prefix}") if prefix else ("", "")
    return (
        f'{head}<{soap}:Envelope xmlns:{soap}="http://schemas.xmlsoap.org/soap/envelope/"><{soap}:Body>'
        f'<{p}notifications xmlns{declared}="http://soap.sforce.com/2005/09/outbound"><{p}OrganizationId>{org}'
        f"</{p}OrganizationId><{p}SessionId/>{records}</{p}notifications></{soap}:Body></{soap}:Envelope>"
    )


def _record(fields: dict[str, str] | str, kind: str = "Task", sf: str = "sf", prefix: str = "", nil: str = "") -> str:
    p = f"{prefix}:" if prefix else ""
    told = (
        fields if isinstance(fields, str) else "".join(f"<{sf}:{n}>{escape(v)}</{sf}:{n}>" for n, v in fields.items())
    )
    told += "".join(f'<{sf}:{one} xsi:nil="true"/>' for one in nil.split())
    declared = (
        f'xmlns:{sf}="urn:sobject.enterprise.soap.sforce.com" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    )
    typed = f' xsi:type="{sf}:{kind}"' if kind else ""
    record = f"<{p}sObject {declared}{typed}>{told}</{p}sObject>"
    return f"<{p}Notification><{p}Id>{_id('04l')}</{p}Id>{record}</{p}Notification>"


def _soap(
    *records: str, right: Any = 200, coding: str = "utf-8", headers: Any = None, holds: str = "", **how: str
) -> Step:
    body = _envelope("".join(records), **how).encode(coding)
    return by("salesforce", body, right, headers=headers or {}, holds=holds or (ACK if right == 200 else ""))


def _forms() -> Iterator[Asked]:
    head = '<?xml version="1.0" encoding="{}"?>'
    for label, how, told in (
        ("prefixes of its own", {"soap": "S", "prefix": "ob"}, {"sf": "s1", "prefix": "ob"}),
        ("no type", {}, {"kind": ""}),
        ("its short id", {"org": ORG[:15]}, {}),
        ("latin-1", {"head": head.format("ISO-8859-1"), "coding": "latin-1"}, {}),
        ("utf-16", {"head": head.format("UTF-16"), "coding": "utf-16"}, {}),
        ("a mark", {"head": "\ufeff" + head.format("UTF-8")}, {}),
        ("a style sheet", {"head": '<?xml version="1.0"?><?xml-stylesheet href="http://x.example/a.xsl"?>'}, {}),
        ("another type", {"headers": {"Content-Type": "application/soap+xml", "SOAPAction": None}}, {}),
    ):
        k = _id()
        step = _soap(_record({"Id": k, "Description": "Prix élevé"}, **told), **how)
        yield asked(f"salesforce, {label}", step, **{k: {"text": "Prix élevé"}})
    k = _id()
    spoilt = [_record({"Id": "short", "Description": "x"}), _record({"Description": "x"})]
    gone = f"<Notification><Id>{_id('04l')}</Id></Notification>"
    yield asked(
        "salesforce, bad and gone records beside one",
        _soap(*spoilt, gone, _record({"Id": k, "Description": "Good."})),
        **{k: {"text": "Good."}},
    )
    for head in (
        '<!DOCTYPE l [<!ENTITY % p SYSTEM "http://127.0.0.1:9/">%p;]>',
        '<!DOCTYPE l PUBLIC "-//x" "http://x">',
    ):
        yield asked("salesforce, a DTD", _soap(_record({"Id": k, "Description": "x"}), right=(400, 422), head=head))
    for wrong in ("&#0;", "&#xD800;", "&nbsp;"):
        told = f"<sf:Id>{k}</sf:Id><sf:Description>{wrong}</sf:Description>"
        yield asked(f"salesforce, {wrong}", _soap(_record(told), right=(400, 422)))
    for org in (ORG.lower(), ORG[:14], "", "00D000000000063EAA"):
        never = _id()
        step = _soap(_record({"Id": never, "Description": "Never."}), right=401, org=org)
        yield asked(f"salesforce of {org!r}", step, **{never: None})


def _tasks() -> Iterator[Asked]:
    deal, account, owner = _id("006"), _id("001"), _id("005")
    times = {"CreatedDate": "2026-02-01T08:00:00.000Z", "LastModifiedDate": "2026-02-04T08:00:00.000Z"}
    links = {"OwnerId": owner[:15], "WhoId": _id("003"), "WhatId": deal[:15], "AccountId": account[:15]}
    full = {"author": owner, "account": account, "deal": deal}
    for label, kind, fields, nil, right in (
        ("all", "00T", {"Description": "Dear.", "Subject": "Call", "ActivityDate": "2026-02-03", **links, **times}, "",
         {"text": "Call\n\nDear.", "occurred_at": "2026-02-03T00:00:00Z", **full}),
        ("no day", "00T", {"Description": "Dear.", **times}, "ActivityDate AccountId WhatId",
         {"text": "Dear.", "occurred_at": "2026-02-01T08:00:00Z", "account": None, "deal": None}),
        ("an event", "00U",
         {"StartDateTime": "2026-02-03T09:00:00.000+01:00", "WhatId": account, "Subject": "Met."}, "",
         {"occurred_at": FEBRUARY, "account": account, "deal": None}),
        ("of a lead", "00T", {"Description": "Dear.", "WhoId": _id("00Q")}, "", {"account": None, "deal": None}),
        ("a subject alone", "00T", {"Subject": "It is too expensive"}, "Description", {"text": "It is too expensive"}),
        ("no words", "00T", {"Status": "Completed"}, "", None),
        ("HTML", "00T", {"Description": "<p>A &amp; B</p><script>x</script>C<br>D"}, "", {"text": "A & B\nC\nD"}),
    ):  # fmt: skip
        k = _id(kind)
        yield asked(f"salesforce, {label}", _soap(_record({"Id": k, **fields}, nil=nil)), **{k: right})
    k = _id()
    told = f"<sf:Id>{k}</sf:Id><sf:Description><![CDATA[a < b]]>&#13;&#10;c&#x2028;d</sf:Description>"
    yield asked("salesforce, CDATA", _soap(_record(told)), **{k: {"text": "a < b\nc\nd"}})
    k = _id()
    few = [{"Description": "A.", "LastModifiedDate": iso(AT)}, {"Status": "Done", "LastModifiedDate": iso(AT + 5000)}]
    yield asked("salesforce, few fields", *(_soap(_record({"Id": k, **one})) for one in few), **{k: {"text": "A."}})


def _deals() -> Iterator[Asked]:
    won = {"StageName": "Closed Won", "Amount": "17500.0", "IsClosed": "true", "IsWon": "true"}
    unsure = {"StageName": "Proposal", "Amount": "18000.0", "IsClosed": "false", "IsWon": "false"}
    for label, order in (("in order", (unsure, won)), ("reordered", (won, unsure))):
        k, deal = _id(), _id("006")
        first, second = (
            _soap(_record({"Id": deal, **one, "LastModifiedDate": iso(AT + 9000 * (one is won))}, "Opportunity"))
            for one in order
        )
        note = _soap(_record({"Id": k, "Description": "Dear.", "WhatId": deal}))
        right = {"deal": deal, "amount": 17500.0, "stage": "Closed Won", "outcome": "won"}
        yield asked(f"salesforce, a deal {label}", first, note, second, **{k: right})
    lost = {"value": 17000, "currency": "EUR", "stage_id": 4, "status": "lost", "lost_reason": "Price"}
    for label, order in (("in order", (1, 0)), ("reordered", (0, 1))):
        k, number = next(keys), next(keys)
        told = [_pd(number, "change", {"update_time": iso(AT + 9000), "id": number, **lost}, entity="deal")]
        told.append(_pd(number, "change", {"update_time": iso(AT), "status": "open", "value": 1}, entity="deal"))
        note = by("pipedrive", _pd(k, "create", {"content": "Dear.", "deal_id": number}), 200)
        steps = [by("pipedrive", told[place], 200) for place in order]
        right = {"deal": str(number), "amount": 17000.0, "currency": "EUR", "stage": "4", "outcome": "lost"}
        yield asked(f"pipedrive, a deal {label}", steps[0], note, steps[1], **{str(k): right})
    k, number = next(keys), next(keys)
    note = by("zoho", _zo(k, "insert", {"Description": "Dear.", "What_Id": {"id": str(number)}}), 200)
    closed = by("zoho", _zo(number, "update", {"Amount": 18000, "Stage": "Closed Won"}, module="Deals"), 200)
    right = {"deal": str(number), "amount": 18000.0, "stage": "Closed Won", "outcome": "won"}
    yield asked("zoho, a deal", note, closed, **{str(k): right})


def _spoilt() -> Iterator[Asked]:
    for body in (b"  ", b"<a>" * 40_000 + b"</a>" * 40_000, b'<?xml version="1.0" encoding="UTF-7"?><a/>'):
        yield asked(f"salesforce, {body[:9]!r}", by("salesforce", body, (400, 413, 422)))


def _pd(k: Any, action: str, data: Told | None, at: int = AT, entity: str = "note", **more: Any) -> Told:
    about = {"id": f"pd-{next(keys)}", "action": action, "entity": entity, "entity_id": str(k), "timestamp": iso(at)}
    data = {"id": int(k), **data} if data is not None else None
    return {"meta": about | {"attempt": 1, "user_id": "55", "version": "2.0"} | more, "data": data, "previous": None}


def _pipedrive() -> Iterator[Asked]:
    known = {"user_id": 56, "org_id": 19, "person_id": 8, "deal_id": 104, "add_time": FEBRUARY}
    objects = {
        "user_id": {"id": 56, "name": "Ann"},
        "org_id": {"value": 19, "name": "Aubry"},
        "deal_id": {"value": 104},
    }
    links = {"author": "56", "account": "19", "deal": "104"}
    for label, data, right in (
        ("numbers", known, {**links, "occurred_at": FEBRUARY}),
        ("objects", objects, {**links, "name": "Aubry"}),
        ("times without zone", {"add_time": "2026-02-03 08:00:00"}, {"occurred_at": FEBRUARY}),
        ("times of meta alone", {}, {"occurred_at": DAY, "author": "55"}),
        ("lines", {"content": "<p>A &amp; B</p>C<br>D"}, {"text": "A & B\nC\nD"}),
    ):
        k = next(keys)
        step = by("pipedrive", _pd(k, "create", {"content": "Dear.", **data}), 200)
        yield asked(f"pipedrive, {label}", step, **{str(k): right})
    k = next(keys)
    one, other = str(k), str(k + 10**7)
    yield asked(
        "pipedrive, a merge",
        *(by("pipedrive", _pd(each, "create", {"content": "One."}), 200) for each in (one, other)),
        by("pipedrive", _pd(one, "delete", None, AT + 9000, merged_to_id=int(other)), 200),
        by("pipedrive", _pd(other, "change", {"content": "Both.", "update_time": iso(AT + 9000)}, AT + 9000), 200),
        **{one: None, other: {"text": "Both."}},
    )


def _pipedrive_odd() -> Iterator[Asked]:
    v1 = {
        "v": 1,
        "meta": {"action": "added", "object": "note", "id": 3},
        "current": {"content": "x"},
        "event": "added.note",
    }
    for label, body in {
        "an activity": _pd(3, "create", {"note": None}, entity="activity"), "version 1": v1, "no meta": {"data": {}},
        "no words": _pd(4, "create", {"content": None}), "a number": _pd(5, "create", {"content": 7}),
        "another action": _pd(6, "archive", {"content": "x"}), "meta of a list": {"meta": [], "data": {}},
        "a deal": _pd(7, "change", {"value": "many", "currency": 5, "status": ["x"], "stage_id": {}}, entity="deal"),
        "an amount": _pd(8, "change", {"value": 1e300, "currency": "EURO", "update_time": "x"}, entity="deal"),
        "a deleted deal": _pd(9, "delete", None, entity="deal"),
        "a negative": _pd(9, "change", {"value": -5}, entity="deal"),
    }.items():  # fmt: skip
        yield asked(f"pipedrive, {label}", by("pipedrive", body, 200))


def _zo(k: Any, operation: str, values: Any, at: Any = AT, module: str = "Calls", **more: Any) -> Told:
    given = [{"record_id": str(k), "values": values}]
    about = {"module": module, "operation": operation, "server_time": at, "ids": [str(k)], "affected_values": given}
    return {**about, "query_params": {}, "resource_uri": "http://127.0.0.1:9/never", "affected_fields": {}, **more}


def _zoho() -> Iterator[Asked]:
    values = {"Description": "Dear.", "Owner": {"id": "71", "name": "Ann"}, "What_Id": {"id": "331"}}
    full = {"text": "Dear.", "author": "71", "deal": "331"}
    for label, body, right in (
        (
            "all",
            {"values": values | {"Call_Start_Time": "2026-02-03T09:00:00+01:00"}},
            {**full, "occurred_at": FEBRUARY},
        ),
        ("no time of its own", {"values": values}, {**full, "occurred_at": DAY}),
        ("a time as text", {"values": values, "at": str(AT)}, full),
        ("a meeting", {"values": values, "module": "Meetings"}, {"kind": "meeting_note"}),
        ("a task", {"values": values, "module": "Tasks"}, {"text": "Dear."}),
    ):
        k = next(keys)
        yield asked(f"zoho, {label}", by("zoho", _zo(k, "insert", **body), 200), **{str(k): right})
    k = 9_007_199_254_900_001 + 2 * next(keys)
    values = [
        {"record_id": str(k), "values": {"Description": "One."}},
        {"record_id": k + 1, "values": {"Description": "Two."}},
    ]
    both = _zo(k, "update", {}) | {"ids": [str(k), k + 1], "affected_values": values}
    yield asked(
        "zoho, two long numbers", by("zoho", both, 200), **{str(k): {"text": "One."}, str(k + 1): {"text": "Two."}}
    )


def _zoho_odd() -> Iterator[Asked]:
    odd = ["1/../2", "٣", "", "1 2", "-1", "1.5", None, True, {}]
    for label, body in {
        "a path": _zo(1, "insert", {}, module="../Calls"), "ids": _zo(1, "insert", {}) | {"ids": odd},
        "no ids": _zo(1, "insert", {}) | {"ids": None}, "ids as text": _zo(1, "insert", {}) | {"ids": "123"},
        "an operation": _zo(1, "restore", {}), "years to come": _zo(2, "insert", {"Description": "T."}, 10**19),
        "values": _zo(4, "update", {}) | {"affected_values": [None, 5, {"record_id": "4"}, {"values": []}]},
        "a description": _zo(5, "update", {"Description": 5, "Owner": "Ann", "What_Id": []}),
        "a deal": _zo(6, "update", {"Amount": "many", "Stage": 5}, module="Deals"),
        "many": _zo(7, "update", {}) | {"ids": [str(n) for n in range(501)]},
    }.items():  # fmt: skip
        yield asked(f"zoho, odd {label}", by("zoho", body, 200))


def _dy(k: str, values: Told, message: str = "Create", entity: str = "annotation", image: Told | None = None) -> Told:
    def pairs(told: Told) -> list[Told]:
        return [{"key": name, "value": value} for name, value in told.items()]

    target = {"__type": "Entity:x", "Attributes": pairs(values), "Id": k, "LogicalName": entity}
    about = {"MessageName": message, "PrimaryEntityName": entity, "PrimaryEntityId": k, "Depth": 1, "Stage": 40}
    images = [{"key": "post", "value": {"Attributes": pairs(image or {}), "Id": k}}]
    given = {"InputParameters": [{"key": "Target", "value": target}], "PostEntityImages": images}
    return about | given | {"OperationCreatedOn": f"/Date({AT}+0000)/"}


def _dynamics() -> Iterator[Asked]:
    owner = {"LogicalName": "systemuser", "Id": "{U-7}", "Name": "Ann"}
    deal, account = ({"LogicalName": one, "Id": f"{one}-7", "Name": "Harrow"} for one in ("opportunity", "account"))
    html = "<div data-wrapper='true'><p>Dear &amp; slow</p></div>"
    for label, body, right in (
        ("of a deal", {"values": {"notetext": html, "ownerid": owner, "objectid": deal}},
         {"text": "Dear & slow", "author": "u-7", "deal": "opportunity-7", "occurred_at": DAY}),
        ("zone", {"values": {"notetext": "A.", "createdon": "/Date(1770105600000+0530)/"}}, {"occurred_at": FEBRUARY}),
        ("a time in ISO", {"values": {"notetext": "A.", "createdon": FEBRUARY}}, {"occurred_at": FEBRUARY}),
        ("an image", {"values": {"isdocument": False}, "message": "Update", "image": {"notetext": "Of it."}},
         {"text": "Of it."}),
        ("with a file", {"values": {"notetext": "See.", "isdocument": True, "documentbody": "VG9v"}}, {"text": "See."}),
        *((entity, {"values": {"description": "D.", "regardingobjectid": account}, "entity": entity},
           {"text": "D.", "account": "account-7", "name": "Harrow"})
          for entity in ("phonecall", "appointment", "task")),
    ):  # fmt: skip
        k = f"aaaa0000-0000-4000-8000-{next(keys):012x}"
        yield asked(f"dynamics, {label}", by("dynamics", _dy("{" + k.upper() + "}", **body), 200), **{k: right})


def _dynamics_odd() -> Iterator[Asked]:
    k = f"aaaa0000-0000-4000-8000-{next(keys):012x}"
    dates = {"notetext": "A.", "createdon": "/Date(99999999999999999)/", "modifiedon": "/Date(x)/"}
    for label, body in {
        "no id": _dy("", {"notetext": "x"}), "a file alone": _dy(k, {"isdocument": True}),
        "null": _dy(k, {"notetext": None}), "a number": _dy(k, {"notetext": 7}),
        "dates": _dy(f"{k}d", dates), "another message": _dy(k, {}, "Assign"),
        "references": _dy(f"{k}r", {"notetext": "A.", "ownerid": "u", "objectid": []}),
        "parameters": _dy(k, {}) | {"InputParameters": [{"key": "Target", "value": None}, None, 5, {"key": 5}]},
    }.items():  # fmt: skip
        yield asked(f"dynamics, odd {label}", by("dynamics", body, (*OK, 422)))
