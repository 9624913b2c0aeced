// A run as a capture file: what a capture at one of the two hosts would have seen.

import { DIRECTION_IN, DIRECTION_OUT, PcapngWriter } from 'synfin/trace';
import type { RunRecord } from './record.ts';
import type { End } from './scenario.ts';

/** In English: that is what readers of captures expect. */
const COMMENT_FORGED = 'made by hand in the lab';

/**
 * Writes the packets that passed at one end, in the order in which they did: what it sent, lost on the way or not, and
 * what arrived, damaged or not.
 *
 * @param until packets up to this moment, ms
 */
export function captureOf(record: RunRecord, end: End, until: number): Uint8Array {
  const passed = record.packets.flatMap((packet) => {
    const comment = packet.forged ? COMMENT_FORGED : '';
    if (packet.from === end)
      return [{ at: packet.at, bytes: packet.bytes, way: DIRECTION_OUT, comment, id: packet.id }];
    return packet.arrivals.map(({ at, bytes }) => ({ at, bytes, way: DIRECTION_IN, comment, id: packet.id }));
  });
  const writer = new PcapngWriter();
  const place = writer.interface(end, 'ip');
  for (const p of passed.filter((q) => q.at <= until).sort((a, b) => a.at - b.at || a.id - b.id)) {
    writer.packet(place, p.at, p.bytes, 0, p.bytes.length, p.comment, p.way);
  }
  return writer.finish();
}
