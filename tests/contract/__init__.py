"""The official clients against the embedded Prefactor."""
