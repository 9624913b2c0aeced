// Answers of name servers, octet by octet.

/** A name on the wire. */
export const name = (text: string): number[] => [
  ...text.split('.').flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')]),
  0,
];

/** A pointer to what stands at an offset of the message. */
export const pointer = (at: number): number[] => [0xc0 | (at >> 8), at & 255];

/** A record of the class IN. */
export function record(owner: number[], type: number, data: number[], ttl = 300): number[] {
  const seconds = [ttl >>> 24, (ttl >> 16) & 255, (ttl >> 8) & 255, ttl & 255];
  return [...owner, type >> 8, type & 255, 0, 1, ...seconds, data.length >> 8, data.length & 255, ...data];
}

/** What a server says to a question: `flags` as 16 bits, with QR set. */
export function answerTo(question: Uint8Array, records: number[][], flags = 0x8180): Uint8Array {
  const bytes = new Uint8Array([...question, ...records.flat()]);
  bytes[2] = flags >> 8;
  bytes[3] = flags & 255;
  bytes[7] = records.length;
  return bytes;
}
