"""A Zoho Books for scripted activities: it keeps what is posted, and loses answers as told."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from domain.books import (
    JOURNAL,
    TRANSFER,
    JournalKept,
    JournalSeen,
    Posted,
    PostedList,
    PostingPlan,
    PostInput,
    Side,
    Transfer,
    TransferSeen,
)
from domain.runs import StepDone
from tests.workflows.samples import posting_plan

POST, DELETE = "post", "delete"


@dataclass
class Books:
    """`lost` are the writes, by verb and kind, whose first answer gets lost: True where they happened all the same.

    `memory` says whether our store remembers what was posted.
    """

    lost: dict[tuple[str, str], bool] = field(default_factory=dict)
    memory: bool = True
    plans: dict[int, PostingPlan] = field(default_factory=dict)
    transfers: dict[str, Transfer] = field(default_factory=dict)
    journals: dict[str, tuple[str, tuple[Side, ...]]] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    known: dict[str, Posted] = field(default_factory=dict)
    rounds: int = 0

    def answers(self) -> dict[str, Any]:
        """What the activities answer."""
        return {
            "plan_postings": self.plan,
            "post_transfer": lambda wanted: self._write(POST, TRANSFER, wanted),
            "post_journal": lambda wanted: self._write(POST, JOURNAL, wanted),
            "delete_transfer": lambda wanted: self._write(DELETE, TRANSFER, wanted),
            "delete_journal": lambda wanted: self._write(DELETE, JOURNAL, wanted),
            "find_transfers": lambda wanted: PostedList(
                found=tuple(
                    Posted(document_id=name, reference=one.reference)
                    for name, one in self.transfers.items()
                    if one.reference == wanted.reference
                )
            ),
            "find_journals": lambda wanted: PostedList(
                found=tuple(
                    Posted(document_id=name, reference=reference)
                    for name, (reference, _) in self.journals.items()
                    if reference.startswith(wanted.reference)
                )
            ),
            "read_transfer": self.transfer,
            "read_journal": self.journal,
            "close_round": self._close_round,
        }

    def plan(self, wanted: PostInput) -> PostingPlan:
        """The version's plan, with what is remembered."""
        plan = self.plans.get(wanted.version) or posting_plan(wanted.payment_id, wanted.version)
        known = self.known.values() if self.memory else ()
        return plan.model_copy(
            update={
                "round": self.rounds,
                "transfers_known": {one.reference: one.document_id for one in known if not one.sides},
                "journals": tuple(
                    JournalKept(journal_id=one.document_id, reference=one.reference, sides=one.sides)
                    for one in known
                    if one.sides
                ),
            }
        )

    def transfer(self, wanted: Any) -> TransferSeen | None:
        """One as it stands."""
        one = self.transfers.get(wanted.document_id)
        if one is None:
            self.known.pop(wanted.document_id, None)
            return None
        about = {"source": one.source, "target": one.target, "money": one.money}
        return TransferSeen(document_id=wanted.document_id, kind="transfer_fund", **about)

    def journal(self, wanted: Any) -> JournalSeen | None:
        """One as it stands."""
        if wanted.document_id not in self.journals:
            self.known.pop(wanted.document_id, None)
            return None
        reference, sides = self.journals[wanted.document_id]
        return JournalSeen(document_id=wanted.document_id, reference=reference, status="published", sides=sides)

    def _write(self, verb: str, kind: str, wanted: Any) -> Any:
        happens = self.lost.pop((verb, kind), None)
        if happens is None or happens:
            made = self._apply(verb, kind, wanted)
        return made if happens is None else (Posted if verb == POST else StepDone)(unknown=True, asked=1)

    def _apply(self, verb: str, kind: str, wanted: Any) -> Any:
        self.writes.append(f"{verb} {kind}")
        if verb == DELETE:
            (self.transfers if kind == TRANSFER else self.journals).pop(wanted.document_id)
            self.known.pop(wanted.document_id, None)
            return StepDone()
        name = f"{kind}-{len(self.writes)}"
        if kind == TRANSFER:
            self.transfers[name] = wanted.transfer
            made = Posted(document_id=name, reference=wanted.transfer.reference)
        else:
            self.journals[name] = (wanted.reference, wanted.sides)
            made = Posted(document_id=name, reference=wanted.reference, sides=wanted.sides)
        self.known[name] = made
        return made

    def _close_round(self, wanted: Any) -> StepDone:
        self.rounds += 1
        return StepDone()
