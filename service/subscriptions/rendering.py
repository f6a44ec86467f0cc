"""Messages as mail, as Slack blocks (Block Kit) and as a Teams card (Adaptive Cards)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from service.insights.statistics import UPWARD
from service.subscriptions.content import Entry, Message

_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=select_autoescape(["html"]),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
SLACK_SECTION = 2900  # Slack takes 3000 characters in a section, 150 in a header
SLACK_HEADER = 150
_MARKDOWN = re.compile(r"([\\`*_{}\[\]()#+!|~>])")


def as_html(message: Message, name: str) -> str:
    """Return the HTML part of a mail; everything from outside is escaped."""
    return _templates.get_template("message.html").render(m=message, t=message.words, name=name)


def as_text(message: Message, name: str) -> str:
    """Return the text part of a mail."""
    return _templates.get_template("message.txt").render(m=message, t=message.words, name=name)


def as_slack(message: Message, name: str) -> dict[str, Any]:
    """Return what a Slack incoming webhook takes: blocks, and a text for notifications."""
    t = message.words
    told = [message.period, *([t("digest_only", filters=message.filters)] if message.filters else [])]
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": message.title[:SLACK_HEADER], "emoji": False}},
        {"type": "context", "elements": [_mrkdwn(_slack(one)) for one in told]},
        {"type": "section", "text": _mrkdwn(_slack(message.summary))},
    ]
    for entry in message.entries:
        blocks += [{"type": "divider"}, {"type": "section", "text": _mrkdwn(_slack_entry(entry, message))}]
    links = f"<{message.home_url}|{_slack(t('digest_open'))}> · {_slack(t('digest_why', name=name))} "
    links += f"<{message.unsubscribe_url}|{_slack(t('digest_unsubscribe'))}>"
    blocks += [{"type": "divider"}, {"type": "context", "elements": [_mrkdwn(links)]}]
    return {"text": _slack(message.subject), "blocks": blocks, "unfurl_links": False}


def _slack_entry(entry: Entry, message: Message) -> str:
    t = message.words
    trend = f"*{_slack(entry.trend)}*" if entry.direction in UPWARD else _slack(entry.trend)
    lines = [f"*<{entry.url}|{_slack(entry.title)}>* ({_slack(entry.kind)})", trend, *map(_slack, entry.reasons)]
    if entry.quote:
        quote = entry.quote
        source = t("digest_account", account=quote.account, date=quote.date) if quote.account else quote.date
        lines += [f">{_slack(t.quoted(quote.text))}", f">_{_slack(source)}_"]
    return "\n".join(lines)[:SLACK_SECTION]


def _mrkdwn(text: str) -> dict[str, Any]:
    return {"type": "mrkdwn", "text": text}


def _slack(text: str) -> str:
    """Escape a text for Slack, and take its marks' meaning away: no mention, no link, no bold comes from outside."""
    plain = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return re.sub(r"([*_~`|])", "\u200b\\1", plain)


def as_teams(message: Message, name: str) -> dict[str, Any]:
    """Return what a Teams workflow webhook takes: a message with one Adaptive Card."""
    t = message.words
    body: list[dict[str, Any]] = [
        _block(message.title, size="Large", weight="Bolder"),
        _block(message.period, isSubtle=True, spacing="None"),
    ]
    if message.filters:
        body.append(_block(t("digest_only", filters=message.filters), isSubtle=True, spacing="None"))
    body.append(_block(message.summary))
    body += [_teams_entry(entry, message) for entry in message.entries]
    body.append(_block(t("digest_why", name=name), isSubtle=True, size="Small", separator=True))
    card = {
        "type": "AdaptiveCard",
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "version": "1.4",
        "msteams": {"width": "Full"},
        "body": body,
        "actions": [
            {"type": "Action.OpenUrl", "title": t("digest_open"), "url": message.home_url},
            {"type": "Action.OpenUrl", "title": t("digest_unsubscribe"), "url": message.unsubscribe_url},
        ],
    }
    attachment = {"contentType": "application/vnd.microsoft.card.adaptive", "contentUrl": None, "content": card}
    return {"type": "message", "summary": message.subject, "attachments": [attachment]}


def _teams_entry(entry: Entry, message: Message) -> dict[str, Any]:
    t = message.words
    items = [
        _block(f"{entry.kind} · {t('digest_rank', n=entry.rank)}", isSubtle=True, size="Small"),
        _block(entry.title, weight="Bolder", size="Medium", spacing="None"),
        _block(entry.trend, spacing="None", weight="Bolder" if entry.direction in UPWARD else "Default"),
        *(_block(reason, isSubtle=True, spacing="None") for reason in entry.reasons),
    ]
    if entry.quote:
        quote = entry.quote
        source = t("digest_account", account=quote.account, date=quote.date) if quote.account else quote.date
        said = [_block(t.quoted(quote.text)), _block(source, isSubtle=True, size="Small", spacing="None")]
        items.append({"type": "Container", "style": "emphasis", "items": said})
    link = {"type": "Action.OpenUrl", "title": t("digest_read"), "url": entry.url}
    return {"type": "Container", "separator": True, "items": items, "selectAction": link}


def _block(text: str, **style: Any) -> dict[str, Any]:
    """Return a text of a card; its marks have no meaning, for some of it comes from outside."""
    return {"type": "TextBlock", "text": _MARKDOWN.sub(r"\\\1", text), "wrap": True, **style}
