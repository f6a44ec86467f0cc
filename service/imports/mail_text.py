"""A message's own words: without the quoted thread and the signature, with what is forwarded."""

from __future__ import annotations

import re
from collections.abc import Sequence

_FORWARDED = re.compile(
    r"^\s*(?:-{2,}\s*(?:forwarded message|message transféré|message transfere|message d'origine transféré|"
    r"forwarded by .{0,60})\s*-{2,}|begin forwarded message\s*:|début du message (?:transféré|réexpédié)\s*:)\s*$",
    re.IGNORECASE,
)
_ORIGINAL = re.compile(
    r"^\s*(?:-{2,}\s*(?:original message|message d'origine|message original|original appointment)\s*-{2,}|_{20,})\s*$",
    re.IGNORECASE,
)
_ATTRIBUTION = re.compile(
    r"^\s*>?\s*(?:on\b.{3,200}\bwrote|le\b.{3,200}\ba écrit|le\b.{3,200}\ba ecrit|.{3,120}<[^<>\s]+@[^<>\s]+>"
    r"(?: wrote| a écrit)?)\s*:\s*$",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTION_START = re.compile(r"^\s*(?:on|le)\b.{3,}", re.IGNORECASE)
_HEADER_FROM = re.compile(r"^\s*\*?(?:from|de|expéditeur)\s*\*?\s*:\*?\s*\S", re.IGNORECASE)
_HEADER_NEXT = re.compile(r"^\s*\*?(?:sent|date|to|envoyé|à|subject|objet|cc)\s*\*?\s*:", re.IGNORECASE)
_SIGNATURE = re.compile(
    r"^\s*(?:sent from my \w+.*|envoyé de(?:puis)? mon .*|get outlook for .*|télécharger outlook.*)$",
    re.IGNORECASE,
)
_DASHES = re.compile(r"^\s*(?:--|—)\s*$")
_CLOSING = re.compile(
    r"^\s*(?:best regards|kind regards|regards|best|cheers|thanks|many thanks|cordialement|bien cordialement|"
    r"bien à vous|bonne journée|merci|sincerely|cdlt|cdt)\s*[,.!]*\s*$",
    re.IGNORECASE,
)
_SUBJECT_FORWARD = re.compile(r"^\s*(?:fwd?|tr|wg|rv)\s*:", re.IGNORECASE)
_SUBJECT_REPLY = re.compile(r"^\s*(?:re|rép|rep|aw|antw|sv)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
MAX_SIGNATURE_LINES = 8
MAX_SIGNATURE_CHARS = 100


def is_forward(subject: str) -> bool:
    """Tell by its subject a message that was forwarded last, not answered."""
    return _SUBJECT_FORWARD.match(subject) is not None


def is_reply(subject: str) -> bool:
    """Tell by its subject a message that answers another."""
    return _SUBJECT_REPLY.match(subject) is not None


def own_text(bodies: Sequence[str], *, forwarded: bool = False) -> str:
    """Return what the author wrote in the bodies of a message, and what is forwarded with it."""
    kept = [own_words(body, forwarded=forwarded) for body in bodies]
    return "\n\n".join(text for text in kept if text.strip())


def own_words(body: str, *, forwarded: bool = False) -> str:
    """Return a body without quoted lines, the thread below, and the signature; a forwarded message is kept.

    Outlook marks a forwarded message like the thread below an answer: only the subject tells them apart.
    """
    lines = body.split("\n")
    own: list[str] = []
    for index, line in enumerate(lines):
        if _FORWARDED.match(line) or (forwarded and _starts_headers(lines, index)):
            return "\n\n".join(part for part in (_signed_off(own), _forwarded(lines[index:])) if part)
        if _starts_thread(lines, index):
            # a reply below the quoted thread is its author's own
            return "\n".join(part for part in (_signed_off(own), _below(lines[index:])) if part)
        if not line.lstrip().startswith(">"):
            own.append(line)
    return _signed_off(own)


def _starts_thread(lines: Sequence[str], index: int) -> bool:
    line = lines[index]
    if _starts_headers(lines, index):
        return True
    if _ATTRIBUTION.match(line) and len(line) < 300:
        return True
    joined = " ".join(lines[index : index + 3])
    return bool(_ATTRIBUTION_START.match(line)) and any(
        _ATTRIBUTION.match(" ".join(lines[index : index + count])) and len(joined) < 400 for count in (2, 3)
    )


def _starts_headers(lines: Sequence[str], index: int) -> bool:
    """Tell the headers that Outlook writes above an older message."""
    line = lines[index]
    if _ORIGINAL.match(line):
        return any(_HEADER_FROM.match(following) for following in lines[index + 1 : index + 4])
    following = lines[index + 1 : index + 5]
    return bool(_HEADER_FROM.match(line)) and sum(bool(_HEADER_NEXT.match(one)) for one in following) >= 2


def _below(lines: Sequence[str]) -> str:
    """Return what stands below a thread quoted with `>`; a thread that is not marked so reaches to the end."""
    quoted = [index for index, line in enumerate(lines) if line.lstrip().startswith(">")]
    if not quoted or any(
        line.strip() for line in lines[1 : quoted[0]] if not _ATTRIBUTION.match(line) and ":" not in line
    ):
        return ""
    return _signed_off([line for line in lines[quoted[0] :] if not line.lstrip().startswith(">")])


def _forwarded(lines: Sequence[str]) -> str:
    return "\n".join(line.removeprefix("> ").removeprefix(">") for line in lines).strip("\n")


def _signed_off(lines: Sequence[str]) -> str:
    """Cut the signature: from its mark on, or from a closing word near the end."""
    end = len(lines)
    for index, line in enumerate(lines):
        rest = [following for following in lines[index + 1 :] if following.strip()]
        short = len(rest) <= MAX_SIGNATURE_LINES and all(len(one) <= MAX_SIGNATURE_CHARS for one in rest)
        # "-- " is the mark of a signature; dashes alone may part one account from the next
        drawn = _CLOSING.match(line) or _DASHES.match(line)
        mark = _says_nothing(rest) if drawn else _SIGNATURE.match(line)
        if (mark and short) or line == "-- ":
            end = index
            break
    return "\n".join(lines[:end]).strip("\n").rstrip()


def _says_nothing(rest: Sequence[str]) -> bool:
    """Tell a name, a title and a telephone number from sentences that go on."""
    return all(len(line) <= 70 and not re.search(r"[a-zà-ÿ]{2}[.!?]\s*$", line) for line in rest)
