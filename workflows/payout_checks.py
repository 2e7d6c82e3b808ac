"""No payout is forgotten: what Stripe paid out, held against the certificates; what is lacking is told to its run."""

from __future__ import annotations

from datetime import datetime

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from activities.payout_checks import PayoutCheckActivities
    from activities.sweeps import SweepActivities
    from domain.payout_checks import OpenLook, PayoutCheckInput, PayoutLook, PayoutsChecked, PayoutsLooked, TellPayouts
    from domain.sweeps import SweepRef
    from workflows import contract, policies
    from workflows.ranges import refuse_no_time

_AT_ONCE = 25  # payouts told by one activity


@workflow.defn(name=contract.PAYOUT_CHECK_WORKFLOW)
class PayoutCheckWorkflow:
    """A page of payouts at a time. It reads Stripe, our store and Temporal, and asks nothing of Zoho.

    Where the check before ended is the result that Temporal hands on from run to run of a schedule, so the first one
    after a downtime looks at all of it. What is certified is what our store says.
    """

    @workflow.init
    def __init__(self, wanted: PayoutCheckInput) -> None:
        self._wanted = wanted
        self._done = wanted.done or PayoutsChecked(since=workflow.now(), until=workflow.now())

    @workflow.run
    async def run(self, wanted: PayoutCheckInput) -> PayoutsChecked:
        """What was looked at, and which runs were told."""
        if wanted.done is None:
            self._done = await self._begin()
        after, more = wanted.after, True
        while more:
            page = await self._look(after)
            await self._tell(page)
            self._done = self._done.with_page(page)
            after, more = page.after, bool(page.after)
            if more and workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(self._wanted.model_copy(update={"done": self._done, "after": after}))
        await self._match_again()
        return self._done

    @workflow.query(name=contract.PROGRESS)
    def progress(self) -> PayoutsChecked:
        """What was looked at so far."""
        return self._done

    async def _begin(self) -> PayoutsChecked:
        """Which time this check looks at."""
        wanted, now = self._wanted, workflow.now()
        until = wanted.until or now
        if wanted.since is not None:
            refuse_no_time(wanted.since, until)
            return PayoutsChecked(since=wanted.since, until=until)
        before = None
        if workflow.has_last_completion_result():
            before = workflow.get_last_completion_result(PayoutsChecked)
        begun = (before and before.begun) or await self._beginning()
        since = (before.until if before else now) - wanted.payouts.look_back
        return PayoutsChecked(since=min(max(since, begun), until), until=until, begun=begun)

    async def _beginning(self) -> datetime:
        """Before what no check looks by itself: the schedule was made, or the first event came."""
        ask = policies.READ(self._wanted.policy) | workflow.ActivityConfig(summary="When did the first event come?")
        ref = SweepRef(connection=self._wanted.connection)
        first = await workflow.execute_activity_method(SweepActivities.find_beginning, ref, **ask)
        now = workflow.now()
        return min(self._wanted.begun or now, first.at or now)

    async def _look(self, after: str) -> PayoutsLooked:
        done, wanted = self._done, self._wanted
        look = PayoutLook(
            connection=wanted.connection,
            since=done.since,
            until=done.until,
            regular=wanted.regular,
            open_too=wanted.open_too,
            after=after,
        )
        words = f"Look at the payouts of {done.since:%Y-%m-%d %H:%M} to {done.until:%Y-%m-%d %H:%M} UTC"
        read = policies.READ(wanted.policy) | workflow.ActivityConfig(summary=words)
        return await workflow.execute_activity_method(PayoutCheckActivities.look_at_payouts, look, **read)

    async def _match_again(self) -> None:
        """What was open when it was certified, however long ago the payout was made: our own store knows of which that
        is over. A check that somebody asked for looks at the time that was asked for.
        """
        more, after = self._wanted.regular and workflow.patched(contract.OPEN_PAYOUTS), ""
        while more:
            page = await self._look_at_open(after)
            await self._tell(page)
            self._done = self._done.with_page(page)
            after, more = page.after, bool(page.after)

    async def _look_at_open(self, after: str) -> PayoutsLooked:
        since = workflow.now() - self._wanted.payouts.open_for
        look = OpenLook(connection=self._wanted.connection, since=since, after=after)
        words = "See of which payouts something was open and is not any more"
        read = policies.READ(self._wanted.policy) | workflow.ActivityConfig(summary=words)
        return await workflow.execute_activity_method(PayoutCheckActivities.look_at_open_payouts, look, **read)

    async def _tell(self, page: PayoutsLooked) -> None:
        """A few at a time, so that a slow Temporal still takes them all within an activity's time."""
        for begin in range(0, len(page.lacking), _AT_ONCE):
            some = page.lacking[begin : begin + _AT_ONCE]
            words = f"Tell the runs of {len(some)} payouts, {some[0].payout_id} first"
            write = policies.WRITE(self._wanted.policy) | workflow.ActivityConfig(summary=words)
            lacking = TellPayouts(connection=self._wanted.connection, lacking=some)
            await workflow.execute_activity_method(PayoutCheckActivities.tell_payouts, lacking, **write)
