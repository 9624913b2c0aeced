// The shape of a message catalogue: every text the story can say, one key each, the same in every language.
//
// Texts hold places such as `{n}` that `fill` replaces. They use ASCII and double-width characters only:
// what has "ambiguous" width (curly quotes, arrows, circled digits) would break a table of columns.

/** Languages the story is told in. */
export type Lang = 'en' | 'zh';

/** Every text there is. */
export type MessageKey =
  // names
  | 'client'
  | 'server'
  | 'both'
  | 'client-says'
  | 'server-says'
  | 'both-say'
  | 'note'
  // the ladder's own words
  | 'section-open'
  | 'section-open-at-once'
  | 'section-data'
  | 'section-close'
  | 'section-close-at-once'
  | 'section-three-waves'
  | 'section-refused'
  | 'label-data'
  | 'label-last-words'
  | 'label-again'
  | 'label-probe'
  | 'fold-segments'
  | 'fold-octets'
  | 'fold-lost'
  | 'fold-again'
  | 'fold-twice'
  | 'fold-corrupted'
  | 'fold-late'
  | 'fold-hint'
  | 'legend'
  | 'legend-lost'
  | 'legend-corrupted'
  | 'legend-late'
  | 'legend-twice'
  | 'legend-pending'
  // opening
  | 'note-roles'
  | 'say-shake-1'
  | 'exact-shake-1'
  | 'exact-shake-1-data'
  | 'note-syn-data'
  | 'note-shake-1-lost'
  | 'note-shake-1-again'
  | 'say-shake-2'
  | 'exact-shake-2'
  | 'note-shake-2-may'
  | 'note-shake-2-lost'
  | 'note-shake-2-again'
  | 'say-shake-3'
  | 'exact-shake-3'
  | 'exact-shake-3-data'
  | 'note-shake-3-later'
  | 'note-shake-3-lost'
  | 'note-shake-3-again'
  | 'note-shake-3-healed'
  | 'say-crossed-syn'
  | 'note-crossed-syn'
  | 'exact-crossed-syn-ack'
  | 'say-refusal'
  | 'exact-refusal'
  | 'say-reset'
  | 'exact-reset'
  | 'say-reset-gone'
  | 'exact-reset-gone'
  | 'note-reset-time-wait'
  // exchange
  | 'note-pipes'
  | 'note-http'
  | 'note-data-lost'
  | 'note-ack-lost'
  | 'note-data-late'
  | 'note-again-timer'
  | 'note-again-fast'
  | 'note-again-partial'
  | 'note-corrupted'
  | 'note-probe'
  // closing
  | 'say-wave-1'
  | 'exact-wave-1'
  | 'exact-wave-1-data'
  | 'note-fin-bit'
  | 'note-wave-1-lost'
  | 'note-wave-1-again'
  | 'say-wave-2'
  | 'exact-wave-2'
  | 'note-half-close'
  | 'note-wave-2-lost'
  | 'note-wave-2-again'
  | 'say-last-words'
  | 'exact-last-words'
  | 'say-wave-3'
  | 'exact-wave-3'
  | 'note-wave-3-lost'
  | 'note-wave-3-again'
  | 'say-wave-2+3'
  | 'exact-wave-2+3'
  | 'say-wave-4'
  | 'exact-wave-4'
  | 'note-time-wait'
  | 'note-wave-4-lost'
  | 'note-wave-4-again'
  | 'note-both-close'
  | 'say-crossed-fin'
  | 'exact-crossed-fin'
  | 'exact-crossed-fin-ack'
  | 'note-crossed-fin-ack-lost'
  | 'note-2msl-end'
  | 'note-gave-up'
  | 'note-msl'
  // figures
  | 'figure-open'
  | 'figure-close'
  | 'figure-states'
  | 'figure-open-desc'
  | 'figure-close-desc'
  | 'figure-states-desc'
  | 'figure-legend-client'
  | 'figure-legend-server'
  | 'figure-legend-rare'
  | 'figure-rest'
  // the table of names
  | 'alias-title'
  | 'alias-met'
  | 'alias-rfc'
  | 'alias-remark'
  | 'alias-syn-sent'
  | 'alias-syn-received'
  | 'alias-last-ack'
  | 'alias-closed'
  | 'alias-rfc-793';

/** All texts of one language. */
export type Catalog = Readonly<Record<MessageKey, string>>;

/** What the places of a text are filled with. */
export type Places = Readonly<Record<string, string | number>>;

/** `text` with each `{name}` replaced from `places`; a place without a value stays as it is, to be seen. */
export function fill(text: string, places: Places): string {
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => {
    const value = places[name];
    return value === undefined ? whole : String(value);
  });
}
