"""A template that leaves something open."""

import pytest

from prefactor_trace._schema.balance import template_fault


@pytest.mark.parametrize(
    "template",
    [
        "",
        "plain",
        "{{ a }}{{- b -}}{{ }}",
        '{"a": {"b": {{ c }}}}',
        "}} %}",
        '{{ "{{" }}',
        "{% if a %}x{% elsif b %}y{% else %}z{% endif %}",
        "{%- unless a -%}x{%- endunless -%}",
        "{% for a in b %}{% if a %}x{% endif %}{% else %}none{% endfor %}",
        "{% case a %}{% when 1 %}x{% endcase %}",
        "{% raw %}{{ a {% if %}{% endraw %}",
        "{% comment %}{% if a %}{%- endcomment -%}",
        "{% assign a = 1 %}{% liquid if a %}",
        "{% ours %}{% else %}{% endours %}",
    ],
)
def test_what_is_closed_is_well(template):
    """Whatever stands in it, which the service may understand."""
    assert template_fault(template) is None


@pytest.mark.parametrize(
    ("template", "told"),
    [
        ("a {{ b", "has '{{ b', of which the '{{' lacks its '}}'"),
        ("{{ a }", "has '{{ a }', of which the '{{' lacks its '}}'"),
        ("{{ a {{ b }}", "has '{{ a {{ b }}', of which the '{{' lacks its '}}'"),
        ("{% if a }x", "has '{% if a }x', of which the '{%' lacks its '%}'"),
        ("{% if a %}x", "has '{% if a %}' without a '{% endif %}' for it"),
        ("{% for a in b %}x{% endif %}", "has '{% for a in b %}' without a '{% endfor %}' for it"),
        ("{% raw %}x", "has '{% raw %}' without a '{% endraw %}' for it"),
        ("x{% endif %}", "has '{% endif %}', which closes nothing"),
        ("{% else %}", "has '{% else %}' outside of any block"),
        ("{{ " + "a" * 99, "has '{{ " + "a" * 37 + "…', of which the '{{' lacks its '}}'"),
    ],
)
def test_what_is_open_is_shown(template, told):
    """With what it lacks."""
    assert template_fault(template) == told
