"""The methods of access: load the input, call the use case, return its answer."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from services.access import contract
from services.access.contract import answers
from services.access.domain.secrets import SERVICES
from services.access.service.dependencies import DependenciesProvider
from services.access.usecases import administration, directory, exchange, gateway_refusals, profile, sessions
from services.chassis.answers import Page
from services.chassis.cursors import Cursors
from services.chassis.database import CommandCall, note_audited
from services.chassis.entrypoints import BusProvider, DatabaseProvider, SettingsProvider, rpc, timer
from services.chassis.entrypoints.operations import OperationMethods
from services.chassis.messages import Caller, Refusal
from services.chassis.runtime.witness import Witness
from services.chassis.signals import is_asked_to_stop
from services.chassis.transport.connection import BrokerUnavailable
from services.chassis.validation import as_id

#: The version of the field policy in passports.
POLICY_VERSION = "1"
#: Who may read the directory: people, and services that keep a copy of it.
EVERYONE = ("user", *sorted(SERVICES))
Outcome = TypeVar("Outcome")


class AccessService(OperationMethods, Witness):
    """Signs users in, and administers users and offices."""

    name = "access"
    database = DatabaseProvider()
    bus = BusProvider()
    settings = SettingsProvider()
    dependencies = DependenciesProvider()

    @rpc(sessions.SIGN_IN, identity="anonymous")
    def sign_in(self, caller: Caller, username: str, password: str, source: str) -> answers.SignedIn:
        """Open a session, and return its token, the user and the three statements.

        :raises CredentialsWrong, SignInThrottled, AccessSuspended: 401, 429, 403.
        """
        given = contract.SignInSchema().load({"username": username, "password": password})
        user_id = self._authenticated(caller, given.username, given.password, str(source)[:100])
        with self.database.work(caller) as work:
            signed_in = sessions.sign_in(work, user_id=user_id, now=self.dependencies.clock())
        if not isinstance(signed_in, Refusal) and signed_in["ended_sessions"]:
            self._beat(caller)
        return _granted(signed_in)

    def _authenticated(self, caller: Caller, username: str, password: str, source: str) -> str:
        # An unknown user name takes the same steps as a wrong password: two transactions and one check of a hash.
        if self.dependencies.throttle.is_closed(username, source, now=self.dependencies.clock()):
            raise contract.SignInThrottled
        with self.database.work(caller) as work:
            attempt = sessions.prepare_sign_in(work, username=username)
        if self.dependencies.is_right(attempt.stored, password) and attempt.user_id is not None:
            self.dependencies.throttle.succeeded(username, source)
            return attempt.user_id
        self.dependencies.throttle.failed(username, source, now=self.dependencies.clock())
        with self.database.work(caller) as work:
            sessions.record_mismatch(work, user_id=attempt.user_id)
        raise contract.CredentialsWrong

    @rpc(sessions.USE, identity="anonymous")
    def open_session(self, caller: Caller, token: str) -> answers.OpenedSession:
        """Return the session of a token, and its passports for every service.

        :raises SessionRequired: there is no such session, or it has ended; `extra` has the reason.
        """
        with self.database.work(caller) as work:
            opened = sessions.open_session(
                work, token=token, now=self.dependencies.clock(), sign=self.dependencies.sign, policy_version=POLICY_VERSION
            )
        return _granted(opened)

    @rpc(sessions.READ, before_acknowledgement=True)
    def current_session(self, caller: Caller) -> answers.SessionAnswer:
        """Return the caller's session."""
        with self.database.work(caller) as work:
            return sessions.read_session(work, by=caller, now=self.dependencies.clock())

    @rpc(sessions.ACKNOWLEDGE, before_acknowledgement=True)
    def acknowledge(
        self,
        caller: Caller,
        statements_version: str,
        accepted: bool,
        rotate: bool = False,
    ) -> answers.Acknowledged:
        """Record the acknowledgement; with `rotate`, replace the token."""
        given = contract.AcknowledgementSchema().load({"statements_version": statements_version, "accepted": accepted})
        with self.database.work(caller) as work:
            return sessions.acknowledge(
                work,
                by=caller,
                now=self.dependencies.clock(),
                statements_version=given.statements_version,
                accepted=given.accepted,
                rotate=rotate is True,
            )

    @rpc(sessions.END, before_acknowledgement=True)
    def sign_out(self, caller: Caller) -> None:
        """End the caller's session, in every process at once."""
        with self.database.work(caller) as work:
            sessions.sign_out(work, by=caller, now=self.dependencies.clock())
        self._beat(caller)

    @rpc(sessions.CHECK, subject="session_id", identity="anonymous")
    def check_session(self, caller: Caller, session_id: str, policy_version: str | None = None) -> answers.CheckedSession:
        """Return whether a session lives under the present policy, for a service that missed the heartbeat."""
        known = as_id(session_id, contract.SessionRequired)
        with self.database.work(caller) as work:
            checked = sessions.check_session(work, session_id=known, now=self.dependencies.clock())
        return {**checked, "lives": checked["lives"] and policy_version in {None, POLICY_VERSION}}

    @rpc("access:passport:exchange", identity="anonymous")
    def exchange(self, caller: Caller, passport: str, audience: str, service: str, secret: str) -> dict[str, str]:
        """Exchange a passport for one of the same user and session for another service."""
        bearer, shown_to = self.dependencies.bearer(passport)
        with self.database.work(caller) as work:
            issued = exchange.exchange(
                work,
                bearer=bearer,
                shown_to=shown_to,
                service=service,
                secret=secret,
                master=self.settings.service_master_secret,
                audience=audience,
                now=self.dependencies.clock(),
                sign=self.dependencies.sign,
                policy_version=POLICY_VERSION,
            )
        return {"passport": issued[audience]}

    @rpc("access:passport:service", identity="anonymous")
    def service_passport(self, caller: Caller, service: str, secret: str, audience: str) -> dict[str, str]:
        """Return a service's own passport, for its secret."""
        with self.database.work(caller) as work:
            issued = exchange.service_passport(
                work,
                service=service,
                secret=secret,
                audience=audience,
                master=self.settings.service_master_secret,
                now=self.dependencies.clock(),
                sign=self.dependencies.sign,
                policy_version=POLICY_VERSION,
            )
        return {"passport": issued[audience]}

    @rpc(gateway_refusals.REFUSE, identity=("user", "anonymous"))
    def record_refusal(self, caller: Caller, route: str, code: str, status: int, source: str) -> None:
        """Record a refusal of the gateway before it answers."""
        command = contract.GatewayRefusalSchema().load({"route": route, "code": code, "status": status, "source": source})
        with self.database.work(caller) as work:
            gateway_refusals.record_refusal(
                work, by=caller, now=self.dependencies.clock(), command=command, master=self.settings.service_master_secret
            )
        # A further refusal of the same minute is counted durably and summed up in one entry when the minute is over.
        note_audited()

    @rpc("access:component:list", identity=EVERYONE)
    def list_components(self, caller: Caller) -> Page[answers.ComponentAnswer]:
        """Return the offices."""
        with self.database.work(caller) as work:
            return directory.list_components(work)

    @rpc("access:user:list", identity=EVERYONE)
    def list_users(self, caller: Caller, **query: Any) -> Page[answers.UserAnswer]:
        """Return employees, by id, office or name."""
        given = contract.UserListSchema().load(query)
        with self.database.work(caller) as work:
            return directory.list_users(work, by=caller, cursors=Cursors(self.settings.cursor_key, "access"), query=given)

    @rpc("access:user:read", subject="user_id", identity=EVERYONE, onward="interactions")
    def read_user(self, caller: Caller, user_id: str) -> answers.UserAnswer:
        """Return one employee."""
        with self.database.work(caller) as work:
            return directory.read_user(work, user_id=as_id(user_id, contract.UserUnknown))

    @rpc("access:integration:owner", identity=tuple(sorted(SERVICES)))
    def integration_owner(self, caller: Caller, account: str, username: str) -> answers.IntegrationOwner:
        """Return the employee whom a component's system names as owner."""
        with self.database.work(caller) as work:
            return directory.integration_owner(work, by=caller, account=str(account), username=str(username))

    @rpc("access:profile:read")
    def read_profile(self, caller: Caller) -> answers.ProfileAnswer:
        """Return the caller's own settings."""
        with self.database.work(caller) as work:
            return profile.read_profile(work, by=caller)

    @rpc("access:profile:change", command=True)
    def change_profile(self, call: CommandCall, body: dict[str, Any], if_match: str) -> answers.ProfileAnswer:
        """Change the caller's own settings."""
        given = contract.ProfileChangeSchema().load(body)
        call.subject_id = call.caller.id
        return call.run(
            lambda work: profile.change_profile(work, by=call.caller, time_zone=given.time_zone, if_match=if_match),
            replay=lambda work, _: profile.read_profile(work, by=call.caller),
        )

    @rpc("access:user:create", command=True, status=201, created="id")
    def create_user(self, call: CommandCall, body: dict[str, Any]) -> answers.UserAnswer:
        """Create a user."""
        command = contract.UserCreateSchema().load(body)
        return call.run(
            lambda work: administration.create_user(work, by=call.caller, now=self.dependencies.clock(), command=command),
            replay=lambda work, user_id: directory.read_user(work, user_id=user_id),
        )

    @rpc("access:user:change", subject="user_id", command=True)
    def change_user(self, call: CommandCall, user_id: str, body: dict[str, Any], if_match: str | None = None) -> answers.UserAnswer:
        """Change a user; a change of rights ends their sessions."""
        command = contract.UserChangeSchema().load(body)
        return self._administer(call, user_id, partial(administration.change_user, command=command, if_match=if_match))

    @rpc("access:user:approve", subject="user_id", command=True)
    def approve_user(self, call: CommandCall, user_id: str) -> answers.UserAnswer:
        """Approve a user for their present office."""
        return self._administer(call, user_id, administration.approve_user)

    @rpc("access:user:disapprove", subject="user_id", command=True)
    def withdraw_approval(self, call: CommandCall, user_id: str) -> answers.UserAnswer:
        """Withdraw the approval of a user's present office."""
        return self._administer(call, user_id, administration.withdraw_approval)

    @rpc("access:user:license", subject="user_id", command=True)
    def designate_license(self, call: CommandCall, user_id: str, body: dict[str, Any]) -> answers.UserAnswer:
        """Designate a license."""
        return self._administer(call, user_id, partial(administration.designate_license, command=contract.LicenseSchema().load(body)))

    @rpc("access:user:train", subject="user_id", command=True)
    def record_training(self, call: CommandCall, user_id: str, body: dict[str, Any]) -> answers.UserAnswer:
        """Record a training."""
        return self._administer(call, user_id, partial(administration.record_training, command=contract.TrainingSchema().load(body)))

    @rpc("access:user:rules-of-behavior", subject="user_id", command=True)
    def accept_rules_of_behavior(self, call: CommandCall, user_id: str, body: dict[str, Any]) -> answers.UserAnswer:
        """Record that a user accepted the rules of behavior."""
        command = contract.RulesOfBehaviorSchema().load(body)
        return self._administer(call, user_id, partial(administration.accept_rules_of_behavior, command=command))

    @rpc("access:component:change", command=True)
    def put_component(self, call: CommandCall, code: str, body: dict[str, Any]) -> answers.ComponentAnswer:
        """Create an office, or change one."""
        command = contract.ComponentChangeSchema().load(body)
        return call.run(
            lambda work: administration.put_component(work, by=call.caller, code=code, command=command),
            replay=lambda work, _: directory.read_component(work, code=code),
        )

    @timer(seconds=1, action="access:heartbeat:send", eager=True)
    def beat(self, caller: Caller) -> None:
        """Send the heartbeat, which names the sessions that ended."""
        self._beat(caller)

    @timer(seconds=15, action="access:session:sweep", eager=True)
    def sweep(self, caller: Caller) -> None:
        """End sessions that are over, suspend lapsed access, and sum up refusals."""
        now = self.dependencies.clock()
        with self.database.work(caller) as work:
            ended = sessions.sweep(work, now=now)
        with self.database.work(caller) as work:
            gateway_refusals.sum_up_refusals(work, now=now)
        after, suspended = None, 0
        while True:
            with self.database.work(caller) as work:
                changed, after = sessions.suspend_lapsed(work, now=now, after=after)
            suspended += len(changed)
            if after is None or is_asked_to_stop():
                break
        if ended or suspended:
            self._beat(caller)

    def _administer(self, call: CommandCall, user_id: str, act: Callable[..., answers.UserAnswer]) -> answers.UserAnswer:
        known = as_id(user_id, contract.UserUnknown)
        user = call.run(
            lambda work: act(work, by=call.caller, now=self.dependencies.clock(), user_id=known),
            replay=lambda work, _: directory.read_user(work, user_id=known),
        )
        self._beat(call.caller)
        return user

    def _beat(self, caller: Caller) -> None:
        """Send a heartbeat now. Without a broker it is left out, and services ask for each session."""
        now = self.dependencies.clock()
        with self.database.work(caller) as work:
            ended = sessions.recently_ended(work, now=now)
        try:
            self.bus.send_heartbeat(int(now.timestamp() * 1000), ended, POLICY_VERSION)
        except BrokerUnavailable:
            return


def _granted(outcome: Outcome | Refusal) -> Outcome:
    if isinstance(outcome, Refusal):
        raise outcome
    return outcome
