"""How fast ltpkit is and how much memory it takes, each number beside its goal.

    python -m benchmarks                    # all, in less than five minutes
    python -m benchmarks path latency       # some
    python -m benchmarks memory --minutes 10

A case is a module with a `run` that returns `Result` rows. Each case has an interpreter of its own, so
that none inherits another's memory. What is compared is measured in turns within one run (A B A B),
because a shared machine is faster in one minute than in the next; ratios last, seconds do not.
"""
