"""Every call of the API with a token of every scope, of every role: a token takes away from what
its owner may do, and never adds to it.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from teams.models import User
from teams.roles import Action, Level, Reach
from teams.services import tokens
from tests import test_permissions
from tests.addresses import CASES, ROLES, Case
from tests.test_permissions import PAGES, asked

world = test_permissions.world
CALLS = [case for case in CASES if case not in PAGES and case.name != "api-docs"]
# What each call does, where it is not to look (GET) or to administer (all others).
NEEDS = {
    "GET api-cluster-manifest": Action.ADMIN,
    "GET api-effects": Action.ADMIN,
    "GET api-team-tokens": Action.ADMIN,
    "GET api-audit-transcript": Action.ADMIN,
    **{f"GET api-audit{what}": Action.ADMIN for what in ("", "-event", "-csv", "-json")},
    **{f"GET api-identity{what}": Action.ADMIN for what in ("", "-manifest")},
    "POST api-charts": Action.OPERATE,
    "POST api-releases": Action.OPERATE,
    "DELETE api-release": Action.OPERATE,
    "POST api-operation-cancel": Action.OPERATE,
    "POST api-object-actions": Action.OPERATE,
    "POST api-actions": Action.OPERATE,
    "GET api-object-edit": Action.OPERATE,
    "PUT api-object-edit": Action.OPERATE,
    "POST api-apply": Action.OPERATE,
    "GET api-object-logs": Action.OPERATE,
}


def needed(case: Case) -> Action:
    return NEEDS.get(str(case), Action.VIEW if case.method == "GET" else Action.ADMIN)


def bearer(user: User, reach: Reach) -> str:
    return "Bearer " + tokens.make(user, tokens.Wanted(timedelta(days=1), reach=reach), by=None)[1]


def status(case: Case, world: dict[str, Any], role: str, reach: Reach) -> int:
    with transaction.atomic():
        header = bearer(world[role], reach)
        nobody = {**world, role: None}  # only the token says who asks
        answer = asked(case, nobody, role, authorization=header)
        transaction.set_rollback(True)
    return int(answer.status_code)


@pytest.mark.parametrize("case", CALLS, ids=str)
def test_each_scope_gets_its_answer(case: Case, world: dict[str, Any]) -> None:
    by_session = dict(zip(ROLES, map(int, case.answers.split()), strict=True))
    for role in ROLES[1:]:
        for level in Level:
            # Who administers the cluster sees grants of foreign teams, without that does not.
            unseen = (by_session[role] == 404 and case.key not in {"event", "shell"}) or (
                case.key == "grant" and role == "owner"
            )
            refused = 404 if unseen else 403
            allowed = needed(case) in level.actions
            wanted = by_session[role] if allowed else refused
            assert status(case, world, role, Reach(level)) == wanted, (role, level)


PROD_ONLY = [case for case in CALLS if case.key in {"prod", "operation", "release", "grant"}]


@pytest.mark.parametrize("case", PROD_ONLY, ids=str)
def test_a_token_for_another_cluster_finds_nothing(
    case: Case, world: dict[str, Any], other: Any
) -> None:
    for role in ROLES[1:]:
        assert status(case, world, role, Reach(only=frozenset({other.pk}))) == 404, role
        # Of a cluster alone: as its owner there, but what belongs to teams is not there.
        by_session = dict(zip(ROLES, map(int, case.answers.split()), strict=True))[role]
        wanted = 404 if case.key == "grant" and by_session == 403 else by_session
        only_prod = Reach(only=frozenset({world["prod"].pk}))
        assert status(case, world, role, only_prod) == wanted, role


def test_a_token_for_a_cluster_does_nothing_beside_it(world: dict[str, Any]) -> None:
    """What belongs to no cluster needs a token for all of them."""
    reach = Reach(only=frozenset({world["prod"].pk}))
    for case in CALLS:
        if case.key.split()[:1] == ["team"]:
            assert status(case, world, "admin", reach) == 404, case
        if str(case) in {"POST api-clusters", "POST api-teams", "GET api-cluster-manifest"}:
            assert status(case, world, "admin", reach) == 403, case


def test_a_token_is_for_the_api_and_the_sockets_only(world: dict[str, Any]) -> None:
    client = Client(headers={"authorization": bearer(world["admin"], Reach())})
    assert client.get("/").status_code == 302
    assert client.get("/admin/").status_code == 302
