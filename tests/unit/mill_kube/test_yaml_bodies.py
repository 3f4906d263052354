"""Bodies that are sent as YAML: a parser of YAML reads what was written."""

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mill_kube.connection import _as_yaml

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("text", ["<b>&amp;</b>", "é😀", "\x85\u2028\u2029\ufeff\x7f\x9f\uffff", '"\\\t\b\f\n: #', ""])
def test_texts_stay_as_they_are(text: str) -> None:
    assert yaml.safe_load(_as_yaml({"a": text})) == {"a": text}


@given(st.dictionaries(TEXTS, VALUES, max_size=4))
def test_all_that_is_json_stays_as_it_is(body: dict[str, Any]) -> None:
    assert yaml.safe_load(_as_yaml(body)) == body
