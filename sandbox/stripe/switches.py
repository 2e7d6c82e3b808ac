"""Everything about this Stripe that is a choice, by name: `GET /_switches` shows them, `POST /_switches` sets them."""

from __future__ import annotations

from dataclasses import asdict, dataclass, fields
from decimal import Decimal
from typing import Any

#: Times that may be None: it happens only when asked for.
MAY_NEVER = ("balance_after", "refund_after", "payout_after", "reconciled_after")


@dataclass
class Switches:
    """Times are real seconds; rates are shares of 1."""

    #: Seconds from a charge to its balance transaction and `charge.updated`; None: only when asked for.
    balance_after: float | None = 0.5
    #: Seconds from a refund to its settlement, `pending` until then; 0: at once, None: only when asked for.
    refund_after: float | None = 0.0
    #: Whether a new refund waits for the buyer to say where it is to go, or fails at once.
    refund_asks_buyer: bool = False
    refund_fails: bool = False
    #: What Stripe takes for a refund, in minor units of the settlement currency; most accounts pay nothing.
    refund_fee: int = 0
    #: Whether a cancelled refund is told by `refund.failed`; else by `refund.updated`. Not documented.
    refund_cancel_fails: bool = False
    #: Whether letting go of an authorisation makes a refund of money that was never captured. Stripe has a reason for
    #: it (`expired_uncaptured_charge`); that a cancellation makes one too is not documented.
    release_makes_refund: bool = False
    #: What a dispute costs, in minor units of the settlement currency, and whether that comes back when it is won:
    #: recorded so of a US account; it differs by country and contract.
    dispute_fee: int = 1500
    dispute_fee_returned: bool = True
    #: Whether a refund under way fails when its charge is disputed (`charge_for_pending_refund_disputed`).
    dispute_fails_refunds: bool = True
    #: Whether `charge.dispute.closed` is told before the funds are reinstated. The order is not documented.
    dispute_closes_first: bool = False
    #: Whether an inquiry makes the charge `disputed`, and whether a charge can be refunded after a dispute was won.
    inquiry_marks_disputed: bool = False
    won_is_refundable: bool = False
    #: Seconds from a payout to its arrival (`payout.paid`) and to its reconciliation, which may come before or after;
    #: None: only when asked for.
    payout_after: float | None = 0.5
    reconciled_after: float | None = 1.0
    #: Whether the lines of a payout are listed before it is reconciled; else `payout_reconciliation_not_ready`, an
    #: error that Stripe has without saying when.
    payout_lists_early: bool = False
    #: What an instant payout costs, taken with its own row; the share differs by country.
    instant_fee_percent: float = 1.0
    #: Fee of a charge: a share of it and a fixed part in minor units of the settlement currency.
    fee_percent: float = 2.9
    fee_fixed: int = 30
    #: Tax on the fee, as Stripe adds it in some countries; 0: none.
    fee_tax_percent: float = 0.0
    #: The rate automatic tax finds for every address.
    automatic_tax_percent: float = 20.0
    #: Rows of a page of any list at most, also where more are asked for; Stripe serves what is asked for, up to 100.
    rows_of_a_page: int = 100
    #: Requests a second and endpoint; 0: no limit (Stripe: 25).
    requests_per_second: int = 0
    #: Waiting before each first delivery, and a random wait up to this long on top (deliveries overtake).
    webhook_delay: float = 0.0
    webhook_spread: float = 0.0
    #: Shares of deliveries never sent, sent twice, and of changes told by two events with two ids.
    webhook_loss: float = 0.0
    webhook_duplicate: float = 0.0
    webhook_twin: float = 0.0
    #: What is lost, doubled and late is drawn from this seed, anew from when it is set; 0: by chance.
    webhook_seed: int = 0
    #: Further attempts after a failed one; the first after this many seconds, each next after twice as many.
    #: Stripe does not publish its intervals: live retries last three days.
    webhook_retries: int = 8
    webhook_retry_after: float = 0.5
    #: Seconds an endpoint has to answer.
    webhook_timeout: float = 10.0
    #: Whether a restricted key without the right is refused before Stripe looks whether the object exists.
    rights_before_lookup: bool = True

    def apply(self, changes: dict[str, Any]) -> None:
        """Sets the named switches; ValueError names one that does not exist or a value of another kind."""
        defaults = asdict(Switches())
        for name, value in changes.items():
            if name not in defaults:
                raise ValueError(f"no switch {name!r}; there are {', '.join(defaults)}")
            if isinstance(defaults[name], bool) != isinstance(value, bool):
                raise ValueError(f"switch {name!r} is not {value!r}")
            nothing = isinstance(value, bool) or (value is None and name in MAY_NEVER)
            if not nothing and (not isinstance(value, (int, float)) or value < 0):
                raise ValueError(f"switch {name!r} is a number of zero or more, not {value!r}")
            if isinstance(defaults[name], int) and not isinstance(value, int):
                raise ValueError(f"switch {name!r} is a whole number, not {value!r}")
            setattr(self, name, value)

    def reset(self) -> None:
        """Back to the defaults."""
        for field in fields(self):
            setattr(self, field.name, field.default)

    def percent(self, name: str) -> Decimal:
        """A percentage switch, exactly."""
        return Decimal(str(getattr(self, name)))
