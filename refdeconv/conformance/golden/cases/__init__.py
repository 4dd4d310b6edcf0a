"""Where every model is evaluated: parameters, points and directions, fixed and away from the special ones."""
