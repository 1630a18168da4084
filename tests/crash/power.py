"""Cuts of the power, for tests that kill a server: see power.c.

A disk keeps what was synced.  Of what was not, it may have written any sector, or an older
state of it, or none, in any order.
"""
import os
import pathlib
import struct

SECTOR = 512
RECORD = struct.Struct('=IIQQQ')
WRITE, DURABLE = 1, 2


class Power:
    """The disk below one store."""

    def __init__(self, build, folder, lies=False):
        self.library = pathlib.Path(build) / 'tests/crash/libpower.so'
        self.file = pathlib.Path(folder) / 'store/data.mdb'
        self.log = pathlib.Path(folder) / 'power.log'
        self.lies = lies
        self.n_cuts = self.n_forgotten = 0

    def env(self):
        """For the server."""
        return {**os.environ, 'LD_PRELOAD': str(self.library),
                'POWER_FILE': str(self.file), 'POWER_LOG': str(self.log),
                **({'POWER_LIES': '1'} if self.lies else {})}

    def fail_or_keep(self, rng, cuts=0.5):
        """The server is dead.  @cuts: how probable it is that the machine is, too; if it
        lives, the kernel writes all."""
        if rng.random() < cuts:
            self.cut(rng)
        self.log.unlink(missing_ok=True)

    def _states(self):
        """Of each sector that is not synced its states, the oldest first, without the one
        that it has now: how many writes there had been before, and the octets.  And the
        file's size before all that."""
        states, size, n, raw = {}, None, 0, self.log.read_bytes()
        at = 0
        while at + RECORD.size <= len(raw):
            kind, _, start, length, before = RECORD.unpack_from(raw, at)
            at += RECORD.size
            sectors = range(start // SECTOR, (start + length) // SECTOR)
            if kind == DURABLE:
                for sector in sectors:
                    states.pop(sector, None)
                continue
            if at + length > len(raw):
                break   # killed while it was noted: it was not written
            size = before if size is None else size
            for i, sector in enumerate(sectors):
                old = raw[at + i * SECTOR:at + (i + 1) * SECTOR]
                states.setdefault(sector, []).append((n, old))
            at += length
            n += 1
        return states, size, n

    def cut(self, rng):
        """The server is dead, and so is the machine."""
        self.n_cuts += 1
        if not self.log.exists():
            return
        states, size, n_writes = self._states()
        if not states:
            return
        # All is lost; what came later is; some sectors are; any state of any sector is there.
        how = rng.choice(['all', 'later', 'some', 'any'])
        kept = rng.randrange(n_writes + 1)
        with open(self.file, 'r+b') as file:
            for sector, olds in states.items():
                if how == 'all':
                    back = olds[0]
                elif how == 'later':
                    back = next((old for old in olds if old[0] >= kept), None)
                elif how == 'some':
                    back = olds[0] if rng.random() < 0.2 else None
                else:
                    back = rng.choice(olds + [None])
                if back:
                    file.seek(sector * SECTOR)
                    file.write(back[1])
                    self.n_forgotten += 1
            if how == 'all':
                file.truncate(size)
            os.fsync(file.fileno())
