"""Solvers of linear maps: quasi-Newton on all rows along a path of C, Adam on minibatches."""
