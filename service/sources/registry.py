"""Every source, a line each."""

from __future__ import annotations

from service.sources import (
    cloudevents,
    dynamics,
    generic,
    gong,
    hubspot,
    imap,
    mail,
    pipedrive,
    salesforce,
    ses,
    slack,
    standard,
    zoho,
)
from service.sources.contract import Source

SOURCES: dict[str, Source] = {
    source.name: source
    for source in (
        hubspot.SOURCE,
        salesforce.SOURCE,
        pipedrive.SOURCE,
        zoho.SOURCE,
        dynamics.SOURCE,
        gong.SOURCE,
        standard.SOURCE,
        cloudevents.SOURCE,
        slack.SOURCE,
        generic.source("generic", "your own code", "votre propre code"),
        generic.source("zapier", "Zapier"),
        generic.source("make", "Make"),
        generic.source("n8n", "n8n"),
        generic.source("flow", "Salesforce Flow"),
        mail.RAW,
        mail.MAILGUN,
        mail.POSTMARK,
        mail.SENDGRID,
        ses.SOURCE,
        imap.SOURCE,
    )
}
