"""`python cli.py …` from a bare clone: the same program as `fishembed`."""

from fishembed.cli import main

main()
