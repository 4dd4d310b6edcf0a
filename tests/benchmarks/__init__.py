"""How fast it is: ``python -m tests.benchmarks`` (``--quick`` for a part of it in two minutes).

Each implementation runs in a process of its own; they take turns, so that all see the same state of the machine, and
what is stated are medians with their spread. An implementation that is not installed is left out, and named.

- `evaluations`: value with gradient, and Hessian products, of two objectives, in all sizes and precisions, beside the
  FFT pairs alone
- `article_solves`, `photon_solves`: the article's problem to the same gradient norm; photon counts to a share of the
  gap to the optimum
- `memory`, `imports`: what a gradient, a product and a large solve take of it; import time
- `article_solve`: the article's solve against its Autograd program, alone (quicker)
- `convolution_ways`, `photon_ideas`: what decided between ways to convolve, and what was tried to solve faster
"""
