"""The HTTP service: issuers push, verifiers ask."""
