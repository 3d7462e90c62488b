"""Tests of rendering templates."""

import json

import pytest

from prefactor_trace._capture import serialise
from prefactor_trace._liquid import MAX_SUMMARY, render

FIELDS = {
    "model": "m-1",
    "n": 3,
    "none": None,
    "no": False,
    "empty": "",
    "user": {"name": "Ada", "tags": ["a", "b"]},
}


@pytest.mark.parametrize(
    ("template", "summary"),
    [
        ("plain", "plain"),
        ("{{ model }} x{{n}}", "m-1 x3"),
        ("{{- model -}}", "m-1"),
        ("{{ user.name }} {{ user.tags[1] }} {{ user.tags.0 }} {{ user.tags.size }}", "Ada b a 2"),
        ("{{ user.tags }}", '["a","b"]'),
        ("a {{ missing }} b {{ model.deeper }} {{ user.tags[9] }}", "a b"),
        ("{{ missing | default: 'x' }} {{ no | default: 4 }} {{ n | default: 4 }}", "x 4 3"),
        ("{% if model %}yes{% else %}no{% endif %}", "yes"),
        ("{% if none %}yes{% else %}no{% endif %}", "no"),
        ("{% if empty %}Liquid says so{% endif %}", "Liquid says so"),
        ("{% unless no %}yes{% endunless %}", "yes"),
        ("{% if n == 2 %}two{% elsif n == 3 %}three{% else %}many{% endif %}", "three"),
        ("{% if model != 'm-1' %}a{% else %}b{% endif %}", "b"),
        ("{% if model %}{% if no %}x{% else %}y{% endif %}{% endif %}", "y"),
        ("two\n  lines", "two lines"),
    ],
)
def test_render(template, summary):
    """What is known of Liquid is rendered as Liquid does, on one line."""
    assert render(template, FIELDS) == summary


@pytest.mark.parametrize(
    "template",
    [
        None,
        "",
        "{{ model | upcase }}",
        "{{ 1 + 1 }}",
        "{% for a in user.tags %}x{% endfor %}",
        "{% if model %}open",
        "{% endif %}",
        "{% else %}",
        "{% if n > 2 %}x{% endif %}",
    ],
)
def test_what_is_not_known_has_no_summary(template):
    """A template with anything else has no summary rather than a wrong one."""
    assert render(template, FIELDS) is None


def test_the_result_wins_over_the_payload():
    """A field of a later mapping stands before the same of an earlier one."""
    assert render("{{ a }}{{ b }}", {"a": 1, "b": 2}, {"b": 3}) == "13"
    assert render("{{ a }}", {"a": 1}, None) == "1"


def test_a_summary_has_a_limit():
    """A huge field does not become a huge summary."""
    assert len(render("{{ a }}", {"a": "x" * 10_000})) == MAX_SUMMARY


@pytest.mark.parametrize(
    ("value", "template", "summary"),
    [
        ("Once upon " * 900, "read: {{ a }}", "read: Once upon Once upon Once upon On…"),
        ("Once upon " * 900, "{{ a.size }}", "9000"),
        ([*"abc"] * 300, "{{ a }}", '["a","b","…","b","c"]'),
        (["ab"] * 900, "{{ a.size }}", "900"),
        (list(range(900)), "{{ a[0] }} {{ a[450] }}, {{ a[899] }}", "0 , 899"),
        ({"b": ["x" * 900]}, "{{ a }}", '{"b":["' + "x" * 32 + '…"]}'),
    ],
)
def test_what_was_cut_is_shown_by_its_beginning(value, template, summary):
    """The mark of a cut value is no text for a reader."""
    recorded = json.loads(serialise({"a": value, "more": "x" * 9_000}, 220))
    assert render(template, recorded) == summary
