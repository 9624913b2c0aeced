// Our end of connections that agree with the kernel on fast open or ECN: a line of JSON for each that is over.
//
//   node agreed.mjs serve PORT [drop] [mark]                           answers with as many octets as came
//   node agreed.mjs connect ADDRESS PORT COUNT OCTETS [drop] [mark]    sends so many, and reads the answer
//
// `drop` loses every SYN with text, in either direction; `mark` marks every fiftieth packet that allows it as having met
// congestion, in both.

import { openTun } from '../../dist/link/tun.js';
import { createHost } from '../../dist/run/index.js';

const [verb, ...rest] = process.argv.slice(2);
const flags = rest.filter((word) => word === 'drop' || word === 'mark');
const [SYN, ACK, ECE, CWR] = [2, 16, 64, 128];
const CE = 3;

/** What was seen of each connection, by its two ports; and how often its window fell for a mark, by its number. */
const seen = new Map();
const reduced = new Map();

function seenOf(ports) {
  if (!seen.has(ports)) seen.set(ports, { syns: 0, synText: 0, eceIn: 0, eceOut: 0, cwrIn: 0, cwrOut: 0 });
  return seen.get(ports);
}

function trace(e) {
  if (e.type === 'congestion' && e.why === 'ecn') reduced.set(e.conn, (reduced.get(e.conn) ?? 0) + 1);
  if (e.type !== 'segment') return;
  const of = seenOf(e.dir === 'in' ? `${e.dstPort} ${e.srcPort}` : `${e.srcPort} ${e.dstPort}`);
  if ((e.flags & (SYN | ACK)) === SYN) {
    of.syns++;
    of.synText = Math.max(of.synText, e.len);
  }
  if ((e.flags & SYN) !== 0) return;
  if ((e.flags & ECE) !== 0) of[e.dir === 'in' ? 'eceIn' : 'eceOut']++;
  if ((e.flags & CWR) !== 0) of[e.dir === 'in' ? 'cwrIn' : 'cwrOut']++;
}

let allowing = 0;

/** What happens to an IPv4 packet on the way: true when it is lost. */
function meets(b, from, to) {
  const tcp = from + (b[from] & 15) * 4;
  const text = to - tcp - (b[tcp + 12] >> 4) * 4;
  if (flags.includes('drop') && (b[tcp + 13] & SYN) !== 0 && text > 0) return true;
  const codepoint = b[from + 1] & 3;
  if (flags.includes('mark') && (codepoint === 1 || codepoint === 2) && ++allowing % 50 === 0) {
    b[from + 1] |= CE;
    // The header's sum, anew (RFC 791 §3.1).
    b[from + 10] = 0;
    b[from + 11] = 0;
    let sum = 0;
    for (let k = from; k < tcp; k += 2) sum += (b[k] << 8) | b[k + 1];
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >>> 16);
    b[from + 10] = (~sum >>> 8) & 0xff;
    b[from + 11] = ~sum & 0xff;
  }
  return false;
}

/** A link on which `meets` happens. */
function meeting(link) {
  return {
    medium: link.medium,
    mtu: link.mtu,
    caps: link.caps,
    mac: link.mac,
    open: (port) =>
      link.open({
        receive: (bytes, from, to, meta) => {
          if (!meets(bytes, from, to)) port.receive(bytes, from, to, meta);
        },
        transmit: (out, at, meta) => {
          for (;;) {
            const length = port.transmit(out, at, meta);
            if (length === 0 || !meets(out, at, at + length)) return length;
            meta.reset();
          }
        },
        turn: () => port.turn(),
        writable: () => port.writable(),
        refused: () => port.refused(),
        down: (error) => port.down(error),
      }),
    pump: () => link.pump(),
    close: () => link.close(),
  };
}

const { host, runtime } = createHost({ name: 'ours', profile: { ecn: 'ask' }, trace });
const link = openTun({ name: 'synfin0', vnet: false, kernelAddresses: ['10.77.0.1/24'] });
runtime.attach(meeting(link), { addresses: ['10.77.0.2/24'] });

/** Sends `octets` as room allows, then ends. */
function sends(connection, octets) {
  const piece = new Uint8Array(65_536);
  let left = octets;
  const more = () => {
    while (left > 0) {
      const taken = connection.send(piece, 0, Math.min(left, piece.length));
      left -= taken;
      if (taken === 0) return;
    }
    connection.shutdown();
  };
  more();
  return more;
}

function tell(connection, error, octets) {
  const { id, ecn, localPort, remotePort } = connection;
  const marks = { ecn: ecn !== null, marksIn: ecn?.marksIn ?? 0, reduced: reduced.get(id) ?? 0 };
  const said = { error: error?.code ?? null, octets, ...seenOf(`${localPort} ${remotePort}`), ...marks };
  process.stdout.write(`${JSON.stringify(said)}\n`);
}

/** Reads to the end and, when `answers`, sends as much back. */
function attach(connection, answers, done) {
  let octets = 0;
  let more = () => {};
  connection.handler = {
    onWritable: () => more(),
    onReadable: (s) => {
      octets += s.readable;
      s.consume(s.readable);
      if (s.ended && answers) more = sends(connection, octets);
    },
    onClose: (_, error) => {
      tell(connection, error, octets);
      done();
    },
  };
}

if (verb === 'serve') {
  host.listen({ port: Number(rest[0]), fastOpen: 8 }, (connection) => attach(connection, true, () => {}));
  process.on('SIGINT', () => {
    runtime.close();
    process.exit(0);
  });
  process.stdout.write('serving\n');
} else {
  const [address, port, count, octets] = rest;
  for (let n = 0; n < Number(count); n++) {
    await new Promise((resolve) => {
      runtime.tick();
      const connection = host.connect({ address, port: Number(port), fastOpen: true });
      attach(connection, false, resolve);
      const more = sends(connection, Number(octets));
      connection.handler.onWritable = more;
    });
  }
  runtime.close();
}
