"""What an application needs: its roots, the edges that lead on from them, and their closure.

Nothing here runs a program: all evidence is in files, in the run configuration of the target, and
in the records of the lock.
"""
