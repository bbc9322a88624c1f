"""`python -m fishembed`: the same program as `fishembed`."""

from fishembed.cli import main

if __name__ == "__main__":
    main()
