"""Where automatic differentiation gives a wrong derivative or none, and a formula derived by hand gives the right one.

``python -m tests.autodiff.pitfalls [--markdown FILE] [--json FILE]`` runs every example anew with the releases that are
installed, says beside each what refdeconv gives and what is true, and where a framework is right it says so as well.

`examples` holds the points and what each framework was found to give there, `definitions` what is true, `in_*` the same
functions in each framework, as a user would write them; `failures` has what does not fit there, each a program of its
own, and `memory` measures what one gradient needs.
"""
