"""The one run of a connection that reads from time to time what people changed in Zoho."""

from __future__ import annotations

from datetime import datetime, timedelta

from temporalio import workflow
from temporalio.exceptions import ActivityError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from activities.order_checks import OrderCheckActivities
    from activities.order_polls import OrderPollActivities
    from activities.refreshing import RefreshActivities
    from activities.restocking import RestockActivities
    from domain.by_hand import ZohoList
    from domain.order_polls import (
        CarryBack,
        KeptLook,
        ListQuery,
        NamelessNote,
        OrderNews,
        OrderRef,
        PollEnd,
        PollQuery,
        ShipmentNews,
    )
    from domain.return_polls import PollInput
    from domain.runs import PaymentRef
    from workflows import contract
    from workflows.polling import Polling

# The lists that tell of no order.
_READ_BY = {
    ZohoList.CONTACTS: RefreshActivities.refresh_contacts,
    ZohoList.ITEMS: RefreshActivities.refresh_items,
}

_ALONE = (ZohoList.CREDIT_NOTES, *_READ_BY)


@workflow.defn(name=contract.ORDER_POLL_WORKFLOW)
class OrderPollWorkflow(Polling):
    """Looks at each order of ours that somebody may have changed, and at a few more that it draws.

    What people entered for the buyer it tells Stripe; where a person has to decide, a run of the order's own asks.
    It ends when the shop no longer wants it.
    """

    @workflow.init
    def __init__(self, start: PollInput) -> None:
        super().__init__(start, "what is changed in Zoho by hand:", "Read what was changed in Zoho again")
        self._looks = self._failed = 0
        self._unread: list[str] = []

    @workflow.run
    async def run(self, start: PollInput) -> None:
        """Until the shop wants it no more."""
        await self._read_on()

    def _wanted(self) -> bool:
        return self._start.policy.by_hand.polls

    def _every(self) -> timedelta:
        return self._start.policy.by_hand.poll_every

    async def _read(self) -> str:
        """One poll. Where a list cannot be read, the next poll reads from the same moment on."""
        self._now = False  # whoever asked until now is served by this poll
        self._looks, self._failed, self._unread = 0, 0, []
        query = PollQuery(connection=self._start.connection)
        begun = await self._calls.local(OrderPollActivities.begin_order_poll, query, "See how far it was read")
        pages = sum([await self._pages(one, begun.since_of(one)) for one in self._start.policy.by_hand.lists])
        if begun.sold_out:
            await self._see_restocked(query)
        for order in begun.due:
            await self._look(order)
        end = PollEnd(connection=self._start.connection, at=begun.at, remembered=begun.remembered is not None)
        await self._calls.local(OrderPollActivities.end_order_poll, end, "Remember how far it was read")
        failed = f", of which {self._failed} could not be read" if self._failed else ""
        return "; ".join([f"{pages} pages were read, {self._looks} orders looked at{failed}", *self._unread])

    async def _pages(self, listed: ZohoList, since: datetime | None) -> int:
        """How many pages of the list were read. One of `_ALONE` that the token may not read stops no other."""
        try:
            return await self._walk(listed, since)
        except ActivityError as error:
            if is_cancelled_exception(error) or listed not in _ALONE:
                raise
            self._unread.append(f"{listed.value} could not be read: {error.cause}")
            return 0

    async def _walk(self, listed: ZohoList, since: datetime | None) -> int:
        """The pages of one list that are not older than the last poll; how many those were."""
        page, more, reads = 0, since is not None, _READ_BY.get(listed, OrderPollActivities.list_changed)
        while more:
            page += 1
            wanted = ListQuery(connection=self._start.connection, list=listed, since=since, page=page)
            summary = f"Read page {page} of what changed in {listed.value}"
            found = await self._calls.zoho_read(reads, wanted, summary)
            for order in [*found.news, *await self._traced(found.nameless)]:
                await self._look(order)
            more = found.more
        return page

    async def _see_restocked(self, query: PollQuery) -> None:
        """Orders whose goods were sold out go on by themselves where they are there again."""
        found = await self._calls.zoho_read(RestockActivities.see_restocked, query, "See what is in stock again")
        for payment_id in found.payment_ids:
            ref = PaymentRef(connection=query.connection, payment_id=payment_id)
            await self._calls.write(RestockActivities.tell_restocked, ref, f"Have {payment_id} look for its goods")

    async def _traced(self, notes: tuple[NamelessNote, ...]) -> list[OrderNews]:
        """The orders of ours that these credit notes are for."""
        summary = "See which order a credit note is for"
        asked = [await self._calls.zoho_read(OrderPollActivities.trace_credit_note, note, summary) for note in notes]
        return [one for one in asked if one is not None]

    async def _look(self, order: OrderNews) -> None:
        """One order: what of it Stripe is to be told, and whether a person has to decide. One that cannot be read
        holds up no other; the next poll that meets it looks again.
        """
        self._looks += 1
        try:
            await self._deal(order)
        except ActivityError as error:
            if is_cancelled_exception(error):
                raise
            workflow.logger.warning("order %s was not looked at: %s", order.salesorder_id, error.cause)
            self._failed += 1

    async def _deal(self, order: OrderNews) -> None:
        look = await self._calls.zoho_read(
            OrderCheckActivities.see_order, order, f"Read back the order of {order.payment_id}"
        )
        ref = {"connection": order.connection, "payment_id": order.payment_id}
        if look.carry:
            said = CarryBack(**ref, turn=look.turn)
            summary = f"Tell {order.payment_id} in Stripe what was entered in Zoho"
            await self._calls.write(OrderCheckActivities.carry_back, said, summary)
            if look.tell and workflow.patched(contract.SHIPMENTS_TOLD):
                news = ShipmentNews(**dict(said))
                summary = f"Tell people what of {order.payment_id} is shipped"
                await self._calls.tell(OrderCheckActivities.notify_shipment, news, summary)
        if look.asks:
            check = OrderRef(**ref, salesorder_id=order.salesorder_id)
            await self._calls.write(OrderPollActivities.tell_check, check, f"Have somebody asked of {order.payment_id}")
        await self._calls.local(OrderPollActivities.keep_look, KeptLook(**dict(order)), "Remember this look")
