// Probe: how should a connection lie in memory? A skeleton of 100,000 connections in five layouts, each in a
// process of its own: octets per idle end, and nanoseconds per segment (random connections, and one hot one).
//
//   node bench/probes/layout.mjs [--json] [--ends 100000] [--processes 3]

import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

/** The number fields of a connection; `d` marks the ones that are fractional. */
const FIELDS = {
  id: 'localPort remotePort local remote number interface ttl hash',
  snd: 'una nxt wnd wl1 wl2 iss up mss maxWnd scale finSeq high sent flags',
  rcv: 'nxt wnd irs up adv scale mss lastAckSent finSeq unacked ranges flags',
  rtt: 'srtt:d rttvar:d rto:d sentAt:d seq backoff',
  cc: 'cwnd ssthresh acked recover dupAcks phase limited flight',
  rec: 'state point high again partial probes',
  count: 'segmentsIn segmentsOut octetsIn octetsOut again drops',
  timers: 'retransmit:d persist:d delayedAck:d timeWait:d finWait2:d keepalive:d user:d override:d',
};
/** What is not a number: a string, and references that stay null while nothing is queued. */
const REFS = "this.state = 'ESTABLISHED'; this.handler = null; this.sendQueue = null; this.receiveBuffer = null;";
/** Parts that an idle connection can do without. */
const FOLDABLE = ['rtt', 'cc', 'rec', 'timers'];
/** Touches after which an untouched connection is folded again. */
const IDLE_AFTER = 1000;

const PARTS = Object.entries(FIELDS).map(([part, list]) => {
  const fields = list.split(' ').map((field) => ({ name: field.replace(':d', ''), double: field.endsWith(':d') }));
  return { part, fields };
});
const zero = (part, field) => (part === 'timers' ? 'Infinity' : field.double ? '0.5' : '0');

/**
 * One segment in and its acknowledgement: `@part.field` becomes what the layout makes of it. All layouts run this
 * same text.
 */
const SEGMENT = `
  if (((seq - @rcv.nxt) | 0) !== 0 || ((@snd.nxt - ack) | 0) < 0) { @count.drops = (@count.drops + 1) | 0; return; }
  @count.segmentsIn = (@count.segmentsIn + 1) | 0;
  accepted = (accepted + 1) | 0;
  const acked = (ack - @snd.una) | 0;
  if (acked > 0) {
    @snd.una = ack;
    const sample = now - @rtt.sentAt;
    @rtt.rttvar = 0.75 * @rtt.rttvar + 0.25 * Math.abs(@rtt.srtt - sample);
    @rtt.srtt = 0.875 * @rtt.srtt + 0.125 * sample;
    @rtt.rto = Math.min(120000, Math.max(200, @rtt.srtt + 4 * @rtt.rttvar));
    @rtt.backoff = 0;
    @cc.dupAcks = 0;
    if (@cc.cwnd < @cc.ssthresh) @cc.cwnd = (@cc.cwnd + acked) & 0xfffff;
    else { @cc.acked = (@cc.acked + acked) | 0; if (@cc.acked > @cc.cwnd) @cc.acked = 0; }
    @rec.state = 0;
    @timers.retransmit = ((@snd.nxt - ack) | 0) > 0 ? now + @rtt.rto : Infinity;
  }
  if (((seq - @snd.wl1) | 0) >= 0) { @snd.wnd = wnd; @snd.wl1 = seq; @snd.wl2 = ack; }
  @rcv.nxt = (seq + len) | 0;
  @count.octetsIn = (@count.octetsIn + len) | 0;
  @rcv.unacked = (@rcv.unacked + 1) | 0;
  if (@rcv.unacked >= 2) {
    @rcv.unacked = 0; @rcv.lastAckSent = @rcv.nxt; @timers.delayedAck = Infinity;
    @count.segmentsOut = (@count.segmentsOut + 1) | 0;
  } else @timers.delayedAck = now + 40;
  @snd.nxt = (@snd.nxt + len) | 0;
  @rtt.sentAt = now;
  @timers.retransmit = now + @rtt.rto;
  next = Math.min(${PARTS.at(-1)
    .fields.map((f) => `@timers.${f.name}`)
    .join(', ')});
`;

function objectClass(name, parts, extra = '') {
  const subs = parts.map(({ part, fields }) => {
    const body = fields.map((f) => `this.${f.name} = ${zero(part, f)};`).join(' ');
    return `class ${name}_${part} { constructor() { ${body} } }`;
  });
  const make = parts.map(({ part }) => `this.${part} = new ${name}_${part}();`).join(' ');
  return `${subs.join('\n')}\nclass ${name} { constructor(row) { ${make} ${REFS} ${extra} } }`;
}

/** Deadlines of all connections in one array, eight to a row. */
const TIMER_ROWS = 'const T = new Float64Array(n * 8).fill(Infinity);';
const timerCell = (field) => `T[row + ${PARTS.at(-1).fields.findIndex((f) => f.name === field)}]`;

/** Each layout: what makes the connections, what finds one, and what a field of it is called. */
const LAYOUTS = {
  // conn.snd.una, conn.timers.retransmit
  objects: {
    setup: `${objectClass('Conn', PARTS)} const all = []; for (let i = 0; i < n; i++) all.push(new Conn(i));`,
    find: 'const c = all[i]; const { snd, rcv, rtt, cc, rec, count, timers } = c;',
    name: (part, field) => `${part}.${field}`,
  },
  // conn.snd.una; deadlines in rows of the host
  'objects+rows': {
    setup: `${objectClass('Conn', PARTS.slice(0, -1), 'this.row = row * 8;')} ${TIMER_ROWS}
      const all = []; for (let i = 0; i < n; i++) all.push(new Conn(i));`,
    find: 'const c = all[i]; const { snd, rcv, rtt, cc, rec, count, row } = c;',
    name: (part, field) => (part === 'timers' ? timerCell(field) : `${part}.${field}`),
  },
  // conn.sndUna
  flat: {
    setup: `class Conn { constructor() { ${PARTS.flatMap(({ part, fields }) =>
      fields.map((f) => `this.${part}_${f.name} = ${zero(part, f)};`),
    ).join(' ')} ${REFS} } }
      const all = []; for (let i = 0; i < n; i++) all.push(new Conn());`,
    find: 'const c = all[i];',
    name: (part, field) => `c.${part}_${field}`,
  },
  // sndUna[i]: everything in columns of the host, and an object for what is not a number
  columns: {
    setup: `${PARTS.flatMap(({ part, fields }) =>
      fields.map((f) => {
        const kind = f.double ? 'Float64Array' : 'Int32Array';
        return `const ${part}_${f.name} = new ${kind}(n).fill(${zero(part, f)});`;
      }),
    ).join('\n')}
      class Conn { constructor(row) { this.row = row; ${REFS} } }
      const all = []; for (let i = 0; i < n; i++) all.push(new Conn(i));
      all.columns = [${PARTS.flatMap(({ part, fields }) => fields.map((f) => `${part}_${f.name}`)).join(', ')}];`,
    find: '',
    name: (part, field) => `${part}_${field}[i]`,
  },
  // as objects, but an idle connection has given its rtt, cc, rec and timers back to a pool
  folded: {
    setup: `${objectClass(
      'Conn',
      PARTS.filter(({ part }) => !FOLDABLE.includes(part)),
      'this.busy = null; this.touched = 0; this.srtt = 100; this.cwnd = 14600;',
    )}
      ${objectClass(
        'Busy',
        PARTS.filter(({ part }) => FOLDABLE.includes(part)),
      ).replace(REFS, '')}
      const all = []; for (let i = 0; i < n; i++) all.push(new Conn(i));
      const pool = []; const recent = new Int32Array(${IDLE_AFTER}).fill(-1); let touch = 0;
      function unfold(c) {
        const busy = pool.length > 0 ? pool.pop() : new Busy(0);
        busy.rtt.srtt = c.srtt + 0.5; busy.rtt.rttvar = 0.5; busy.rtt.rto = 200.5; busy.rtt.sentAt = 0.5;
        busy.cc.cwnd = c.cwnd; busy.cc.ssthresh = 0; busy.cc.acked = 0; busy.cc.dupAcks = 0; busy.rec.state = 0;
        const t = busy.timers; t.retransmit = t.persist = t.delayedAck = t.timeWait = Infinity;
        t.finWait2 = t.keepalive = t.user = t.override = Infinity;
        c.busy = busy;
        return busy;
      }
      function age(i, c) {
        const slot = touch % ${IDLE_AFTER};
        const old = recent[slot] < 0 ? null : all[recent[slot]];
        if (old !== null && old.busy !== null && touch - old.touched >= ${IDLE_AFTER}) {
          old.srtt = old.busy.rtt.srtt | 0; old.cwnd = old.busy.cc.cwnd; pool.push(old.busy); old.busy = null;
        }
        recent[slot] = i; c.touched = touch; touch = (touch + 1) | 0;
      }`,
    find: 'const c = all[i]; age(i, c); const busy = c.busy ?? unfold(c); const { snd, rcv, count } = c; const { rtt, cc, rec, timers } = busy;',
    name: (part, field) => `${part}.${field}`,
  },
};

/** Compiles a layout: `make(n)` gives `{ all, segment(i, seq, ack, wnd, len, now), next(), accepted() }`. */
function compile(layout) {
  const { setup, find, name } = LAYOUTS[layout];
  const body = SEGMENT.replace(/@(\w+)\.(\w+)/g, (_, part, field) => name(part, field));
  return new Function(
    'n',
    `${setup}\nlet next = 0; let accepted = 0;
     function segment(i, seq, ack, wnd, len, now) { ${find} ${body} }
     return { all, segment, next: () => next, accepted: () => accepted };`,
  );
}

const used = () => {
  globalThis.gc();
  globalThis.gc();
  const memory = process.memoryUsage();
  return memory.heapUsed + memory.external;
};

/** What a child process does: one layout, measured. */
function measure(layout, ends) {
  const make = compile(layout);
  // A small instance first, so that hidden classes and their sizes have settled.
  make(100);
  const before = used();
  const { segment, next, accepted, all } = make(ends);
  const bytes = (used() - before) / ends;

  const touches = 1 << 20;
  const order = new Int32Array(touches);
  let random = 1;
  for (let i = 0; i < touches; i++) {
    random = (Math.imul(random, 1664525) + 1013904223) | 0;
    order[i] = (random >>> 8) % ends;
  }
  // What each peer has sent and may acknowledge, kept apart from the layouts: alike for all of them.
  const seqs = new Int32Array(ends);
  const rounds = { random: [], hot: [] };
  let now = 0;
  const pass = (hot) => {
    const began = process.hrtime.bigint();
    for (let t = 0; t < touches; t++) {
      const i = hot ? 7 : order[t];
      now += 0.001;
      segment(i, seqs[i], seqs[i], 65535, 1448, now);
      seqs[i] = (seqs[i] + 1448) | 0;
    }
    return Number(process.hrtime.bigint() - began) / touches;
  };
  pass(false);
  pass(true);
  for (let round = 0; round < 5; round++) {
    rounds.random.push(pass(false));
    rounds.hot.push(pass(true));
  }
  const done = accepted() === 12 * touches && next() > now && all.length === ends;
  if (!done) throw new Error(`${layout}: the loop did not do its work`);
  return { layout, bytes: [bytes], ...rounds };
}

function spread(values) {
  const sorted = [...values].sort((a, b) => a - b);
  return { min: sorted[0], median: sorted[sorted.length >> 1], max: sorted.at(-1) };
}

const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    ends: { type: 'string', default: '100000' },
    processes: { type: 'string', default: '3' },
    layout: { type: 'string' },
  },
});

const METRICS = [
  ['bytes', 'B/end'],
  ['random', 'ns/segment'],
  ['hot', 'ns/segment'],
];

function report(results) {
  if (values.json) {
    for (const [metric, unit] of METRICS) {
      const median = (layout) => Number(spread(results[layout][metric]).median.toPrecision(4));
      const ours = median('objects');
      const others = Object.keys(LAYOUTS).filter((layout) => layout !== 'objects');
      const peers = Object.fromEntries(others.map((layout) => [layout, median(layout)]));
      const ratio = Object.fromEntries(others.map((layout) => [layout, Number((ours / peers[layout]).toPrecision(3))]));
      console.log(JSON.stringify({ metric: `probe.layout.${metric}`, unit, better: 'lower', ours, peers, ratio }));
    }
    return;
  }
  const cell = (s) => `${s.min.toFixed(0)} / ${s.median.toFixed(0)} / ${s.max.toFixed(0)}`.padEnd(20);
  console.log(`${values.ends} ends, Node ${process.versions.node}; min / median / max\n`);
  console.log(`${'layout'.padEnd(14)}${METRICS.map(([metric, unit]) => `${metric}, ${unit}`.padEnd(20)).join('')}`);
  for (const [layout, result] of Object.entries(results)) {
    console.log(`${layout.padEnd(14)}${METRICS.map(([metric]) => cell(spread(result[metric]))).join('')}`.trimEnd());
  }
}

if (values.layout !== undefined) {
  console.log(JSON.stringify(measure(values.layout, Number(values.ends))));
} else {
  const results = {};
  const self = fileURLToPath(import.meta.url);
  // Layouts take turns, so that a slow minute of the machine hits all of them.
  for (let turn = 0; turn < Number(values.processes); turn++) {
    for (const layout of Object.keys(LAYOUTS)) {
      const args = ['--expose-gc', self, '--layout', layout, '--ends', values.ends];
      const child = spawnSync(process.execPath, args, { encoding: 'utf8' });
      if (child.status !== 0) throw new Error(child.stderr);
      const found = JSON.parse(child.stdout);
      results[layout] ??= { bytes: [], random: [], hot: [] };
      for (const [metric] of METRICS) results[layout][metric].push(...found[metric]);
    }
  }
  report(results);
}
