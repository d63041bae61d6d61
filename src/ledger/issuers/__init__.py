"""Who issues: an issuer's DID, profile and number in the registry."""
