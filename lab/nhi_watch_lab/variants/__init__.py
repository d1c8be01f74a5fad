"""Further layers of the worlds, a package for each generator; the generators themselves are frozen.

Each package has a function for each variant (`unsteady`, `first`, `brief`, `short`): seed → names of people, and the
incidents that begin on a day with the day's records, day after day.
"""
