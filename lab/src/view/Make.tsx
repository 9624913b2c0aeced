// A segment made by hand: who it seems to come from, its flags, and numbers told from where the receiver stands.

import { createMemo, createSignal, For, type JSX, Show } from 'solid-js';
import { other } from '../i18n/words.ts';
import type { Forged } from '../model/actions.ts';
import { FLAG_NAMES } from '../model/fields.ts';
import type { End } from '../model/scenario.ts';
import type { Store } from './store.ts';

const [FIN, SYN, RST, PSH, ACK] = [1, 2, 4, 8, 16] as const;
const PLAIN: Forged = { flags: ACK, seq: 0, ack: 0, wnd: 65_535, text: '' };
/** Beyond every window of these runs, and still ahead. */
const FAR = 0x3000_0000;

/** Examples worth trying; each tells something about RFC 9293 §3.10.7.4 or RFC 5961. */
const EXAMPLES = [
  { name: 'rst-exact', segment: { ...PLAIN, flags: RST } },
  { name: 'rst-near', segment: { ...PLAIN, flags: RST, seq: 100 } },
  { name: 'syn', segment: { ...PLAIN, flags: SYN, seq: 100 } },
  { name: 'old', segment: { ...PLAIN, flags: ACK | PSH, seq: -40, text: 'an old story, told again\n' } },
  { name: 'future', segment: { ...PLAIN, flags: ACK | PSH, seq: FAR, text: 'out of this window\n' } },
  { name: 'unsent', segment: { ...PLAIN, ack: 1000 } },
  { name: 'fin', segment: { ...PLAIN, flags: FIN | ACK } },
] as const;

/** The form. */
export function Make(props: { store: Store }): JSX.Element {
  const { store } = props;
  const [from, setFrom] = createSignal<End>('server');
  const [segment, setSegment] = createSignal<Forged>(EXAMPLES[0].segment);
  const set = (changes: Partial<Forged>) => setSegment((before) => ({ ...before, ...changes }));
  const example = createMemo(() => {
    const now = JSON.stringify(segment());
    return EXAMPLES.find((e) => JSON.stringify(e.segment) === now)?.name ?? 'own';
  });
  const receiver = () => other(from());
  /** Somebody must be there to receive it: it goes by that end's own addresses and numbers. */
  const there = () => (store.scene()?.ends[receiver()].inside ?? null) !== null;
  const number = (event: { currentTarget: HTMLInputElement }) => Math.trunc(event.currentTarget.valueAsNumber || 0);
  return (
    <form
      class="make"
      aria-label={store.t('tab-make')}
      onSubmit={(event) => {
        event.preventDefault();
        store.forge(from(), segment());
      }}
    >
      <p class="soft">{store.t('make-about')}</p>
      <div class="rows">
        <label>
          <span>{store.t('make-from')}</span>
          <select value={from()} onChange={(event) => setFrom(event.currentTarget.value as End)}>
            <For each={['client', 'server'] as const}>{(end) => <option value={end}>{store.t(end)}</option>}</For>
          </select>
        </label>
        <label>
          <span>{store.t('make-kind')}</span>
          <select
            value={example()}
            onChange={(event) => {
              const found = EXAMPLES.find((e) => e.name === event.currentTarget.value);
              if (found !== undefined) setSegment(found.segment);
            }}
          >
            <For each={EXAMPLES}>{(e) => <option value={e.name}>{store.t(`make-${e.name}`)}</option>}</For>
            <option value="own">{store.t('make-own')}</option>
          </select>
        </label>
      </div>
      <fieldset class="flag-boxes">
        <legend>{store.t('make-flags')}</legend>
        <For each={FLAG_NAMES}>
          {(name, i) => (
            <label title={store.t(`flag-${name}`)}>
              <input
                type="checkbox"
                checked={(segment().flags & (0x80 >> i())) !== 0}
                onChange={() => set({ flags: segment().flags ^ (0x80 >> i()) })}
              />
              <span>{name}</span>
            </label>
          )}
        </For>
      </fieldset>
      <div class="rows">
        <label>
          <span>{store.t('make-seq')}</span>
          <input type="number" step="1" value={segment().seq} onInput={(event) => set({ seq: number(event) })} />
        </label>
        <label>
          <span>{store.t('make-ack')}</span>
          <input type="number" step="1" value={segment().ack} onInput={(event) => set({ ack: number(event) })} />
        </label>
        <label>
          <span>{store.t('make-wnd')}</span>
          <input
            type="number"
            step="1"
            min="0"
            max="65535"
            value={segment().wnd}
            onInput={(event) => set({ wnd: Math.min(Math.max(number(event), 0), 65_535) })}
          />
        </label>
        <label class="wide">
          <span>{store.t('make-text')}</span>
          <input
            type="text"
            maxlength="400"
            value={segment().text.trimEnd()}
            onInput={(event) => {
              const { value } = event.currentTarget;
              set({ text: value === '' ? '' : `${value}\n` });
            }}
          />
        </label>
      </div>
      <Show when={there()} fallback={<p class="soft">{store.t('make-nobody', { who: store.t(receiver()) })}</p>}>
        <button type="submit" class="strong">
          {store.t('make-send')}
        </button>
      </Show>
    </form>
  );
}
