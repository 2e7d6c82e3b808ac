"""Our own memory: it remembers, it owns no truth. Losing it loses no money."""

from clients.store.audit import Audit, AuditEntry, AuditReport
from clients.store.budgets import Budgets
from clients.store.dossiers import Dossiers
from clients.store.effects import Effect, EffectRow, Effects, EffectState
from clients.store.events import SeenEvent, SeenEvents
from clients.store.links import Links
from clients.store.notices import Notices, Turn
from clients.store.payouts import Issued, Payouts
from clients.store.reservations import Reservations, Reserved
from clients.store.store import Store
from clients.store.tokens import Tokens

__all__ = [
    "Audit",
    "AuditEntry",
    "AuditReport",
    "Budgets",
    "Dossiers",
    "Effect",
    "EffectRow",
    "EffectState",
    "Effects",
    "Issued",
    "Links",
    "Notices",
    "Payouts",
    "Reservations",
    "Reserved",
    "SeenEvent",
    "SeenEvents",
    "Store",
    "Tokens",
    "Turn",
]
