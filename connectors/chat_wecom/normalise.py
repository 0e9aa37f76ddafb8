"""A decrypted callback and what it means: what somebody wrote, or which button of a card they pressed."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from hub.sdk import Event, Ignored, MessageReceived, Raw, Unreadable, derive, event

from . import envelope
from .envelope import Tree, text

# What the vendor sends too and holds no fact for us yet. A name that is not here is ignored as unlisted, and so is seen.
_IGNORED_EVENTS = frozenset(
    {
        "batch_job_result",
        "change_contact",
        "change_external_chat",
        "change_external_contact",
        "change_external_tag",
        "enter_agent",
        "kf_msg_or_event",
        "LOCATION",
        "subscribe",
        "sys_approval_change",
        "unsubscribe",
        "view",
    }
)
_IGNORED_MESSAGES = frozenset({"image", "voice", "video", "location", "link", "file"})
_CARD_EVENTS = frozenset({"template_card_event", "template_card_menu_event"})
# Parts that tell one event of a second from another one, where there is no MsgId.
_TELLING = (
    "FromUserName",
    "CreateTime",
    "TimeStamp",
    "InfoType",
    "Event",
    "ChangeType",
    "AgentID",
    "TaskId",
    "EventKey",
    "UserID",
    "ExternalUserID",
    "ChatId",
    "Id",
    "TagType",
)


def normalise(raw: Raw) -> Iterable[Event | Ignored]:
    """A text becomes what somebody wrote, a card's button their choice; everything else is ignored under its own name."""
    tree = _tree(raw)
    kind = text(tree, "MsgType")
    name = text(tree, "Event")
    if kind == "text":
        yield _written(raw, tree)
    elif kind == "event" and name in _CARD_EVENTS:
        yield _chosen(raw, tree)
    else:
        yield Ignored(rule=_rule(tree, kind, name))


def key(tree: Tree) -> str:
    """The vendor's identity of a callback: its MsgId, else the parts that the vendor says to tell repeats by."""
    if number := text(tree, "MsgId"):
        return f"message {number}"
    parts = [(name, text(tree, name)) for name in _TELLING]
    parts += [("SpNo", text(tree, "ApprovalInfo", "SpNo")), ("JobId", text(tree, "BatchJob", "JobId"))]
    return "event " + " ".join(f"{name}={value}" for name, value in parts if value)


def _rule(tree: Tree, kind: str, name: str) -> str:
    if kind == "event":
        return f"event {name}" if name in _IGNORED_EVENTS else "event not listed"
    if kind:
        return f"message {kind}" if kind in _IGNORED_MESSAGES else "message not listed"
    if text(tree, "InfoType"):
        return "notice to a third-party suite"
    raise Unreadable(
        happened="the callback says neither what kind of message it is nor which notice",
        next="look at the raw; if the vendor has a new form, the connector must learn it",
        rule="kind",
        pointer="/MsgType",
    )


def _written(raw: Raw, tree: Tree) -> Event:
    number = _needed(tree, "MsgId")
    fact = MessageReceived(
        message=number, sender=_needed(tree, "FromUserName"), text=text(tree, "Content"), channel=text(tree, "AgentID") or None
    )
    return event(raw, "message.received", subject=number, data=fact, occurred_at=_time(tree))


def _chosen(raw: Raw, tree: Tree) -> Event:
    sender, task = _needed(tree, "FromUserName"), text(tree, "TaskId")
    number = derive("msg", key(tree))
    fact = MessageReceived(
        message=number,
        sender=sender,
        kind="choice",
        text=_selected(tree),
        channel=text(tree, "AgentID") or None,
        choice=_needed(tree, "EventKey"),
        task=task or None,
        reply_to=text(tree, "ResponseCode") or None,
    )
    return event(
        raw,
        "message.received",
        subject=number,
        data=fact,
        occurred_at=_time(tree),
        # Two people who press buttons of one card are handled in the order in which they did.
        key=f"message:{task}" if task else None,
    )


def _selected(tree: Tree) -> str:
    """`question=option,option` for each selection of a card, joined by semicolons."""
    selected = []
    for holder in envelope.trees(tree, "SelectedItems"):
        for item in envelope.trees(holder, "SelectedItem"):
            # The vendor's own material spells these names in two ways.
            options = [
                option
                for outer, inner in (("OptionIds", "OptionId"), ("OpitonIds", "OpitonId"))
                for group in envelope.trees(item, outer)
                for option in envelope.texts(group, inner)
            ]
            selected.append(f"{text(item, 'QuestionKey')}={','.join(options)}")
    return ";".join(selected)


def _tree(raw: Raw) -> Tree:
    try:
        return envelope.read(raw.body)
    except envelope.NotAnEnvelope as error:
        raise Unreadable(
            happened=f"the callback cannot be read: {error}",
            next="look at the raw; it came from the vendor as it is",
            rule="xml",
        ) from None


def _needed(tree: Tree, name: str) -> str:
    if found := text(tree, name):
        return found
    raise Unreadable(
        happened=f"the callback has no {name}",
        next="look at the raw; if the vendor has a new form, the connector must learn it",
        rule="needed",
        pointer=f"/{name}",
    )


def _time(tree: Tree) -> datetime:
    seconds = _needed(tree, "CreateTime")
    try:
        return datetime.fromtimestamp(int(seconds), UTC)
    except (ValueError, OverflowError, OSError):
        raise Unreadable(
            happened="the time of the callback is not in seconds since 1970",
            next="look at the raw",
            rule="time",
            pointer="/CreateTime",
        ) from None
