"""The roles grant the rights of the table, and no more. A test on a real cluster shows that all of them are used."""

import pytest
import yaml

from mill_kube.calls import Call
from mill_kube.resources import CLAIMS
from mill_kube.rights import SYSTEM_NAMESPACE
from mill_operator.rbac import ACCOUNT


def test_the_yaml_is_the_manifests() -> None:
    assert list(yaml.safe_load_all(ACCOUNT.render())) == ACCOUNT.manifests()


def test_an_operator_of_one_namespace_has_no_right_elsewhere_but_to_read_nodes() -> None:
    kinds = [(each["kind"], each["metadata"].get("namespace")) for each in ACCOUNT.manifests("shop")]
    assert [each for each in kinds if each[0].endswith(("Role", "RoleBinding"))] == [
        ("Role", "shop"),
        ("RoleBinding", "shop"),
        ("ClusterRole", None),
        ("ClusterRoleBinding", None),
        ("Role", SYSTEM_NAMESPACE),
        ("RoleBinding", SYSTEM_NAMESPACE),
    ]
    (cluster_wide,) = (each for each in ACCOUNT.manifests("shop") if each["kind"] == "ClusterRole")
    assert cluster_wide["rules"] == [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["get", "list"]}]


@pytest.mark.parametrize("right", ACCOUNT.rights, ids=str)
def test_no_right_is_a_wildcard_or_about_secrets(right) -> None:
    rule = right.rule()
    assert "*" not in str(rule)
    assert rule["resources"] != ["secrets"]
    assert right.why


def test_no_right_is_given_twice() -> None:
    given = [call for right in ACCOUNT.rights for call in right.calls()]
    assert len(given) == len(set(given))


def test_data_is_never_deleted() -> None:
    assert Call("delete", CLAIMS) not in [call for right in ACCOUNT.rights for call in right.calls()]
