#!/bin/sh
# A minute of the state machine against a peer that knows its numbers; for an hour:
# tests/fuzz/run 3600 peer tcp
exec tests/fuzz/run 60 peer
