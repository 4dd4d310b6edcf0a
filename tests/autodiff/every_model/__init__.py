"""Every public model by its definition, differentiated by four autodiff frameworks, against refdeconv's formulas.

Each functional, linear operator, map, regulariser and ready-made problem is written once more, as its docstring defines
it and by direct summation: pixels are looked up in tables of integer indices, and there is no FFT, no adjoint and no
derivative. `namespaces` gives the few functions that definitions need in each framework, and the framework's own way to
gradients, Hessian-vector products, JVPs and VJPs.

``python -m tests.autodiff.every_model [--json FILE] [--markdown FILE]`` compares all of them and prints the table; with
``--only FRAMEWORK`` or ``--model MODEL`` some of them, and the files keep the other rows.
"""
