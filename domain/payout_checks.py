"""A check of payouts: what Stripe paid out in a time, held against the certificates that were issued."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import timedelta

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from domain.certified import Certificate
from domain.matching import Explained
from domain.money import Money
from domain.payments import Fact
from domain.payouts import Payout, PayoutStatus
from domain.policy import PaymentPolicy
from domain.runs import PaymentEvent
from domain.sweeps import Case, Heard, RunSeen

NAMED = 100  # payouts that a result names; the events' rows name them all
# A payout at one of these goes no further, except that a bank sends a paid one back.
ENDED = frozenset({PayoutStatus.PAID, PayoutStatus.FAILED, PayoutStatus.CANCELED})

_COUNTS = ("count", "certified", "under_way", "left", "matched")


class PayoutPolicy(BaseModel):
    """When payouts are checked and how far a check looks. `hour`: of the night, in the connection's time zone;
    `look_back`: how far before the last check a check looks, for a payout that was paid may still fail; `open_for`:
    how long after a certificate was issued that names what is open, its payout is matched again.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    hour: int = Field(default=3, ge=0, le=23)
    look_back: timedelta = Field(default=timedelta(days=35), gt=timedelta(0))
    open_for: timedelta = Field(default=timedelta(days=180), ge=timedelta(0))


class PayoutLook(Fact):
    """A page of the payouts that were made from `since` up to, not including, `until`; `after` an earlier page's end.

    `regular`: nobody asked for it, so that a run which a person ended is left alone. `open_too`: those as well whose
    certificate names what is open, for it may have been booked since.
    """

    connection: str
    since: AwareDatetime
    until: AwareDatetime
    regular: bool = True
    open_too: bool = False
    after: str = ""


class OpenLook(Fact):
    """Some payouts whose newest certificate, issued at `since` or later, names what was open; `after` an earlier
    look's end.
    """

    connection: str
    since: AwareDatetime
    after: str = ""


class Uncertified(Fact):
    """A payout whose present state no certificate tells, and the event that tells it to its run. `known`: one does tell
    it, and names what was open then.
    """

    payout_id: str
    status: PayoutStatus
    money: Money
    event: PaymentEvent
    known: bool = False


class PayoutsLooked(Fact):
    """What was found on a page of `count` payouts; `after` "" on the last page.

    `certified`: as they are now; `under_way`: not with the bank yet, or their run is open; `left`: a person ended
    their run. `matched`: how many certificates that name what was open were held against our memory instead.
    """

    lacking: tuple[Uncertified, ...] = ()
    count: int = 0
    certified: int = 0
    under_way: int = 0
    left: int = 0
    matched: int = 0
    after: str = ""


class TellPayouts(Fact):
    """Payouts whose runs are to be told."""

    connection: str
    lacking: tuple[Uncertified, ...]


class ToldPayout(Fact):
    """A payout whose run was told, as it was then."""

    payout_id: str
    status: PayoutStatus
    money: Money


class PayoutsChecked(Fact):
    """What a check came to, in counts of payouts; `told` names the first hundred of `lacking`. The next check goes on
    at `until`; what was before `begun` is not for checks that go on by themselves.
    """

    since: AwareDatetime
    until: AwareDatetime
    begun: AwareDatetime | None = None
    count: int = 0
    certified: int = 0
    under_way: int = 0
    left: int = 0
    matched: int = 0
    lacking: int = 0
    told: tuple[ToldPayout, ...] = ()

    def with_page(self, page: PayoutsLooked) -> PayoutsChecked:
        """With one page more."""
        sums = {name: getattr(self, name) + getattr(page, name) for name in _COUNTS}
        told = [ToldPayout(payout_id=one.payout_id, status=one.status, money=one.money) for one in page.lacking]
        lacking = self.lacking + len(told)
        return self.model_copy(update=sums | {"lacking": lacking, "told": (*self.told, *told)[:NAMED]})


class PayoutCheckInput(Fact):
    """What a check starts with. A schedule's says no `since` and `until`: what was paid out lately.

    `begun` is when the schedule was made: payouts from before the shop was connected are not certified unasked.
    `done` and `after` are what a run that continues as new takes with it.
    """

    connection: str
    since: AwareDatetime | None = None
    until: AwareDatetime | None = None
    regular: bool = True
    open_too: bool = False
    begun: AwareDatetime | None = None
    payouts: PayoutPolicy = PayoutPolicy()
    time_zone: str = ""
    policy: PaymentPolicy = PaymentPolicy()
    done: PayoutsChecked | None = None
    after: str = ""


def news_of(payout: Payout) -> Heard:
    """What Stripe would have said of the payout as it is now."""
    failed = payout.status is PayoutStatus.FAILED and payout.returned is not None
    row = payout.returned if failed else payout.own
    event = PaymentEvent(
        event_id=row.transaction_id if row else payout.payout_id,
        type=f"payout.{payout.status.value}",
        object_id=payout.payout_id,
        created=row.at if row else payout.created,
    )
    return Heard(event=event, case=Case.PAYOUT, about=payout.payout_id)


def compared(
    payouts: Iterable[tuple[Payout, RunSeen | None]],
    certified: dict[str, str],
    *,
    regular: bool,
    open_ones: Collection[str] = (),
) -> PayoutsLooked:
    """Each payout with its run against the state that its newest certificate tells; `open_ones` are told all the same.

    A run that a person ended is left alone where nobody asked, unless the money came back after that.
    """
    counts = dict.fromkeys(("certified", "under_way", "left"), 0)
    lacking: list[Uncertified] = []
    for payout, run in payouts:
        known = certified.get(payout.payout_id) == payout.status.value
        if known and payout.payout_id not in open_ones:
            counts["certified"] += 1
        elif payout.status not in ENDED or (run is not None and run.open):
            counts["under_way"] += 1
        elif regular and _ended_by_a_person(payout, run):
            counts["left"] += 1
        else:
            event = news_of(payout).event
            about = {"payout_id": payout.payout_id, "status": payout.status, "money": payout.money}
            lacking.append(Uncertified(**about, event=event, known=known))
    return PayoutsLooked(lacking=tuple(lacking), count=sum(counts.values()) + len(lacking), **counts)


def says_otherwise(certificate: Certificate, now: Explained) -> bool:
    """Whether what the certificate names as open is not what is open by our memory `now`."""
    then = {(one.kind, one.transaction) for one in certificate.certificate.findings}
    return then != {(one.kind.value, one.transaction_id) for one in now.findings}


def _ended_by_a_person(payout: Payout, run: RunSeen | None) -> bool:
    if run is None or run.succeeded or run.closed_at is None:
        return False
    return payout.returned is None or payout.returned.at <= run.closed_at
