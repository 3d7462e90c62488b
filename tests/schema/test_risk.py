"""The risk of a span type, in one line."""

from typing import Any

import pytest

from prefactor_trace import Risk
from prefactor_trace._schema import read_risk
from prefactor_trace.exceptions import UsageError
from prefactor_trace.models import ActionProfile, DataCategories, DataRisk


def test_what_is_said_is_in_the_model_and_the_rest_is_unknown():
    """The words are the platform's own."""
    risk = Risk(
        financial_transactions="allowed",
        params=["personal_identifiers"],
        result={"health_and_medical": "excluded"},
        classification="confidential",
    )
    assert risk.model == DataRisk(
        action_profile=ActionProfile(financial_transactions="allowed"),
        params_data_categories=DataCategories(
            personal_identifiers="included", classification="confidential"
        ),
        result_data_categories=DataCategories(
            health_and_medical="excluded", classification="confidential"
        ),
    )


def test_payload_and_result_may_have_a_classification_each():
    """It is one of the words of a mapping."""
    risk = Risk(params={"classification": "secret"}, classification="public").model
    assert risk.params_data_categories.classification == "secret"
    assert risk.result_data_categories.classification == "public"


@pytest.mark.parametrize(
    ("preset", "allowed"),
    [
        ("read", {"read_data"}),
        ("write", {"create_data", "read_data", "update_data"}),
        ("search", {"read_data", "external_communication"}),
        ("send", {"external_communication"}),
        ("pay", {"create_data", "financial_transactions", "external_communication"}),
    ],
)
def test_a_preset_says_something_of_every_action(preset: str, allowed: set[str]):
    """What a common tool does is allowed, the rest is not; more may be said."""
    actions = getattr(Risk, preset)().model.action_profile.model_dump()
    assert {name for name, word in actions.items() if word == "allowed"} == allowed
    assert set(actions.values()) == {"allowed", "disallowed"}
    more = getattr(Risk, preset)(destroy_data="allowed", params=["minors_data"]).model
    assert more.action_profile.destroy_data == "allowed"
    assert more.params_data_categories.minors_data == "included"


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"read_dta": "allowed"}, "'read_dta' is no action .*; did you mean 'read_data'"),
        ({"params": ["personal_identifier"]}, "did you mean 'personal_identifiers'"),
        ({"result": {"minor_data": "included"}}, "result_data_categories.* mean 'minors_data'"),
        ({"read_data": "alowed"}, "did you mean 'allowed'"),
        ({"params": {"minors_data": "include"}}, "did you mean 'included'"),
        ({"classification": "secrets"}, "did you mean 'secret'"),
        ({"classification": 7}, "classification"),
        ({"params": "minors_data"}, r"takes names of kinds of data such as \['personal"),
        ({"result": 7}, "takes names of kinds of data"),
        ({"params": [7]}, "7"),
    ],
)
def test_an_unknown_word_is_refused_with_the_nearest_one(wrong: dict[str, Any], told: str):
    """In one line."""
    with pytest.raises(UsageError, match=told) as caught:
        Risk(**wrong)
    assert "\n" not in str(caught.value)


def test_a_mapping_or_a_model_does_as_well():
    """Parts of a mapping that are not said are unknown."""
    same = {"action_profile": {"read_data": "allowed"}}
    model = Risk(read_data="allowed").model
    assert read_risk(same) == read_risk(model) == read_risk(Risk(read_data="allowed")) == model
    assert read_risk(None) is None
    with pytest.raises(UsageError, match="did you mean 'action_profile'"):
        read_risk({"action_profil": {}})
    with pytest.raises(UsageError, match="must be a Risk"):
        read_risk(7)  # type: ignore[arg-type]


def test_risks_that_say_the_same_are_equal():
    """And are shown without what is unknown."""
    assert Risk.read() == Risk.read()
    assert len({Risk.read(), Risk.read(), Risk.pay()}) == 2
    assert Risk.read() != 7
    assert repr(Risk(read_data="allowed")) == "Risk(action_profile={'read_data': 'allowed'})"


def test_a_risk_travels_with_its_span_type(tracer):
    """That of an instance stands in where none is said."""
    t = tracer()

    @t.span("refund", risk=Risk.pay())
    def refund(): ...

    with t.instance(risk=Risk(read_data="allowed")), t.span("other"):
        refund()
    with t.instance():
        refund()
    for register, other in zip(t.items("register"), ("allowed", None), strict=True):
        types = register["agent_schema_version"]["span_type_schemas"]
        found = {one["name"]: one.get("data_risk") for one in types}
        assert found["refund"]["action_profile"]["financial_transactions"] == "allowed"
        assert (found["other"] and found["other"]["action_profile"]["read_data"]) == other
