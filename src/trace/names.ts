// The names of states that are met in the wild, and what the RFC calls them.

import type { Lang, MessageKey } from './catalog.ts';
import { catalogOf } from './narration.ts';
import { padEnd, textWidth } from './width.ts';

/** Names met elsewhere for one thing. */
export interface Alias {
  /** As Linux, Windows, netstat and textbooks write it. */
  readonly met: readonly string[];
  /** As RFC 9293 writes it. */
  readonly rfc: string;
  readonly remark: MessageKey;
}

/** The names that differ; the states that are not here are spelled alike but for `-` and `_`. */
export const ALIASES: readonly Alias[] = [
  { met: ['SYN_SEND', 'SYN_SENT'], rfc: 'SYN-SENT', remark: 'alias-syn-sent' },
  { met: ['SYN_RCVD', 'SYN_RECV'], rfc: 'SYN-RECEIVED', remark: 'alias-syn-received' },
  { met: ['LASK_ACK', 'LAST_ACK'], rfc: 'LAST-ACK', remark: 'alias-last-ack' },
  { met: ['CLOSE'], rfc: 'CLOSED', remark: 'alias-closed' },
  { met: ['RFC 793'], rfc: 'RFC 9293', remark: 'alias-rfc-793' },
];

/** The table of names as lines of text, columns aligned. */
export function aliasTable(lang: Lang): string[] {
  const catalog = catalogOf(lang);
  const rows = [
    [catalog['alias-met'], catalog['alias-rfc'], catalog['alias-remark']],
    ...ALIASES.map((a) => [a.met.join(', '), a.rfc, catalog[a.remark]]),
  ];
  const width = (column: number) => Math.max(...rows.map((row) => textWidth(row[column]!)));
  const columns = [width(0), width(1)];
  return rows.map((row) => `${padEnd(row[0]!, columns[0]!)}  ${padEnd(row[1]!, columns[1]!)}  ${row[2]!}`.trimEnd());
}
