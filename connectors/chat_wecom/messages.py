"""What is sent, in the vendor's form and within its limits. Plain functions of plain values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from hub.sdk import VendorRefused

TEXT_BYTES = 2048
MARKDOWN_BYTES = 2048
ROBOT_MARKDOWN_BYTES = 4096
_CUT = "…（内容过长，已截断）"
_TASK = frozenset("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_-@")
TASK_BYTES = 128


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """One line of a card's table."""

    name: str
    value: str
    url: str | None = None


class Button(msgspec.Struct, frozen=True, kw_only=True):
    """`key` is what comes back when it is pressed; style 1 is the main one, 2 a warning."""

    key: str
    text: str
    style: int = 1


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """A card in neutral words. With buttons it asks for an answer and `task` names what about."""

    title: str
    subtitle: str | None = None
    text: str | None = None
    source: str | None = None
    facts: tuple[Named, ...] = ()
    url: str | None = None
    buttons: tuple[Button, ...] = ()
    task: str | None = None


class Fields(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of all our writes; names that a write does not know are refused by `read`."""

    to: tuple[str, ...] = ()
    parties: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    mention: tuple[str, ...] = ()
    text: str | None = None
    markdown: str | None = None
    card: Mapping[str, object] | None = None
    task: str | None = None
    reply_to: str | None = None
    replace_name: str | None = None


def read(fields: Mapping[str, object], what: str) -> Fields:
    """The fields of a write, checked; one userid may be given without a list."""
    single = {name: [value] for name in ("to", "parties", "tags", "mention") if isinstance(value := fields.get(name), str | int)}
    try:
        return msgspec.convert({**fields, **single}, Fields, strict=False)
    except msgspec.ValidationError as error:
        raise _refused(f"the fields of {what} cannot be read: {error}", "correct the named field") from None


def content(fields: Fields, *, robot: bool = False, task: str = "") -> dict[str, object]:
    """`msgtype` and its part of the message. `task` is used for a card that has none of its own."""
    given = [name for name in ("text", "markdown", "card") if getattr(fields, name)]
    if len(given) != 1:
        raise _refused("a message has exactly one of text, markdown and card", f"{len(given)} were given: leave one")
    if fields.text:
        text: dict[str, object] = {"content": cut(fields.text, TEXT_BYTES)}
        if robot and fields.mention:
            text["mentioned_list"] = list(fields.mention)
        return {"msgtype": "text", "text": text}
    if fields.markdown:
        limit = ROBOT_MARKDOWN_BYTES if robot else MARKDOWN_BYTES
        return {"msgtype": "markdown", "markdown": {"content": cut(fields.markdown, limit)}}
    return {"msgtype": "template_card", "template_card": card(fields.card or {}, robot=robot, task=task)}


def card(values: Mapping[str, object], *, robot: bool = False, task: str = "") -> dict[str, object]:
    """The vendor's template card. One that already has a `card_type` is passed on as it is."""
    if "card_type" in values:
        return dict(values)
    try:
        neutral = msgspec.convert(values, Card)
    except msgspec.ValidationError as error:
        raise _refused(f"the card cannot be read: {error}", "correct the named field") from None
    if neutral.buttons and robot:
        raise _refused("a group robot's card cannot have buttons", "send it as chat.send, or leave the buttons out")
    made: dict[str, object] = {
        "card_type": "button_interaction" if neutral.buttons else "text_notice",
        "main_title": {"title": neutral.title} | ({"desc": neutral.subtitle} if neutral.subtitle else {}),
    }
    if neutral.source:
        made["source"] = {"desc": neutral.source}
    if neutral.text:
        made["sub_title_text"] = neutral.text
    if neutral.facts:
        made["horizontal_content_list"] = [_fact(fact) for fact in neutral.facts]
    if neutral.url:
        made["card_action"] = {"type": 1, "url": neutral.url}
    if neutral.buttons:
        made["task_id"] = _task(neutral.task or task)
        made["button_list"] = [{"text": button.text, "style": button.style, "key": button.key} for button in neutral.buttons]
    return made


def cut(text: str, limit: int) -> str:
    """`text` in at most `limit` bytes of UTF-8; what is left out is said at the end, and no character is broken."""
    if len(text.encode()) <= limit:
        return text
    room = limit - len(_CUT.encode())
    return text.encode()[:room].decode(errors="ignore") + _CUT


def recipients(fields: Fields) -> dict[str, str]:
    """`touser`, `toparty` and `totag`, within the vendor's numbers."""
    lists: tuple[tuple[str, Sequence[str], int], ...] = (
        ("touser", fields.to, 1000),
        ("toparty", fields.parties, 100),
        ("totag", fields.tags, 100),
    )
    for name, values, most in lists:
        if len(values) > most:
            raise _refused(f"{name} holds {len(values)} names, the vendor takes {most}", "send it in several messages")
    chosen = {name: "|".join(values) for name, values, _ in lists if values}
    if not chosen:
        raise _refused("the message has no recipient", "name userids in `to`, or parties or tags")
    return chosen


def _fact(fact: Named) -> dict[str, object]:
    link: dict[str, object] = {"type": 1, "url": fact.url} if fact.url else {}
    return {"keyname": fact.name, "value": fact.value, **link}


def _task(task: str) -> str:
    if not task or len(task) > TASK_BYTES or not _TASK.issuperset(task):
        raise _refused(
            "the card's task is not 1 to 128 characters of digits, letters, _, - and @", "name the task so, or leave it out"
        )
    return task


def _refused(happened: str, next: str) -> VendorRefused:
    return VendorRefused(happened=happened, next=next)
