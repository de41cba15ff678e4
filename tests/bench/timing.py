"""timing.py - how long a call takes."""
import gc
import time


def best(call, rounds):
    """Seconds of the least disturbed of several; what it returns is freed outside of that."""
    times = []
    for _ in range(rounds):
        gc.collect()
        start = time.perf_counter()
        result = call()
        times.append(time.perf_counter() - start)
        del result
    return min(times)
