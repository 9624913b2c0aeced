// RFC 5682, F-RTO: a timeout for nothing is found out without timestamps, by two acknowledgements, and undone.

import { describe, expect, test } from 'vitest';
import { nstat } from '../../src/host/nstat.ts';
import { Peer, type PeerOptions, synSent } from './peer.ts';

const RTT = 100;
const MSS = 1000;

/** Ten segments are in flight without timestamps, and the timer has just fired once. */
function timedOut(syn: string, profile: PeerOptions['profile'] = {}, written = 50_000, window = 65_535) {
  const p = new Peer({ profile: { rtoMin: 1000, ...profile } });
  const a = synSent(p);
  p.advance(RTT);
  p.send(`S. 0 ack=1 mss=${MSS} win=${window} ${syn}`);
  p.out();
  const c = a.connection!;
  c.send(new Uint8Array(written), 0, written);
  const first = p.out();
  const before = { cwnd: c.cc.cwnd, ssthresh: c.cc.ssthresh, flight: first.length };
  // A tail loss probe may go out meanwhile; the timer is what counts here.
  for (let n = 0; n < 100 && p.host.counters.tcp.timeouts === 0; n++) p.advance(100);
  expect(c.cc.cwnd).toBe(c.snd.mss);
  return { p, c, before };
}

const OFF_PROBE = { tailLossProbe: false };
const seqs = (lines: string[]): number[] => lines.map((l) => Number(l.replace(/^@\d+ /, '').split(/[ :]/)[1]));
const undone = (p: Peer): number => p.trace.filter((e) => e.type === 'congestion' && e.why === 'undo').length;

describe.each([
  ['without SACK (§2.1)', ''],
  ['with SACK (§3.1)', 'sackOK'],
])('F-RTO %s', (_, syn) => {
  test('two acknowledgements of originals: new data after the first, the window as it was after the second', () => {
    const { p, c, before } = timedOut(syn, OFF_PROBE);
    p.send(`. 1 ack=${1 + MSS}`);
    // Two new segments, and no copy of what counts as lost.
    expect(seqs(p.out())).toEqual([1 + 10 * MSS, 1 + 11 * MSS]);
    expect(c.cc.cwnd).toBe(2 * MSS);
    p.send(`. 1 ack=${1 + 2 * MSS}`);
    expect(undone(p)).toBe(1);
    expect(c.cc.cwnd).toBeGreaterThanOrEqual(before.cwnd);
    expect(c.cc.ssthresh).toBe(before.ssthresh);
    expect(nstat(p.host.counters).TcpExtTCPSpuriousRTOs).toBe(1);
    // What follows is new as well.
    for (let n = 3; n <= 12; n++) {
      p.send(`. 1 ack=${1 + n * MSS}`);
      expect(Math.min(...seqs(p.out()))).toBeGreaterThan(12 * MSS);
    }
    expect(c.retransmissions).toBe(1);
  });

  test('the second says nothing new: the loss was real, and the copies go out', () => {
    const { p, c } = timedOut(syn, OFF_PROBE);
    p.send(`. 1 ack=${1 + MSS}`);
    p.out();
    const sack = syn === '' ? '' : ` sack=${1 + 10 * MSS}-${1 + 11 * MSS}`;
    p.send(`. 1 ack=${1 + MSS}${sack}`);
    expect(undone(p)).toBe(0);
    expect(c.cc.cwnd).toBeLessThanOrEqual(3 * MSS);
    expect(seqs(p.out())[0]).toBe(1 + MSS);
  });

  test('the first acknowledges everything: nothing is left to find out', () => {
    const { p, c } = timedOut(syn, OFF_PROBE);
    p.send(`. 1 ack=${1 + 10 * MSS}`);
    expect(c.recovery.frto).toBe(0);
    expect(undone(p)).toBe(0);
    expect(c.cc.cwnd).toBeLessThan(10 * MSS);
  });

  test('the first acknowledges a part of the copy only: the repair goes on', () => {
    const { p, c } = timedOut(syn, OFF_PROBE);
    p.send('. 1 ack=501');
    expect(c.recovery.frto).toBe(0);
    p.send(`. 1 ack=${1 + MSS}`);
    expect(seqs(p.out())).toContain(1 + MSS);
    expect(undone(p)).toBe(0);
  });

  test('there is nothing new to send: copies go out after the first acknowledgement', () => {
    const { p, c } = timedOut(syn, OFF_PROBE, 10 * MSS);
    p.send(`. 1 ack=${1 + MSS}`);
    expect(seqs(p.out())).toEqual([1 + MSS, 1 + 2 * MSS]);
    expect(c.recovery.frto).toBe(0);
  });

  test('the window has no room for what is new: copies go out after the first acknowledgement', () => {
    const { p } = timedOut(syn, OFF_PROBE, 50_000, 10 * MSS);
    p.send(`. 1 ack=${1 + MSS} win=${9 * MSS}`);
    expect(seqs(p.out())).toEqual([1 + MSS, 1 + 2 * MSS]);
  });

  test('a timeout in the repair that another one began is no question any more (step 1)', () => {
    const { p, c } = timedOut(syn, OFF_PROBE);
    p.send(`. 1 ack=${1 + MSS}`);
    p.out();
    p.advance(4000);
    expect(c.recovery.frto).toBe(0);
    p.send(`. 1 ack=${1 + 2 * MSS}`);
    p.send(`. 1 ack=${1 + 4 * MSS}`);
    expect(undone(p)).toBe(0);
  });

  test('the timer fires twice before any answer: originals that come then still tell', () => {
    const { p, c, before } = timedOut(syn, OFF_PROBE);
    p.advance(2100);
    expect(c.retries).toBe(2);
    p.send(`. 1 ack=${1 + MSS}`);
    p.send(`. 1 ack=${1 + 2 * MSS}`);
    expect(undone(p)).toBe(1);
    expect(c.cc.cwnd).toBeGreaterThanOrEqual(before.cwnd);
  });

  test('by profile: without it the copies follow at once', () => {
    const { p } = timedOut(syn, { ...OFF_PROBE, frto: false });
    p.send(`. 1 ack=${1 + MSS}`);
    expect(seqs(p.out())).toEqual([1 + MSS, 1 + 2 * MSS]);
  });
});

describe('what differs with and without SACK', () => {
  test('with SACK, an original that arrives out of order tells as well', () => {
    const { p, c, before } = timedOut('sackOK', OFF_PROBE);
    p.send(`. 1 ack=${1 + MSS}`);
    p.out();
    p.send(`. 1 ack=${1 + MSS} sack=${1 + 3 * MSS}-${1 + 4 * MSS}`);
    expect(undone(p)).toBe(1);
    expect(c.cc.cwnd).toBeGreaterThanOrEqual(before.cwnd);
  });

  test('with SACK, what had arrived before the timer fired tells nothing', () => {
    const { p } = timedOut('sackOK', OFF_PROBE);
    // Eight of ten are reported, the first and the last are not: the copy fills the hole up to the last.
    p.send(`. 1 ack=1 sack=${1 + MSS}-${1 + 9 * MSS}`);
    p.send(`. 1 ack=${1 + 9 * MSS}`);
    p.out();
    p.send(`. 1 ack=${1 + 9 * MSS} sack=${1 + 10 * MSS}-${1 + 11 * MSS}`);
    expect(undone(p)).toBe(0);
    expect(seqs(p.out())[0]).toBe(1 + 9 * MSS);
  });

  test('without SACK, a duplicate before the first ends the question (step 2a)', () => {
    const { p } = timedOut('', { ...OFF_PROBE, limitedTransmit: false });
    p.send('. 1 ack=1');
    p.send(`. 1 ack=${1 + MSS}`);
    expect(seqs(p.out())).toEqual([1 + MSS, 1 + 2 * MSS]);
  });

  test('with timestamps the echo decides, and nothing is held back', () => {
    const { p, c } = timedOut('sackOK ts=7:1000', OFF_PROBE);
    expect(c.recovery.frto).toBe(0);
    p.send(`. 1 ack=${c.snd.mss + 1} ts=9:${p.now}`);
    expect(seqs(p.out())[0]).toBe(c.snd.mss + 1);
  });
});
