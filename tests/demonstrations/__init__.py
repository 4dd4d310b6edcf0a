"""What the models are good for, on small problems with known answers; ``python -m tests.demonstrations`` draws them."""
