"""The closed sets of words, against their document and the official client."""

from typing import get_args

import pytest

from prefactor_trace import models
from prefactor_trace.models import types

from .documented import CLASSES, INDEX, differences, meant


def test_differs_from_the_document_only_where_meant():
    """The module stands in the index and defines no class."""
    assert "types" in INDEX
    assert differences(types) == meant(types)


def test_a_status_is_a_documented_one_or_terminated():
    """Instances and spans share their statuses; the platform's own came later."""
    for name in ("AgentInstance", "AgentSpan"):
        signature = CLASSES[name].signature
        words = signature.partition("status: Literal[")[2].partition("]")[0]
        documented = {word.strip(" '") for word in words.split(",")}
        assert set(get_args(models.AgentStatus)) == documented | {"terminated"}


def test_a_finish_status_is_a_documented_one():
    """What a client may finish with is what `FinishInstanceRequest` documents."""
    words = CLASSES["FinishInstanceRequest"].signature.partition("[")[2].partition("]")[0]
    assert set(get_args(models.FinishStatus)) == {word.strip(" '") for word in words.split(",")}


def test_a_purpose_is_one_of_the_service_s():
    """The service knows three reasons why an instance runs."""
    assert set(get_args(models.InstancePurpose)) == {"live", "smoke_test", "eval"}


@pytest.mark.parametrize("name", ["AgentStatus", "FinishStatus", "InstancePurpose"])
def test_the_official_client_has_the_same_words(name: str):
    """Each set of words equals the one of the official client."""
    theirs = pytest.importorskip("prefactor_http.models.types")
    assert set(get_args(getattr(models, name))) == set(get_args(getattr(theirs, name)))
