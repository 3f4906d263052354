"""Pod templates: what changes them, their environment, commands and arguments."""

import pytest

from mill_api.environment import container_texts
from mill_api.spec import Service
from mill_operator.core.objects.desired import with_template
from tests.support.rendered import DB, make, one, template, web


def test_the_template_of_another_version_changes_the_hash_and_nothing_else():
    deployment = one(make(web()), "Deployment")
    other = with_template(deployment, {"metadata": {"labels": {}}, "spec": {}})
    assert other.body["spec"] == {**deployment.body["spec"], "template": {"metadata": {"labels": {}}, "spec": {}}}
    assert other.child.applied != deployment.child.applied
    assert other.body["metadata"]["annotations"] == {"mill.dev/applied": other.child.applied}


class TestTemplate:
    def test_replicas_and_routes_do_not_change_the_template(self):
        plain = template(port=8080)
        assert template(port=8080, replicas=3) == plain
        assert template(port=8080, routes=[{"host": "www.example.com"}]) == plain

    @pytest.mark.parametrize(
        "change",
        [
            {"image": "web:3"},
            {"port": 8080},
            {"cpu": "1"},
            {"memory": "1G"},
            {"command": ["x"]},
            {"env": {"A": "1"}},
            {"volumes": [{"name": "a", "path": "/a", "ephemeral": True}]},
        ],
        ids=lambda change: next(iter(change)),
    )
    def test_everything_that_a_container_gets_changes_the_template(self, change):
        assert template(**change) != template()

    def test_the_order_of_the_environment_counts_since_kubernetes_keeps_it(self):
        """A variable can name only those before it. The API server sends maps sorted, so that order is stable."""
        assert template(env={"A": "1", "B": "2"}) != template(env={"B": "2", "A": "1"})

    def test_other_services_count_only_by_a_referenced_address(self):
        alone = make(web()).services[0].template
        assert template() == alone
        other = make({**DB, "port": 5433}, web(env={"DB": "${service.db.address}"})).services[1].template
        assert other != template(env={"DB": "${service.db.address}"})

    def test_a_restart_changes_the_template_of_that_service_alone(self):
        before, after = make(DB, web()).services, make(DB, web(), restarts={"web": "1"}).services
        assert before[0].template == after[0].template
        assert before[1].template != after[1].template

    def test_its_hash_is_the_label_of_the_pods(self):
        made = make(web())
        labels = one(made, "Deployment").body["spec"]["template"]["metadata"]["labels"]
        assert labels["mill.dev/template"] == made.services[0].template


class TestEnvironment:
    def test_an_own_variable_never_meets_a_helper_s_name(self):
        env = {"MILL_SECRET_1": "mine", "URL": "x${secret(a)}y${secret(b)}"}
        entries = container_texts(Service(name="web", image="a", env=env), namespace="shop", endpoints={})["env"]
        names = [each["name"] for each in entries]
        assert len(set(names)) == len(names)
        values = {each["name"]: each.get("value") for each in entries}
        assert values == {
            "MILL_SECRET_1": "mine",
            "MILL_SECRET_2": None,
            "MILL_SECRET_3": None,
            "URL": "x$(MILL_SECRET_2)y$(MILL_SECRET_3)",
        }

    def test_a_secret_precedes_the_variables_that_refer_to_it(self):
        service = Service(name="web", image="a", env={"URL": "x${secret(a)}"})
        names = [each["name"] for each in container_texts(service, namespace="shop", endpoints={})["env"]]
        assert names == ["MILL_SECRET_1", "URL"]

    def test_the_declared_port_wins_over_a_variable_of_its_name(self):
        body = one(make(web(port=8080, env={"PORT": "1"})), "Deployment").body
        assert body["spec"]["template"]["spec"]["containers"][0]["env"] == [{"name": "PORT", "value": "8080"}]


class TestCommandsAndArguments:
    OTHERS = (
        {"name": "db", "image": "db:1", "port": 5432},
        web(name="shop", port=80, routes=[{"host": "*.example.com"}, {"host": "example.com", "path": "/shop/"}]),
    )

    def container(self, **fields):
        made = make({"name": "app", "image": "app:1", **fields}, *self.OTHERS)
        (container,) = one(made, "Deployment", "app").body["spec"]["template"]["spec"]["containers"]
        return container

    def test_arguments_keep_the_entry_point(self):
        container = self.container(args=["worker", "$(HOME) ${HOME}"])
        assert "command" not in container
        assert container["args"] == ["worker", "$$(HOME) $${HOME}"]

    @pytest.mark.parametrize("field", ["command", "args"])
    @pytest.mark.parametrize(
        ("word", "expected"),
        [
            ("${service.db.address}", "db.shop.svc:5432"),
            ("tcp://${service.db.host}/${service.db.port}", "tcp://db.shop.svc/5432"),
            ("${service.shop.url}/x", "https://example.com/shop/x"),
            ("echo ${HOME} $HOME", "echo $${HOME} $$HOME"),
            ("$${service.db.host}", "$${service.db.host}"),
            ("$$${secret(a)}", "$$$${secret(a)}"),
            ("${service.db.name} ${secret()}", "$${service.db.name} $${secret()}"),
        ],
    )
    def test_only_what_is_exactly_a_reference_is_one(self, field, word, expected):
        assert self.container(**{field: [word]})[field] == [expected]

    def test_a_reference_to_no_service_is_text_in_a_command_as_it_always_was(self):
        assert self.container(command=["${service.none.host}"])["command"] == ["$${service.none.host}"]
        assert self.container(command=["${service.db.url}"])["command"] == ["$${service.db.url}"]

    def test_a_secret_in_arguments_is_put_in_by_kubernetes(self):
        container = self.container(env={"A": "x${secret(a)}"}, args=["--a=${secret(a)}", "${secret(b)}"])
        assert container["args"] == ["--a=$(MILL_SECRET_1)", "$(MILL_SECRET_2)"]
        assert [each["name"] for each in container["env"]] == ["MILL_SECRET_1", "MILL_SECRET_2", "A"]
        keys = [each["valueFrom"]["secretKeyRef"]["key"] for each in container["env"][:2]]
        assert keys == ["a", "b"]
