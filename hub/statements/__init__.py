"""Every bank file in one form: statements, the movements on them, and how both become raws and facts.

A connector parses its format into these values; `statement_raws` and `normalised` do the rest, so that every format has the
same keys, the same balance check and the same facts.
"""

from hub.statements.balances import Balances
from hub.statements.continuity import Break, Span, continuity
from hub.statements.facts import normalised
from hub.statements.grouping import Grouping
from hub.statements.raws import statement_raws
from hub.statements.spool import Spool
from hub.statements.values import Movement, Read, Remittance, Statement, Unread

__all__ = [
    "Balances",
    "Break",
    "Grouping",
    "Movement",
    "Read",
    "Remittance",
    "Span",
    "Spool",
    "Statement",
    "Unread",
    "continuity",
    "normalised",
    "statement_raws",
]
