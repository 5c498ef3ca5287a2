"""What agents do besides talking: tools are called once for each call of a turn, and answer in one shape."""
