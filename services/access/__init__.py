"""Who may use the system, under which statements, and for how long.

*owns*: components, users with their licenses, approvals, trainings and rules of behavior, sessions,
acknowledgements, refusals at the gateway, integration accounts, and the key that signs passports.
*answers*: signing in and out, the acknowledgement, passports for sessions and services, the directory of components
and of employees, and its upkeep.
*announces*: UserChanged, ComponentChanged; and every second the heartbeat with ended sessions.
*listens to*: audit (checkpoints). Only access decides what ends a session.
"""
