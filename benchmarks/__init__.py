"""Figures in one run: ours beside a floor that does only what cannot be avoided."""
