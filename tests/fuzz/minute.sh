#!/bin/sh
# A minute of the state machine against a peer that knows its numbers, the same each time
# as far as the machine goes; for an hour, as chance wants:
# tests/fuzz/run 3600 peer tcp
SEED=1 exec tests/fuzz/run 60 peer
