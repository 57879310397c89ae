"""The first wing: look at an environment and write down what is there.

`spec` says what a collector is, `context` what it may ask, `engine` runs all of them over one walk.
"""
