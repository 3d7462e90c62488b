"""Tests of the embedded Prefactor."""
