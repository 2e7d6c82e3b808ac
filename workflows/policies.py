"""The only timeouts and retry policies in the house, by name."""

from __future__ import annotations

from datetime import timedelta

from temporalio.common import Priority, RetryPolicy
from temporalio.workflow import ActivityConfig, LocalActivityConfig

from domain.policy import PaymentPolicy

# What a repeat cannot cure, or not before a moment that the run waits for;
# the types are the class names of clients.errors and the codes of domain.validation.
FATAL = ["Refused", "NotFound", "AlreadyExists", "NotAllowed", "DossierChanged", "QuotaGone"]

# A look into our own store: short, and a normal activity takes over when the store is away (it would cost heartbeats).
LOCAL = LocalActivityConfig(
    schedule_to_close_timeout=timedelta(seconds=5),
    retry_policy=RetryPolicy(
        initial_interval=timedelta(milliseconds=50), maximum_attempts=3, non_retryable_error_types=FATAL
    ),
)


def _patient(policy: PaymentPolicy, longest: timedelta) -> ActivityConfig:
    return ActivityConfig(
        start_to_close_timeout=policy.call_timeout,
        retry_policy=RetryPolicy(
            initial_interval=policy.first_retry,
            backoff_coefficient=2.0,
            maximum_interval=longest,
            non_retryable_error_types=FATAL,
        ),
    )


def READ(policy: PaymentPolicy) -> ActivityConfig:
    """A question that may be asked again at any time, for as long as it takes."""
    return _patient(policy, policy.longest_retry)


def WRITE(policy: PaymentPolicy) -> ActivityConfig:
    """A write that guards itself against a second one; never given up, for money was taken."""
    return _patient(policy, policy.longest_retry)


def UNDO(policy: PaymentPolicy) -> ActivityConfig:
    """What puts a half-done write right: as patient as a write."""
    return _patient(policy, policy.longest_retry)


def WAIT(policy: PaymentPolicy) -> ActivityConfig:
    """Waiting for another run's work: asked often, because it ends within seconds."""
    return _patient(policy, min(policy.longest_retry, timedelta(seconds=2)))


def TELL(policy: PaymentPolicy) -> ActivityConfig:
    """A message to people: a few tries, for the payment does not depend on it."""
    return ActivityConfig(
        start_to_close_timeout=policy.call_timeout,
        retry_policy=RetryPolicy(
            initial_interval=policy.first_retry, maximum_attempts=5, non_retryable_error_types=FATAL
        ),
    )


def zoho(config: ActivityConfig, queue: str, organization_id: str) -> ActivityConfig:
    """The same call on the Zoho queue, with the organisation as fairness key: the server limits the pace per key."""
    return config | ActivityConfig(task_queue=queue, priority=Priority(fairness_key=organization_id))
