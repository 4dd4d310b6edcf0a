"""How fast it is: ``python -m tests.benchmarks`` (``--quick`` for a part of it in two minutes).

Each implementation runs in a process of its own; they take turns, so that all see the same state of the machine, and
what is stated are medians with their spread. An implementation that is not installed is left out, and named.

- `evaluations`: value with gradient, and Hessian products, of two objectives, in all sizes and precisions
- `whole_solves`: the article's problem to the same gradient norm; photon counts to a share of the gap to the optimum
- `floors`: peak memory of a gradient and of a product, import time, the FFT pairs alone
- `article_solve`: the article's solve against its Autograd program, alone (quicker)
"""
