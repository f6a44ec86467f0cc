"""Transcripts: WebVTT, SubRip and plain `Name: words`. One note a file; each turn starts with its speaker."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from service.imports.decoding import whole_text
from service.imports.records import FileRefused, Format, Options, Reading, Record, make_note

_CLOCK = r"(?:\d{1,4}:)?\d{1,2}:\d{2}[.,]\d{1,3}"
TIMING = re.compile(rf"^\s*{_CLOCK}\s*-->\s*{_CLOCK}")
_VOICE = re.compile(r"<v(?:\.[\w.-]+)*[ \t]+(?P<name>[^<>]{1,120})>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]{0,200}>|<\d{2}:[\d:.]{2,12}>|\{\\[^{}]{1,40}\}")
_SPOKEN = re.compile(r"^(?P<name>[^\W\d_][\w .,'’()&-]{0,58}?)\s?:\s+(?P<words>\S.*)$")
_TURN = re.compile(
    r"^\s*(?:[\[(]?\d{1,2}:\d{2}(?::\d{2})?(?:\.\d+)?[\])]?\s*[-–]?\s*)?"
    r"(?P<name>[^\W\d_][\w .'’()-]{0,40}?)\s*(?:[\[(]\d{1,2}:\d{2}(?::\d{2})?[\])])?\s?:\s+(?P<words>\S.*)$"
)

_AT = r"[\[(]?(?P<at>\d{1,2}:\d{2}(?::\d{2})?)(?:[.,]\d+)?[\])]?"
_HEAD = re.compile(rf"^\s*(?P<name>[^\W\d_][\w .,'’()&-]{{0,58}}?)\s+{_AT}\s*$")
_HEAD_TIME_FIRST = re.compile(rf"^\s*{_AT}\s+(?:[-–]\s*)?(?P<name>[^\W\d_][\w .,'’()&-]{{0,58}}?)\s*:?\s*$")

Turn = tuple[str | None, str]

REP = {"en": "Rep", "fr": "Commercial"}
"""What stands before the turns of the firm's own people, in the words by which the reader knows them."""
_CUSTOMER = {"en": "Customer", "fr": "Client"}
_MAX_LABEL = 36


def read_vtt(file: BinaryIO, options: Options) -> Reading:
    """Read a WebVTT file: speakers from `<v Name>` (Teams) or `Name: words` (Zoom)."""
    text, encoding = whole_text(file)
    return transcript_reading(Format.VTT, vtt_turns(text), {"encoding": encoding}, options)


def read_srt(file: BinaryIO, options: Options) -> Reading:
    """Read a SubRip file."""
    text, encoding = whole_text(file)
    return transcript_reading(Format.SRT, srt_turns(text), {"encoding": encoding}, options)


def read_transcript(file: BinaryIO, options: Options) -> Reading:
    """Read a plain transcript."""
    text, encoding = whole_text(file)
    return transcript_reading(Format.TRANSCRIPT, plain_turns(text), {"encoding": encoding}, options)


def transcript_reading(form: Format, turns: list[Turn], found: dict[str, Any], options: Options) -> Reading:
    """Return the one note of a transcript; speakers who are known as authors are told as our own people.

    Raises:
        FileRefused: If it holds no words.
    """
    speakers = list(dict.fromkeys(name for name, _ in turns if name))
    rep = REP.get(str(options.defaults.get("language")), REP["en"])
    ours = {name for name in speakers if options.known_author(name)}
    text = spoken_text([(rep if name in ours else name, words) for name, words in turns])
    if not text.strip():
        raise FileRefused("no_text", "The transcript holds no words.")
    note = make_note({"kind": "transcript", "text": text, **_without_kind(options)}, options)
    return Reading(form, {**found, "speakers": speakers[:50]}, iter([Record(1, note)]))


def _without_kind(options: Options) -> dict[str, str]:
    return {"kind": str(options.defaults["kind"])} if "kind" in options.defaults else {}


def spoken_text(turns: list[Turn]) -> str:
    """Return a line for each turn, `Name: words`; turns of one speaker that follow each other are joined."""
    lines: list[tuple[str | None, list[str]]] = []
    for name, words in turns:
        if lines and lines[-1][0] == name:
            if lines[-1][1][-1] != words:  # rolling captions say a line twice
                lines[-1][1].append(words)
        else:
            lines.append((name, [words]))
    return "\n".join(f"{name}: {' '.join(words)}" if name else "\n".join(words) for name, words in lines)


def speaker_label(name: str, *, ours: bool | None, language: str) -> str | None:
    """Return what stands before a speaker's turns: the firm's own people are told by "Rep", others by their names.

    Args:
        name: The speaker's name; may be empty.
        ours: Whether it is one of the firm's own; None where that is not known.
        language: `en` or `fr`.
    """
    if ours:
        return REP[language]
    plain = " ".join(re.sub(r"[^\w .'’()-]", " ", name).split())[:_MAX_LABEL].strip()  # a colon would end the name
    if plain and plain[0].isalpha():
        return plain
    return None if ours is None else _CUSTOMER[language]


def vtt_turns(text: str) -> list[Turn]:
    """Return the cues of a WebVTT file as turns; NOTE, STYLE and REGION blocks are left out."""
    return [turn for payload in _payloads(text) for turn in _vtt_cue(payload)]


def _payloads(text: str) -> Iterator[list[str]]:
    """Give the lines of each cue: those after its timing, to the next empty line or timing."""
    payload: list[str] | None = None
    for line in text.split("\n"):
        if TIMING.match(line):
            if payload:
                yield payload
            payload = []
        elif not line.strip():
            if payload:
                yield payload
            payload = None
        elif payload is not None:
            payload.append(line)
    if payload:
        yield payload


def _vtt_cue(lines: list[str]) -> Iterator[Turn]:
    joined = "\n".join(lines)
    voices = list(_VOICE.finditer(joined))
    if not voices:
        yield from _named(_clean(joined))
        return
    before = _clean(joined[: voices[0].start()])
    if before:
        yield None, before
    for voice, following in zip(voices, [*voices[1:], None], strict=True):
        words = _clean(joined[voice.end() : following.start() if following else len(joined)])
        if words:
            yield html.unescape(" ".join(voice["name"].split())), words


def _clean(payload: str) -> str:
    return " ".join(html.unescape(_TAG.sub("", payload)).split())


def _named(words: str) -> Iterator[Turn]:
    spoken = _SPOKEN.match(words)
    if spoken and len(spoken["name"].split()) <= 5:
        yield spoken["name"].strip(), spoken["words"]
    elif words:
        yield None, words


def srt_turns(text: str) -> list[Turn]:
    """Return the cues of a SubRip file as turns."""
    turns: list[Turn] = []
    for payload in _payloads(text):
        # a cue's number before the next timing is no word where the empty line between is missing
        turns.extend(_named(_clean("\n".join(payload))))
    return turns


def plain_turns(text: str) -> list[Turn]:
    """Return the turns of a plain transcript; a line without a name goes on with the turn before."""
    lines = text.split("\n")
    heads = _heads(lines)
    turns: list[Turn] = []
    speaker: str | None = None
    for index, line in enumerate(lines):
        match = None if heads else _TURN.match(line)
        if index in heads:
            speaker = heads[index]
            continue
        if heads and line.strip():
            turns.append((speaker, line.strip()))
            continue
        if match:
            turns.append((match["name"].strip(), match["words"].strip()))
        elif line.strip():
            turns.append((turns[-1][0] if turns else None, line.strip()))
    return turns


def _heads(lines: list[str]) -> dict[int, str]:
    """Return the speakers by line where each turn stands below a line of its own: `Ann Lee   0:03` (Teams, Otter).

    Empty where the lines are none: they are three or more, a speaker comes again, and their times never go back.
    """
    heads: dict[int, str] = {}
    times: list[tuple[int, ...]] = []
    for index, line in enumerate(lines):
        match = _HEAD.match(line) or _HEAD_TIME_FIRST.match(line) if len(line) <= 90 else None
        if match and len(match["name"].split()) <= 6 and match["name"][0].isupper():
            heads[index] = match["name"].strip()
            times.append(tuple(int(part) for part in f"0:{match['at']}".split(":")[-3:]))
    again = len(set(heads.values())) < len(heads)
    return heads if len(heads) >= 3 and again and times == sorted(times) else {}


def is_plain_transcript(text: str) -> bool:
    """Tell a transcript: most lines are turns, of two speakers or more who come again."""
    if _heads(text.split("\n")):
        return True
    lines = [line for line in text.split("\n") if line.strip()]
    names = [match["name"].strip() for line in lines if (match := _TURN.match(line))]
    several = sum(names.count(name) > 1 for name in set(names)) >= 2
    return len(names) >= 4 and len(names) >= 0.5 * len(lines) and several
