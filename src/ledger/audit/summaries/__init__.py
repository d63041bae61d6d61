"""What the last audit said of each issuer, kept for the HTTP service."""
