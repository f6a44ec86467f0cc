"""Salesforce's outbound message, sent by a SOAP client from the description that Salesforce gives of it."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import zeep
from fastapi.testclient import TestClient

from tests.sources.senders import ORG, notes
from tests.sources.test_hostile import port

__all__ = ["port"]

_SOBJECTS = "urn:sobject.enterprise.soap.sforce.com"
_OUTBOUND = "http://soap.sforce.com/2005/09/outbound"
WSDL = f"""<definitions targetNamespace="{_OUTBOUND}" xmlns="http://schemas.xmlsoap.org/wsdl/"
 xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:tns="{_OUTBOUND}" xmlns:ens="{_SOBJECTS}">
<types>
 <schema elementFormDefault="qualified" xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="{_SOBJECTS}">
  <complexType name="sObject"><sequence><element name="Id" type="string"/></sequence></complexType>
  <complexType name="Task"><complexContent><extension base="ens:sObject"><sequence>
   <element name="Subject" type="string" minOccurs="0" nillable="true"/>
   <element name="Description" type="string" minOccurs="0" nillable="true"/>
   <element name="LastModifiedDate" type="dateTime" minOccurs="0" nillable="true"/>
   <element name="WhatId" type="string" minOccurs="0" nillable="true"/>
  </sequence></extension></complexContent></complexType>
 </schema>
 <schema elementFormDefault="qualified" xmlns="http://www.w3.org/2001/XMLSchema" targetNamespace="{_OUTBOUND}">
  <import namespace="{_SOBJECTS}"/>
  <element name="notifications"><complexType><sequence>
   <element name="OrganizationId" type="string"/><element name="ActionId" type="string"/>
   <element name="SessionId" type="string" nillable="true"/>
   <element name="Notification" maxOccurs="100" type="tns:TaskNotification"/>
  </sequence></complexType></element>
  <complexType name="TaskNotification"><sequence>
   <element name="Id" type="string"/><element name="sObject" type="ens:sObject"/>
  </sequence></complexType>
  <element name="notificationsResponse"><complexType><sequence>
   <element name="Ack" type="boolean"/>
  </sequence></complexType></element>
 </schema>
</types>
<message name="request"><part element="tns:notifications" name="request"/></message>
<message name="response"><part element="tns:notificationsResponse" name="response"/></message>
<portType name="NotificationPort"><operation name="notifications">
 <input message="tns:request"/><output message="tns:response"/></operation></portType>
<binding name="NotificationBinding" type="tns:NotificationPort">
 <soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>
 <operation name="notifications"><soap:operation soapAction=""/>
  <input><soap:body use="literal"/></input><output><soap:body use="literal"/></output></operation></binding>
</definitions>"""


def test_a_soap_client_is_acknowledged(port: int, client: TestClient) -> None:
    described = zeep.Client(io.BytesIO(WSDL.encode()))
    service = described.create_service(
        f"{{{_OUTBOUND}}}NotificationBinding", f"http://127.0.0.1:{port}/v1/webhooks/salesforce/salesforce-token"
    )
    task = described.get_type(f"{{{_SOBJECTS}}}Task")
    at = datetime(2026, 9, 14, 10, 20, tzinfo=UTC)

    def send(*texts: str) -> Any:
        told = [
            {
                "Id": f"04l00000000000{number}",
                "sObject": task(
                    Id=f"00T00000000000{number}",
                    Subject="Call",
                    Description=text,
                    LastModifiedDate=at,
                    WhatId="006000000000002",
                ),
            }
            for number, text in enumerate(texts)
        ]
        return service.notifications(OrganizationId=ORG[:15], ActionId="04k", SessionId=None, Notification=told)

    assert send("Prix élevé & délai <long>.", "Too dear.") is True
    assert send("Prix élevé & délai <long>.", "Too dear.") is True
    assert [one["text"] for one in notes(client)] == ["Call\n\nPrix élevé & délai <long>.", "Call\n\nToo dear."]
    assert {one["deal"]["id"] for one in notes(client)} == {"006000000000002AAA"}
