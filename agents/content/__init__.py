"""What a version of each registry holds: typed, frozen values, and the one place that says what is valid."""
