"""Quantities, against the kubernetes package's own reader."""

from __future__ import annotations

from fractions import Fraction

import pytest
from kubernetes.utils.quantity import parse_quantity

from kubectl_litefs.model.quantity import quantity


@pytest.mark.parametrize("text", ["0", "1", "1Gi", "50Gi", "1500M", "1500m", "1.5Ti", ".5Gi", "1e3", "1E3", "12E", "100Ki", "3n", "7u", "1e-3"])
def test_the_value_is_kubernetes_own(text: str) -> None:
    assert quantity(text) == Fraction(parse_quantity(text))


@pytest.mark.parametrize("text", ["", "x", "1K", "1 Gi", "1GiB", "--1", "1e99999", None, True, [], "٣"])
def test_what_the_api_refuses_is_no_quantity(text: object) -> None:
    assert quantity(text) is None


def test_a_number_is_taken() -> None:
    assert quantity(5) == 5
