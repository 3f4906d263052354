"""What `mill deploy` shows before it changes anything, when it asks, and what it refuses."""

import json

import pytest

from tests.cli.conftest import Mill
from tests.cli.example_files import AS_MILL
from tests.cli.fake_gateway import Answer, FakeGateway, as_json, refusal, rollout
from tests.cli.plans import BASE, DEPLOYED, DONE, OUTDATED, PLAN, REMOVAL, REMOVAL_LINES, SAME
from tests.cli.seed import EVENTS, LINES, SEED

CHANGE_LINES = """\
plan for shop/mill: 1 added, 1 changed, 1 removed, 1 unchanged
  + service new
  ~ service broken: image web:1 → web:�[31m2, env.A, health
  - task migrate
"""
RENAMED = PLAN | {
    "services": [
        {"name": "backend", "change": "added", "fields": []},
        {"name": "api", "change": "removed", "fields": []},
    ],
    "tasks": [],
    "renamed": [{"before": "api", "after": "backend"}],
    "base": BASE,
}
RENAMED_LINE = "service api becomes backend: its address api goes, and others reach it as backend"
NEW = PLAN | {"created": True, "services": PLAN["services"][1:2], "tasks": [], "base": "new"}


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_the_plan_is_on_standard_error_and_the_deploy_requires_it(
    mill: Mill, gateway: FakeGateway, options: list[str]
) -> None:
    gateway.plans(as_json(PLAN | {"base": BASE}))
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    done = mill("deploy", "-f", mill.file(SEED), *options)
    assert (done.stderr, done.code) == (CHANGE_LINES, 1)
    assert done.stdout == LINES or options
    details = {} if options else {"detail": "full"}
    assert [each.request for each in gateway.planned] == [("POST", "/v1/deploy/plan", {})]
    assert gateway.planned[0].body == SEED.encode()
    assert [(each.query, each.body) for each in gateway.asked] == [({"base": BASE} | details, SEED.encode())]


@pytest.mark.parametrize(
    ("plan", "lines"),
    [(SAME, "plan for shop/mill: no changes\n"), (NEW, "plan for shop/mill (new): 1 added\n  + service new\n")],
)
def test_the_plan_of_nothing_and_of_something_new(
    mill: Mill, gateway: FakeGateway, plan: dict[str, object], lines: str
) -> None:
    gateway.plans(as_json(plan))
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    done = mill("deploy", mill.file(AS_MILL))
    assert (done.stdout, done.stderr, done.code) == (DEPLOYED, lines, 0)


def test_quiet_hides_the_plan(mill: Mill, gateway: FakeGateway) -> None:
    gateway.plans(as_json(REMOVAL))
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    done = mill("deploy", mill.file(AS_MILL), "--quiet")
    assert (done.stdout, done.stderr, done.code) == (DEPLOYED, "", 0)
    assert [each.query for each in gateway.asked] == [{"base": BASE}]


def test_nothing_is_asked_without_a_terminal(mill: Mill, gateway: FakeGateway) -> None:
    gateway.plans(as_json(REMOVAL))
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    for arguments, stdin in (([mill.file(AS_MILL)], None), (["-"], AS_MILL)):
        done = mill("deploy", *arguments, stdin=stdin)
        assert (done.stdout, done.stderr, done.code) == (DEPLOYED, REMOVAL_LINES, 0)


def test_many_changes_are_counted(mill: Mill, gateway: FakeGateway) -> None:
    services = [{"name": f"s{at}", "change": "added", "fields": []} for at in range(40)]
    fields = [{"path": f"env.A{at}", "before": None, "after": "x"} for at in range(8)]
    services += [{"name": "web", "change": "changed", "fields": fields}]
    gateway.plans(as_json(PLAN | {"services": services, "tasks": []}))
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    lines = mill("deploy", mill.file(AS_MILL)).stderr.splitlines()
    assert lines[0] == "plan for shop/mill: 40 added, 1 changed"
    assert lines[20:] == [
        "  + service s19",
        "  + and 20 more added",
        "  ~ service web: env.A0, env.A1, env.A2, env.A3, env.A4, 3 more",
    ]


@pytest.mark.parametrize(
    "answer",
    [
        refusal(404, "no such path", code="path_not_found"),
        Answer(404, {}, (b"404 page not found",)),
        refusal(405, "method POST not allowed", code="method_not_allowed"),
        refusal(400, "bad parameters: query.dryRun: unknown", code="invalid_parameters"),
        # The proxy of the API server, of a gateway of release 0.1.0.
        as_json({"kind": "Status", "code": 400, "message": "dryRun is not supported"}, status=400),
        as_json(["not a plan"]),
        as_json({"namespace": "shop", "name": 5}),
    ],
)
def test_a_gateway_without_plans_deploys_without_one(mill: Mill, gateway: FakeGateway, answer: Answer) -> None:
    gateway.plans(answer)
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    done = mill("deploy", mill.file(AS_MILL))
    assert (done.stdout, done.stderr, done.code) == (DEPLOYED, "", 0)
    assert [each.query for each in gateway.asked] == [{"detail": "full"}]


def test_a_gateway_of_release_0_1_0_plans_by_a_parameter(mill: Mill, gateway: FakeGateway) -> None:
    gateway.plans(refusal(404, "no such path", code=None), as_json(PLAN))
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    done = mill("deploy", mill.file(AS_MILL))
    assert (done.stdout, done.code) == (DEPLOYED, 0)
    assert done.stderr.startswith("plan for ")
    asked = [("POST", "/v1/deploy/plan", {}), ("POST", "/v1/deploy", {"dryRun": "true"})]
    assert [each.request for each in gateway.planned] == asked


def test_a_renamed_service_loses_its_address(mill: Mill, gateway: FakeGateway) -> None:
    gateway.plans(as_json(RENAMED))
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    done = mill("deploy", mill.file(AS_MILL))
    plan = f"plan for shop/mill: 1 added, 1 removed\n  + service backend\n  - service api\n  {RENAMED_LINE}\n"
    assert (done.stderr, done.code) == (plan, 0)
    assert RENAMED_LINE in mill("diff", mill.file(AS_MILL)).stdout.splitlines()


def test_the_plan_says_which_tasks_run_in_the_rollout(mill: Mill, gateway: FakeGateway) -> None:
    tasks = [
        {"task": "migrate", "before": ["web", "worker"], "after": [], "runs": True, "reason": None},
        {"task": "seed", "before": ["web"], "after": [], "runs": True, "reason": "when run seed-1 has ended"},
        {"task": "index", "before": ["web"], "after": [], "runs": False, "reason": "it has succeeded for this version"},
        {"task": "warm-up", "before": [], "after": ["web"], "runs": True, "reason": None},
        {"task": 7, "runs": True},
    ]
    plan = PLAN | {"services": PLAN["services"][:1], "tasks": [], "base": BASE, "rollout_tasks": tasks}
    run = ["task migrate runs before web, worker", "task seed runs before web, when run seed-1 has ended"]
    last = "task warm-up runs after web"
    for changed, lines in ((True, [*run, "task index does not run: it has succeeded for this version", last]),
                           (False, [*run, last])):  # fmt: skip
        gateway.plans(as_json(plan | {"changed": changed}))
        gateway.answers("POST", "/v1/deploy", rollout(DONE))
        done = mill("deploy", mill.file(AS_MILL))
        assert (done.stderr.splitlines()[1:], done.code) == ([f"  {line}" for line in lines], 0)
        assert mill("diff", mill.file(AS_MILL)).stdout.splitlines()[-1 - len(lines) : -1] == lines


@pytest.mark.parametrize("code", ["not_permitted", None])
def test_who_may_not_read_what_is_deployed_sees_the_services_of_the_file(
    mill: Mill, gateway: FakeGateway, code: str | None
) -> None:
    gateway.plans(refusal(403, "jane may not get milldeployments", code=code))
    gateway.answers("POST", "/v1/deploy", rollout(*EVENTS))
    done = mill("deploy", mill.file(SEED), "-n", "shop")
    assert (done.stdout, done.code) == (LINES, 1)
    assert done.stderr == (
        "plan for shop/mill: services of the file: web, broken; "
        "what changes is unknown without the right to get the MillDeployment\n"
    )


@pytest.mark.parametrize(
    ("status", "code", "text"),
    [
        (409, "removes_all_services", "MillDeployment shop/mill has 1 service (web) and the file has none of them"),
        (409, "managed_by_gitops", "MillDeployment shop/mill is managed by the Argo CD application shop"),
        (409, "system_namespace", "the namespace kube-system is that of Kubernetes"),
        (400, "empty_mill_file", "the file has no service and no task"),
        (403, "namespace_not_served", "this gateway serves the namespace shop only"),
        (404, "namespace_not_found", 'namespaces "tour-none" not found'),
    ],
)
def test_a_refused_plan_is_a_refused_deploy(
    mill: Mill, gateway: FakeGateway, status: int, code: str, text: str
) -> None:
    gateway.plans(refusal(status, text, code=code))
    done = mill("deploy", mill.file(AS_MILL))
    assert (done.stdout, done.stderr, done.code) == ("", f"error: {text}\n", 1)
    assert gateway.asked == []


@pytest.mark.parametrize(
    ("status", "code", "summary", "hints"),
    [
        (
            409,
            "removes_all_services",
            "MillDeployment shop/mill has 1 service (web) and the file has none of them: its deploy would remove all",
            [
                "deploy the file of another application beside it, by a name of its own: --name NAME",
                (
                    "use --replace-all if it replaces everything that is deployed there, "
                    "as when the only service has a new name"
                ),
            ],
        ),
        (
            409,
            "system_namespace",
            "the namespace kube-system belongs to Kubernetes: nothing was changed",
            ["choose another namespace with --namespace; if this one is meant, use --system"],
        ),
        (
            400,
            "empty_mill_file",
            "the file has no service and no task: its deploy would remove everything that is deployed",
            ["check the file; if that is meant, use --allow-empty"],
        ),
    ],
)
def test_a_probable_accident_is_refused_with_the_option_by_which_it_is_meant(
    mill: Mill, gateway: FakeGateway, status: int, code: str, summary: str, hints: list[str]
) -> None:
    gateway.plans(refusal(status, f"{summary}; if that is meant, use `?x=true`", code=code, summary=summary))
    file = mill.file(AS_MILL)
    done = mill("deploy", file)
    assert (done.stdout, done.code) == ("", 1)
    assert done.stderr == "".join([f"error: {summary}\n", *(f"  help: {each}\n" for each in hints)])
    error = json.loads(mill("deploy", file, "--json").stderr.splitlines()[-1])
    assert (error["error"], error["code"], error["help"], "summary" in error) == (summary, code, hints, False)


def test_a_plan_that_does_not_hold_any_more_is_made_again(mill: Mill, gateway: FakeGateway) -> None:
    gateway.plans(as_json(SAME), as_json(REMOVAL | {"base": "8ffa93a4-0000.3"}))
    gateway.answers("POST", "/v1/deploy", OUTDATED, rollout(DONE))
    done = mill("deploy", mill.file(AS_MILL))
    note = "what is deployed has changed meanwhile; the plan is another one now:\n"
    assert (done.stdout, done.code) == (DEPLOYED, 0)
    assert done.stderr == "plan for shop/mill: no changes\n" + note + REMOVAL_LINES
    assert [each.query["base"] for each in gateway.asked] == [BASE, "8ffa93a4-0000.3"]


def test_a_plan_that_never_holds_is_given_up(mill: Mill, gateway: FakeGateway) -> None:
    gateway.plans(as_json(SAME))
    gateway.answers("POST", "/v1/deploy", OUTDATED)
    done = mill("deploy", mill.file(AS_MILL), "--quiet")
    assert (done.stdout, done.stderr, done.code) == ("", "error: MillDeployment shop/mill has changed\n", 1)
    assert len(gateway.asked) == len(gateway.planned) == 5


def test_the_options_are_told_to_the_gateway(mill: Mill, gateway: FakeGateway) -> None:
    gateway.answers("POST", "/v1/deploy", rollout(DONE))
    assert mill("deploy", mill.file(""), "--allow-empty", "--replace-all", "--system", "--force", "-y").code == 0
    query = {"allowEmpty": "true", "replaceAll": "true", "system": "true", "force": "true", "detail": "full"}
    assert [each.query for each in gateway.asked] == [query]
