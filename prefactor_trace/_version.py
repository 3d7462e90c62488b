"""The version of this distribution, which the CHANGELOG's newest entry also carries."""

__version__ = "0.1.0"

SDK = f"prefactor-trace@{__version__}"
"""How this library names itself to the service."""
