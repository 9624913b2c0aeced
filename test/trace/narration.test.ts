// The catalogues, and what is told of which segment.

import { describe, expect, test } from 'vitest';
import type { TraceEvent } from '../../src/base/trace.ts';
import { type Catalog, fill, type MessageKey } from '../../src/trace/catalog.ts';
import { CATALOG_EN } from '../../src/trace/catalog-en.ts';
import { CATALOG_ZH } from '../../src/trace/catalog-zh.ts';
import { readConversation } from '../../src/trace/conversation.ts';
import { narrate } from '../../src/trace/narration.ts';
import { close, exchange, FIN, handshake, modelStory, RST, Script, SYN } from './script.ts';

const places = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
const keys = (c: Catalog) => Object.keys(c).sort() as MessageKey[];

describe('the catalogues', () => {
  test('have the same keys, and no text is empty', () => {
    expect(keys(CATALOG_ZH)).toEqual(keys(CATALOG_EN));
    for (const key of keys(CATALOG_EN))
      expect([key, CATALOG_EN[key] !== '' && CATALOG_ZH[key] !== '']).toEqual([key, true]);
  });

  test('say no place in one language that the other does not know', () => {
    for (const key of keys(CATALOG_EN)) {
      const [en, zh] = [places(CATALOG_EN[key]), places(CATALOG_ZH[key])];
      const known = ['{A}', '{B}', '{C}', '{S}', '{s}'];
      const own = (list: string[]) => list.filter((p) => !known.includes(p));
      expect([key, own(zh)]).toEqual([key, own(en)]);
    }
  });

  test('Chinese is written in characters of certain width only', () => {
    for (const key of keys(CATALOG_ZH)) {
      // ASCII, Han, CJK punctuation and full-width forms.
      expect([key, /^[\x20-\x7e\u3000-\u303f\u4e00-\u9fff\uff01-\uff5e]*$/.test(CATALOG_ZH[key])]).toEqual([key, true]);
      expect([key, /[\u4e00-\u9fff]/.test(CATALOG_ZH[key]) || /^[\x20-\x7e]*$/.test(CATALOG_ZH[key])]).toEqual([
        key,
        true,
      ]);
    }
  });

  test('a place without a value stays to be seen', () => {
    expect(fill('{a} and {b}', { a: 1 })).toBe('1 and {b}');
  });
});

/** Everything told of a trace, in order. */
function told(events: TraceEvent[], lang: 'en' | 'zh' = 'en'): string {
  const c = readConversation(events)!;
  const n = narrate(c, { lang, http: true });
  const lines = [...n.before, ...n.data, ...c.crossings.flatMap((o) => [...n.of(o)]), ...n.after];
  return lines.map((l) => l.text).join('\n');
}

describe('every row of the tale is told, exact and plain', () => {
  test.each([
    ['roles', 'passive open', '主动打开'],
    ['shake 1', 'Server, I want to talk to you.', '服务端，我想和你说话。'],
    ['SYN may carry data', 'allows data on a SYN', '允许 SYN 带数据'],
    ['shake 2', "I know (ACK). I'm ready; can you start (SYN)?", '我知道了(ACK)。我准备好了，你现在能连吗(SYN)？'],
    ['RST or nothing', 'RST (nobody listens)', '没人在听'],
    ['shake 3', "Good, let's begin.", '好的，咱们开始吧。'],
    ['an empty ACK takes no number', 'the next is x+1 again', '下一段仍是 x+1'],
    ['not at the same moment', 'the server is 20 ms later', '服务端晚 20 ms'],
    ['a stream', '1+5+3 octets may be read as 9', '一次读到 9 字节'],
    ['HTTP', 'RFC 9112 app. B', 'RFC 9112 附录 B'],
    ['fast retransmit', 'three repeated ACKs', '三个重复 ACK'],
    ['wave 1', 'I have said all I had to (FIN).', '我说完了(FIN)。'],
    ['FIN is a bit', '1 is FIN, 0 is not', '1 是 FIN，0 不是'],
    ['wave 2', 'I know you are done; I still have a few words.', '知道你说完了，我再说两句。'],
    ['half-close', 'as long as it likes', '想说多久就说多久'],
    ['last words', '204 more octets', '又 204 字节'],
    ['wave 3', "I am done too, let's part.", '我也说完了，咱们断了吧。'],
    ['wave 4 lost', 'Silence is hope, not proof', '没动静是希望，不是证明'],
    ['2MSL anew', '2MSL starts anew at 700: until 60700', '2MSL 从 700 重新计时，到 60700 为止'],
    ['two reasons', 'old duplicates must die', '旧的重复段'],
    ['both must close', 'both have pressed close', '双方都按了关闭'],
    ['MSL', '2MSL is 4 minutes', '2MSL 是 4 分钟'],
  ])('%s', (_row, en, zh) => {
    expect(told(modelStory())).toContain(en);
    expect(told(modelStory(), 'zh')).toContain(zh);
  });

  test('no place is left unfilled', () => {
    expect(told(modelStory())).not.toMatch(/\{\w+\}/);
    expect(told(modelStory(), 'zh')).not.toMatch(/\{\w+\}/);
  });

  test('what did not happen is not told', () => {
    const text = told(close(handshake()).events);
    expect(text).not.toContain('repeated ACKs');
    expect(text).not.toContain('CLOSING');
  });

  test('a lost third shake: the two ends differ until data heals it', () => {
    const s = new Script()
      .state('client', 0, 'CLOSED', 'SYN-SENT', 'active open')
      .send({ at: 0, from: 'client', flags: SYN, seq: 0, state: 'SYN-SENT', comes: [20, 'SYN-RECEIVED'] })
      .send({ at: 20, from: 'server', flags: SYN, seq: 0, ack: 1, state: 'SYN-RECEIVED', comes: [40, 'ESTABLISHED'] })
      .state('client', 40, 'SYN-SENT', 'ESTABLISHED', 'rcv SYN,ACK')
      .send({ at: 40, from: 'client', flags: 0, seq: 1, ack: 1, state: 'ESTABLISHED' })
      .state('server', 70, 'SYN-RECEIVED', 'ESTABLISHED', 'rcv ACK of SYN')
      .send({
        at: 50,
        from: 'client',
        flags: 0,
        seq: 1,
        ack: 1,
        len: 8,
        state: 'ESTABLISHED',
        comes: [70, 'ESTABLISHED'],
      });
    expect(told(s.events)).toContain('they differ until data or a repeat comes');
    expect(told(s.events)).toContain('the lost third shake is healed');
    expect(told(modelStory())).not.toContain('healed');
  });

  test('FIN with data, three waves, close at once', () => {
    const fin = handshake()
      .send({
        at: 100,
        from: 'client',
        flags: FIN,
        seq: 1,
        ack: 1,
        len: 5,
        state: 'FIN-WAIT-1',
        comes: [120, 'LAST-ACK'],
      })
      .send({ at: 120, from: 'server', flags: FIN, seq: 1, ack: 7, state: 'LAST-ACK', comes: [140, 'TIME-WAIT'] });
    expect(told(fin.events)).toContain('the answer will be u+5+1');
    expect(told(fin.events)).toContain('waves 2 and 3 are one segment');
    expect(told(fin.events)).toContain('ack=u+6');
    const both = handshake()
      .send({ at: 100, from: 'client', flags: FIN, seq: 1, ack: 1, state: 'FIN-WAIT-1', comes: [120, 'CLOSING'] })
      .send({ at: 100, from: 'server', flags: FIN, seq: 1, ack: 1, state: 'FIN-WAIT-1', comes: [120, 'CLOSING'] });
    expect(told(both.events)).toContain('FIN-WAIT-1 > CLOSING > TIME-WAIT');
  });

  test('a repeat by the timer says how long it waited', () => {
    const s = exchange(handshake())
      .add({ type: 'timer', at: 500, host: 'server', conn: 1, timer: 'retransmit', count: 1 })
      .send({ at: 300, from: 'server', flags: 0, seq: 14601, ack: 79, len: 7, state: 'ESTABLISHED' })
      .send({
        at: 500,
        from: 'server',
        flags: 0,
        seq: 14601,
        ack: 79,
        len: 7,
        state: 'ESTABLISHED',
        again: true,
        comes: [520, 'ESTABLISHED'],
      });
    expect(told(s.events)).toContain('200 ms without an answer: the timer sends it again');
  });
});

describe('resets', () => {
  test('an end that knows of no connection does not hang up, and TIME-WAIT is not cut short by it (RFC 1337)', () => {
    const late = (state: 'TIME-WAIT' | 'ESTABLISHED') =>
      close(exchange(handshake())).send({
        at: 5000,
        from: 'server',
        flags: RST,
        seq: 0,
        state: 'CLOSED',
        comes: [5020, state],
      }).events;
    expect(told(late('TIME-WAIT'))).toContain('I know of no such connection.');
    expect(told(late('TIME-WAIT'), 'zh')).toContain('TIME-WAIT 不让 RST 提前打断它');
    expect(told(late('TIME-WAIT'))).not.toContain('I hang up.');
    expect(told(late('ESTABLISHED'))).not.toContain('cut it short');
    const aborted = handshake().state('server', 70, 'ESTABLISHED', 'CLOSED', 'ABORT');
    aborted.send({ at: 70, from: 'server', flags: RST, seq: 1, state: 'CLOSED', comes: [90, 'CLOSED'] });
    expect(told(aborted.events)).toContain('I hang up.');
  });
});
