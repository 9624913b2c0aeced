// Which part each segment plays, found from what the trace shows.

import { describe, expect, test } from 'vitest';
import { readConversation } from '../../src/trace/conversation.ts';
import { letters } from '../../src/trace/letters.ts';
import { close, exchange, FIN, handshake, modelStory, RST, Script, SYN, X } from './script.ts';

const roles = (s: Script) =>
  readConversation(s.events)!
    .crossings.filter((c) => c.role !== 'data' && c.role !== 'ack')
    .map((c) => `${c.from} ${c.role}${c.again ? ' again' : ''}${c.fate === 'lost' ? ' lost' : ''}`);

describe('the parts of a conversation', () => {
  test('the model story: three shakes, four waves, the fourth lost and said again', () => {
    expect(roles(close(exchange(handshake())))).toEqual([
      'left shake-1',
      'right shake-2',
      'left shake-3',
      'left wave-1',
      'right wave-2',
      'right wave-3',
      'left wave-4 lost',
      'right wave-3 again',
      'left wave-4 again',
    ]);
  });

  test('an arrival is paired with its sending by the packet number, and a lost one has none', () => {
    const c = readConversation(modelStory())!;
    expect(c.crossings[0]).toMatchObject({ sentAt: 0, arrivedAt: 20, arrivedState: 'SYN-RECEIVED', fate: 'arrived' });
    const lost = c.crossings.find((o) => o.role === 'wave-4')!;
    expect(lost).toMatchObject({ sentAt: 460, arrivedAt: -1, arrivedState: 'LAST-ACK', fate: 'lost' });
  });

  test('a repeated SYN,ACK is answered by shake 3 again; data may carry the first one', () => {
    const s = new Script()
      .send({ at: 0, from: 'client', flags: SYN, seq: 0, state: 'SYN-SENT', comes: [20, 'SYN-RECEIVED'] })
      .send({ at: 20, from: 'server', flags: SYN, seq: 0, ack: 1, state: 'SYN-RECEIVED', comes: [40, 'ESTABLISHED'] })
      .send({ at: 40, from: 'client', flags: 0, seq: 1, ack: 1, len: 10, state: 'ESTABLISHED' })
      .send({
        at: 1020,
        from: 'server',
        flags: SYN,
        seq: 0,
        ack: 1,
        state: 'SYN-RECEIVED',
        again: true,
        comes: [1040, 'ESTABLISHED'],
      })
      .send({
        at: 1040,
        from: 'client',
        flags: 0,
        seq: 11,
        ack: 1,
        state: 'ESTABLISHED',
        comes: [1060, 'ESTABLISHED'],
      });
    expect(roles(s)).toEqual([
      'left shake-1',
      'right shake-2',
      'left shake-3 lost',
      'right shake-2 again',
      'left shake-3 again',
    ]);
  });

  test('why a segment went out again: the timer, repeated ACKs, or because it was asked for again', () => {
    const { crossings } = readConversation(modelStory())!;
    const again = crossings.filter((c) => c.again).map((c) => `${c.role} ${c.againWhy}`);
    expect(again).toEqual(['data fast', 'wave-3 timer', 'wave-4 asked']);
  });

  test('two SYNs that cross are an opening at once', () => {
    const s = new Script()
      .send({ at: 0, from: 'client', flags: SYN, seq: 0, state: 'SYN-SENT', comes: [20, 'SYN-RECEIVED'] })
      .send({ at: 5, from: 'server', flags: SYN, seq: 0, state: 'SYN-SENT', comes: [25, 'SYN-RECEIVED'] })
      .send({
        at: 20,
        from: 'server',
        flags: SYN,
        seq: 0,
        ack: 1,
        state: 'SYN-RECEIVED',
        again: true,
        comes: [40, 'ESTABLISHED'],
      })
      .send({
        at: 25,
        from: 'client',
        flags: SYN,
        seq: 0,
        ack: 1,
        state: 'SYN-RECEIVED',
        again: true,
        comes: [45, 'ESTABLISHED'],
      });
    const c = readConversation(s.events)!;
    expect(c.openedAtOnce).toBe(true);
    expect(c.crossings.map((o) => o.role)).toEqual([
      'crossed-syn',
      'crossed-syn',
      'crossed-syn-ack',
      'crossed-syn-ack',
    ]);
  });

  test('two FINs that cross are a close at once', () => {
    const s = handshake()
      .send({ at: 100, from: 'client', flags: FIN, seq: 1, ack: 1, state: 'FIN-WAIT-1', comes: [120, 'CLOSING'] })
      .send({ at: 110, from: 'server', flags: FIN, seq: 1, ack: 1, state: 'FIN-WAIT-1', comes: [130, 'CLOSING'] })
      .send({ at: 120, from: 'server', flags: 0, seq: 2, ack: 2, state: 'CLOSING', comes: [140, 'TIME-WAIT'] })
      .send({ at: 130, from: 'client', flags: 0, seq: 2, ack: 2, state: 'CLOSING', comes: [150, 'TIME-WAIT'] });
    expect(roles(s).slice(3)).toEqual([
      'left crossed-fin',
      'right crossed-fin',
      'right crossed-fin-ack',
      'left crossed-fin-ack',
    ]);
    expect(readConversation(s.events)!.closedAtOnce).toBe(true);
  });

  test('three waves, and either side may be the first to close', () => {
    const s = handshake()
      .send({ at: 100, from: 'server', flags: FIN, seq: 1, ack: 1, state: 'FIN-WAIT-1', comes: [120, 'LAST-ACK'] })
      .send({ at: 120, from: 'client', flags: FIN, seq: 1, ack: 2, state: 'LAST-ACK', comes: [140, 'TIME-WAIT'] })
      .send({ at: 140, from: 'server', flags: 0, seq: 2, ack: 2, state: 'TIME-WAIT', comes: [160, 'CLOSED'] });
    expect(roles(s).slice(3)).toEqual(['right wave-1', 'left wave-2+3', 'right wave-4']);
    const c = readConversation(s.events)!;
    expect(c.closer).toBe('right');
    const write = letters(c);
    expect(c.crossings.slice(3).map((o) => `${write.seq(o)} ${write.ack(o)}`)).toEqual(['u x+1', 'w u+1', 'u+1 w+1']);
  });

  test('a reset that answers a SYN is a refusal', () => {
    const s = new Script()
      .send({ at: 0, from: 'client', flags: SYN, seq: 0, state: 'SYN-SENT', comes: [20, 'CLOSED'] })
      .send({ at: 20, from: 'server', flags: RST, seq: 0, ack: 1, state: 'CLOSED', comes: [40, 'CLOSED'] });
    expect(roles(s)).toEqual(['left shake-1', 'right refusal']);
  });

  test('what the path did is kept, whether it is told before or after the sending', () => {
    const s = handshake()
      .add({ type: 'path', at: 90, link: 'path', packet: 4, verdict: 'corrupted' })
      .send({ at: 100, from: 'client', flags: 0, seq: 1, ack: 1, len: 5, state: 'ESTABLISHED', path: 'corrupted' })
      .send({
        at: 101,
        from: 'client',
        flags: 0,
        seq: 6,
        ack: 1,
        len: 5,
        state: 'ESTABLISHED',
        path: 'reordered',
        comes: [130, 'ESTABLISHED'],
      })
      .send({
        at: 102,
        from: 'client',
        flags: 0,
        seq: 11,
        ack: 1,
        len: 5,
        state: 'ESTABLISHED',
        path: 'duplicated',
        comes: [122, 'ESTABLISHED'],
        comesAgain: [122, 'ESTABLISHED'],
      });
    const [a, b, c] = readConversation(s.events)!.crossings.slice(3);
    expect([a!.fate, b!.fate, b!.late, c!.arrivals]).toEqual(['corrupted', 'arrived', true, 2]);
  });

  test('a trace without segments is no conversation', () => {
    expect(readConversation([])).toBeNull();
  });
});

describe('letters', () => {
  test('offsets from x and y, then from u and w, across the wrap of the number space', () => {
    const s = new Script();
    s.x = -2;
    close(exchange(handshake(s)));
    const c = readConversation(s.events)!;
    const write = letters(c);
    expect(write.fromStart('left', 3)).toBe('x+5');
    expect(write.number('left', 77)).toBe('u');
    expect(write.number('left', 78)).toBe('u+1');
    expect(write.number('right', c.numbers.right.iss)).toBe('y');
    expect(letters(readConversation(modelStory())!).number('left', X)).toBe('x');
  });
});
