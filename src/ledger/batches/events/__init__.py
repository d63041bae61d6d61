"""What has come about and nobody was told of yet."""
