// RFC 9293 §3.10.7.4, SEGMENT ARRIVES in the states after LISTEN and SYN-SENT: the eight steps, state by state.

import { describe, expect, test } from 'vitest';
import type { State } from '../../src/base/state.ts';
import { octets, Peer } from './peer.ts';
import { RECEIVING, STAGED, type Staged, SYNCHRONISED, stage } from './states.ts';

/** Stages a state; time passes, so that no rate limit of an earlier answer is in force. */
function at(state: State): { p: Peer; s: Staged; ack: string } {
  const p = new Peer();
  const s = stage(p, state);
  return { p, s, ack: `. ${s.nxt} ack=${s.rn}` };
}

/** What every state does with a segment, given the state's numbers: what is sent, and the state afterwards. */
interface Row {
  readonly what: string;
  readonly segment: (s: Staged) => string;
  readonly states: readonly State[];
  /** 'ack': one ACK of RCV.NXT; 'silence'; or a line. */
  readonly answer: 'ack' | 'silence' | ((s: Staged) => string);
}

const ROWS: readonly Row[] = [
  // first, check sequence number
  {
    what: 'text before the window',
    segment: (s) => `P. ${s.rn - 100}:50 ack=${s.nxt}`,
    states: SYNCHRONISED,
    answer: 'ack',
  },
  {
    what: 'text beyond the window',
    segment: (s) => `P. ${s.rn + 9_000_000}:50 ack=${s.nxt}`,
    states: STAGED,
    answer: 'ack',
  },
  {
    what: 'an empty segment before the window',
    segment: (s) => `. ${s.rn - 100} ack=${s.una}`,
    states: STAGED,
    answer: 'ack',
  },
  {
    what: 'an empty segment beyond the window',
    segment: (s) => `. ${s.rn + 9_000_000} ack=${s.una}`,
    states: STAGED,
    answer: 'ack',
  },
  {
    what: 'a keep-alive (SEG.SEQ = RCV.NXT-1)',
    segment: (s) => `. ${s.rn - 1} ack=${s.una}`,
    states: SYNCHRONISED,
    answer: 'ack',
  },
  { what: 'a RST beyond the window', segment: (s) => `R ${s.rn + 9_000_000}`, states: STAGED, answer: 'silence' },
  { what: 'a RST before the window', segment: (s) => `R ${s.rn - 1}`, states: STAGED, answer: 'silence' },
  // second, check the RST bit: in the window, not exact
  {
    what: 'a RST in the window that is not RCV.NXT',
    segment: (s) => `R ${s.rn + 1}`,
    states: STAGED.filter((x) => x !== 'TIME-WAIT'),
    answer: 'ack',
  },
  { what: 'any RST', segment: (s) => `R ${s.rn}`, states: ['TIME-WAIT'], answer: 'silence' },
  // fourth, check the SYN bit
  {
    what: 'a SYN in the window',
    segment: (s) => `S ${s.rn + 5}`,
    states: STAGED.filter((x) => x !== 'TIME-WAIT'),
    answer: 'ack',
  },
  { what: 'a SYN,ACK at RCV.NXT', segment: (s) => `S. ${s.rn} ack=${s.nxt}`, states: SYNCHRONISED, answer: 'ack' },
  { what: 'a SYN before the window', segment: (s) => `S ${s.rn - 500}`, states: STAGED, answer: 'ack' },
  // before any of the steps: both SYN and FIN
  {
    what: 'a segment with both SYN and FIN (trap 56)',
    segment: (s) => `SF. ${s.rn} ack=${s.nxt}`,
    states: STAGED,
    answer: 'silence',
  },
  // fifth, check the ACK field
  { what: 'text without ACK', segment: (s) => `P ${s.rn}:10`, states: STAGED, answer: 'silence' },
  { what: 'a FIN without ACK', segment: (s) => `F ${s.rn}`, states: STAGED, answer: 'silence' },
  {
    what: 'an ACK of what was not sent',
    segment: (s) => `. ${s.rn} ack=${s.nxt + 1}`,
    states: SYNCHRONISED,
    answer: 'ack',
  },
  {
    what: 'an ACK of what was not sent',
    segment: (s) => `. ${s.rn} ack=${s.nxt + 1}`,
    states: ['SYN-RECEIVED'],
    answer: (s) => `R ${s.nxt + 1}`,
  },
  {
    what: 'an ACK of nothing',
    segment: (s) => `. ${s.rn} ack=${s.una}`,
    states: ['SYN-RECEIVED'],
    answer: (s) => `R ${s.una}`,
  },
  { what: 'a duplicate ACK', segment: (s) => `. ${s.rn} ack=${s.una}`, states: SYNCHRONISED, answer: 'silence' },
  // sixth, check the URG bit: never acted on
  {
    what: 'URG without text',
    segment: (s) => `U. ${s.rn} ack=${s.una} urg=65535`,
    states: SYNCHRONISED,
    answer: 'silence',
  },
];

describe('what leaves the state as it is', () => {
  for (const row of ROWS) {
    for (const state of row.states) {
      const says = row.answer === 'ack' ? 'one ACK' : row.answer === 'silence' ? 'silence' : 'a reset';
      test(`${state}: ${row.what}: ${says} (§3.10.7.4)`, () => {
        const { p, s, ack } = at(state);
        p.send(row.segment(s));
        const expected = row.answer === 'ack' ? [ack] : row.answer === 'silence' ? [] : [row.answer(s)];
        expect(p.out()).toEqual(expected);
        expect(s.c.state).toBe(state);
        expect(s.a.read).toEqual([]);
      });
    }
  }
});

describe('first, check sequence number', () => {
  test.each(STAGED.filter((x) => x !== 'TIME-WAIT'))(
    '%s: a RST at RCV.NXT ends the connection, with nothing left (§3.10.7.4 second)',
    (state) => {
      const { p, s } = at(state);
      p.send(`R ${s.rn}`);
      expect(p.out()).toEqual([]);
      expect(s.c.state).toBe('CLOSED');
      const error = s.a.log.at(-1);
      if (state === 'SYN-RECEIVED') expect(s.a.log).toEqual([]);
      else expect(error).toBe(state === 'CLOSING' || state === 'LAST-ACK' ? 'closed' : 'closed ECONNRESET');
      expect([p.host.connectionCount, p.host.portsInUse, p.host.timersArmed]).toEqual([0, 0, 0]);
      expect(s.a.log.filter((l) => l.startsWith('closed')).length).toBe(state === 'SYN-RECEIVED' ? 0 : 1);
    },
  );

  test.each(STAGED.filter((x) => x !== 'TIME-WAIT'))(
    '%s: RST,ACK at RCV.NXT counts as RST, whatever its ACK says',
    (state) => {
      const { p, s } = at(state);
      p.send(`R. ${s.rn} ack=${s.nxt + 77}`);
      expect(p.out()).toEqual([]);
      expect(s.c.state).toBe('CLOSED');
    },
  );

  test('TIME-WAIT: where the profile asks for it, a RST at RCV.NXT ends it, without an error (§3.10.7.4 second)', () => {
    const p = new Peer({ profile: { timeWaitIgnoresRst: false } });
    const s = stage(p, 'TIME-WAIT');
    p.send(`R ${s.rn + 1}`);
    expect(s.c.state).toBe('TIME-WAIT');
    p.advance(1000);
    p.send(`R ${s.rn}`);
    expect(s.c.state).toBe('CLOSED');
    expect(s.a.log.filter((l) => l.startsWith('closed'))).toEqual(['closed']);
  });

  test('TIME-WAIT: RST does not assassinate it: it lasts its 2MSL (trap 21, RFC 1337)', () => {
    const { p, s } = at('TIME-WAIT');
    p.send(`R ${s.rn}`);
    p.advance(59_999);
    expect(s.c.state).toBe('TIME-WAIT');
    p.advance(1);
    expect(s.c.state).toBe('CLOSED');
    expect(p.drops('tcp-time-wait-rst')).toBe(1);
  });

  test('ESTABLISHED: a segment that begins before the window is trimmed: only what is new is taken (§3.10.7.4 first)', () => {
    const { p, s } = at('ESTABLISHED');
    p.send('P. 1:10 ack=1');
    p.send('P. 6:10 ack=1');
    expect(s.a.read).toEqual(octets(1, 16));
  });

  test('ESTABLISHED: a segment that reaches beyond the window is trimmed, its FIN with it (§3.10.7.4 first)', () => {
    const p = new Peer({ profile: { receiveBuffer: 1000 } });
    const s = stage(p, 'ESTABLISHED');
    p.send('FP. 1:1200 ack=1');
    expect(s.a.read).toEqual(octets(1, 1001));
    expect(s.c.state).toBe('ESTABLISHED');
    expect(p.out()).toEqual(['. 1 ack=1001']);
  });

  test('ESTABLISHED: with a window of zero an ACK is taken, text is not, and RST counts (row 22 MUST-66)', () => {
    const p = new Peer({ profile: { receiveBuffer: 1000 } });
    const s = stage(p, 'ESTABLISHED');
    s.c.handler = null;
    p.send('. 1:1000 ack=1');
    p.out();
    expect(s.c.rcv.wnd).toBe(0);
    s.c.send(new Uint8Array(10), 0, 10);
    p.out();
    p.send('P. 1001:5 ack=11');
    expect(p.out()).toEqual(['. 11 ack=1001']);
    expect(s.c.flightSize).toBe(0);
    expect(s.c.readable).toBe(1000);
    p.send('R 1001');
    expect(s.c.state).toBe('CLOSED');
  });
});

describe('fifth, check the ACK field', () => {
  test('SYN-RECEIVED: an ACK of our SYN opens; SND.WND, SND.WL1, SND.WL2 come from it (§3.10.7.4 fifth)', () => {
    const { p, s } = at('SYN-RECEIVED');
    p.send('. 1 ack=1 win=4321');
    expect(s.c.state).toBe('ESTABLISHED');
    expect([s.c.snd.wnd, (s.c.snd.wl1 - p.peerIss) | 0, (s.c.snd.wl2 - p.hostIss) | 0]).toEqual([4321, 1, 1]);
  });

  test('ESTABLISHED: SND.WND comes from the newest segment, by SND.WL1 and SND.WL2 (§3.10.7.4 fifth)', () => {
    const { p, s } = at('ESTABLISHED');
    // The network reorders: the later segment comes first, and the window of the earlier is history.
    p.send('. 11:10 ack=1 win=500');
    expect(s.c.snd.wnd).toBe(500);
    p.send('. 1:10 ack=1 win=9000');
    expect(s.a.read).toHaveLength(20);
    expect(s.c.snd.wnd).toBe(500);
    // Same SEG.SEQ as SND.WL1, same SEG.ACK as SND.WL2: newest counts.
    p.send('. 21 ack=1 win=700');
    p.send('. 21 ack=1 win=800');
    expect(s.c.snd.wnd).toBe(800);
    // Same SEG.SEQ, older SEG.ACK: history again.
    s.c.send(new Uint8Array(10), 0, 10);
    p.out();
    p.send('. 21 ack=11 win=900');
    p.send('. 21 ack=6 win=9000');
    expect(s.c.snd.wnd).toBe(900);
  });

  test('ESTABLISHED: the ACK of a part of a segment leaves the rest in flight (§3.10.7.4 fifth)', () => {
    const { p, s } = at('ESTABLISHED');
    s.c.send(new Uint8Array(100), 0, 100);
    p.out();
    p.send('. 1 ack=41');
    expect([s.c.flightSize, s.c.queued]).toEqual([60, 60]);
    expect(p.advance(200)).toEqual(['@200 P. 41:60 ack=1']);
  });

  test('FIN-WAIT-1: the ACK of our FIN leads to FIN-WAIT-2, also when it comes on a keep-alive', () => {
    const { p, s } = at('FIN-WAIT-1');
    p.send(`. ${s.rn - 1} ack=2`);
    expect(s.c.state).toBe('FIN-WAIT-2');
    expect(p.host.timersArmed).toBe(0);
  });

  test('CLOSING: the ACK of our FIN leads to TIME-WAIT; another ACK does not (§3.10.7.4 fifth)', () => {
    const { p, s } = at('CLOSING');
    p.send(`. ${s.rn} ack=1`);
    expect(s.c.state).toBe('CLOSING');
    p.send(`. ${s.rn} ack=2`);
    expect(s.c.state).toBe('TIME-WAIT');
  });

  test('LAST-ACK: the ACK of our FIN leads to CLOSED; another ACK does not (§3.10.7.4 fifth)', () => {
    const { p, s } = at('LAST-ACK');
    p.send(`. ${s.rn} ack=1`);
    expect(s.c.state).toBe('LAST-ACK');
    p.send(`. ${s.rn} ack=2`);
    expect(s.c.state).toBe('CLOSED');
    expect(p.host.connectionCount).toBe(0);
  });

  test('TIME-WAIT: the remote FIN once more is acknowledged, and 2MSL starts anew (§3.10.7.4 fifth)', () => {
    const { p, s, ack } = at('TIME-WAIT');
    p.advance(50_000);
    p.send(`F. ${s.rn - 1} ack=${s.nxt}`);
    expect(p.out()).toEqual([ack]);
    p.advance(59_999);
    expect(s.c.state).toBe('TIME-WAIT');
  });
});

describe('seventh, process the segment text', () => {
  test.each(RECEIVING)('%s: text is taken, acknowledged and given to the program (§3.10.7.4 seventh)', (state) => {
    const { p, s } = at(state);
    p.send(`P. ${s.rn}:5 ack=${s.una}`);
    expect(s.a.read).toEqual(octets(s.rn, s.rn + 5));
    expect(p.advance(40)).toEqual([`@40 . ${s.nxt} ack=${s.rn + 5}`]);
  });

  test.each(STAGED.filter((x) => !RECEIVING.includes(x) && x !== 'SYN-RECEIVED'))(
    '%s: text after the peer’s FIN is ignored, and counted (§3.10.7.4 seventh)',
    (state) => {
      const { p, s } = at(state);
      const { rn } = s;
      p.send(`P. ${rn}:5 ack=${s.una}`);
      expect(s.a.read).toEqual([]);
      expect((s.c.rcv.nxt - p.peerIss) | 0).toBe(rn);
      expect(p.drops('tcp-after-close')).toBe(1);
    },
  );
});

describe('eighth, check the FIN bit', () => {
  const ways: readonly (readonly [State, State, number])[] = [
    ['SYN-RECEIVED', 'CLOSE-WAIT', 1],
    ['ESTABLISHED', 'CLOSE-WAIT', 1],
    ['FIN-WAIT-1', 'CLOSING', 1],
    ['FIN-WAIT-1', 'TIME-WAIT', 2],
    ['FIN-WAIT-2', 'TIME-WAIT', 2],
  ];
  test.each(ways)(
    '%s: FIN leads to %s (with ACK %d) and is acknowledged (§3.10.7.4 eighth)',
    (state, to, ackNumber) => {
      const { p, s } = at(state);
      p.send(`F. ${s.rn} ack=${ackNumber}`);
      expect(s.c.state).toBe(to);
      expect(p.out()).toEqual([`. ${s.nxt} ack=${s.rn + 1}`]);
    },
  );

  test.each(['CLOSE-WAIT', 'CLOSING', 'LAST-ACK'] as const)(
    '%s: the FIN once more is acknowledged once more, and changes nothing (§3.10.7.4 eighth)',
    (state) => {
      const { p, s, ack } = at(state);
      const log = [...s.a.log];
      p.send(`F. ${s.rn - 1} ack=${s.una}`);
      expect(p.out()).toEqual([ack]);
      expect(s.c.state).toBe(state);
      expect(s.a.log).toEqual(log);
    },
  );

  test('ESTABLISHED: a FIN ahead of a hole waits for the hole to fill (trap 16)', () => {
    const { p, s } = at('ESTABLISHED');
    p.send('FP. 11:10 ack=1');
    expect(p.out()).toEqual(['. 1 ack=1']);
    expect(s.c.state).toBe('ESTABLISHED');
    p.send('P. 6:5 ack=1');
    expect(s.c.state).toBe('ESTABLISHED');
    p.send('P. 1:5 ack=1');
    expect(p.out().at(-1)).toBe('. 1 ack=22');
    expect(s.a.read).toEqual(octets(1, 21));
    expect(s.c.state).toBe('CLOSE-WAIT');
    expect(s.a.log.filter((l) => l === 'ended')).toHaveLength(1);
  });

  test('ESTABLISHED: text beyond a FIN that was seen is discarded (trap 16)', () => {
    const { p, s } = at('ESTABLISHED');
    p.send('FP. 6:5 ack=1');
    p.send('P. 6:50 ack=1');
    p.send('P. 1:5 ack=1');
    expect(s.a.read).toEqual(octets(1, 11));
    expect(s.c.state).toBe('CLOSE-WAIT');
  });

  test('ESTABLISHED: text beyond a FIN that came before the FIN is discarded as well (trap 16)', () => {
    const { p, s } = at('ESTABLISHED');
    p.send('P. 11:10 ack=1');
    p.send('P. 41:10 ack=1');
    p.send('FP. 6:5 ack=1');
    p.send('P. 1:5 ack=1');
    expect(s.a.read).toEqual(octets(1, 11));
    expect(s.c.state).toBe('CLOSE-WAIT');
    expect(p.out().at(-1)).toBe('. 1 ack=12');
  });
});
