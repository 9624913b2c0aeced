// What happens, in words: the latest change of state, the next event, and what the latest or chosen segment means.

import { createMemo, For, type JSX, Show } from 'solid-js';
import { timeText } from '../i18n/texts.ts';
import { actionWords, beatWords, segmentName } from '../i18n/words.ts';
import type { Arrow } from '../model/moment.ts';
import type { Store } from './store.ts';

/** How far back the story looks for something to tell, segments. */
const RECENT = 2;

/** Now and next. */
export function NowAndNext(props: { store: Store }): JSX.Element {
  const { store } = props;
  const nameOf = (packet: number) => {
    const arrow = store.scene()?.arrows.find((a) => a.flight.packet === packet);
    return arrow === undefined ? '' : segmentName(arrow.crossing.flags, arrow.crossing.len);
  };
  const status = createMemo(() => {
    const line = store.timeline();
    const scene = store.scene();
    if (line === null || scene === null) return '';
    let words = store.t('status-start');
    // The newest edge of either end that this page shows.
    for (const beat of line.beats) {
      const e = beat.trace;
      if (beat.p > store.p() + 0.01 || e?.type !== 'state') continue;
      if (e.from === 'LISTEN' && e.to === 'CLOSED') continue;
      const who = store.t(e.host === 'client' ? 'client' : 'server');
      words = store.t('status-state', { t: timeText(e.at), who, state: e.to, cause: e.cause });
    }
    return words;
  });
  const next = createMemo(() => {
    const beat = store.scene()?.next ?? null;
    return beat === null ? '' : beatWords(store.lang(), beat, nameOf);
  });
  const wait = () => {
    const beat = store.scene()?.next ?? null;
    const ms = beat === null ? 0 : beat.at - store.at();
    return ms < 0.05 ? store.t('at-once') : store.t('in-time', { t: timeText(ms) });
  };
  return (
    <div class="now-next">
      <p>
        <span class="tag">{store.t('now')}</span> <span role="status">{status()}</span>
      </p>
      <p>
        <span class="tag">{store.t('next')}</span>{' '}
        <Show when={next() !== ''} fallback={store.t('next-none')}>
          {next()} <span class="soft">{wait()}</span>
        </Show>
      </p>
    </div>
  );
}

/** What there is to say of a segment that the tale passes over. */
function plainWords(store: Store, arrow: Arrow): { kind: string; text: string }[] {
  const { crossing: c, flight } = arrow;
  const letters = store.scene()?.letters;
  if (letters === null || letters === undefined) return [];
  const who = store.t(flight.from);
  const lines = [{ kind: 'exact', text: store.t('plain-ack', { who, ack: letters.ack(c) }) }];
  if (c.len > 0) lines.unshift({ kind: 'exact', text: store.t('plain-data', { who, n: c.len, seq: letters.seq(c) }) });
  return lines;
}

/** What was said of the chosen segment, or else of the latest that there is something to say of. */
export function Story(props: { store: Store }): JSX.Element {
  const { store } = props;
  const told = createMemo<{ arrow: Arrow | null; lines: readonly { kind: string; text: string }[] }>(() => {
    const story = store.story();
    const scene = store.scene();
    if (story === null || scene === null) return { arrow: null, lines: [] };
    const chosen = store.chosenArrow();
    if (chosen !== null) {
      const lines = story.of(chosen.crossing);
      return { arrow: chosen, lines: lines.length > 0 ? lines : plainWords(store, chosen) };
    }
    // Of a burst, what there is to tell may be of one that left just before the last.
    const latest = scene.arrows.slice(-RECENT).reverse();
    const arrow = latest.find((a) => story.of(a.crossing).length > 0) ?? latest[0] ?? null;
    if (arrow === null) return { arrow, lines: [] };
    const lines = story.of(arrow.crossing);
    return { arrow, lines: lines.length > 0 ? lines : plainWords(store, arrow) };
  });
  const title = () => {
    const { arrow } = told();
    if (arrow === null) return '';
    const c = arrow.crossing;
    return `${store.t('segment', { n: c.packet })}: ${segmentName(c.flags, c.len)}, ${store.t(`role-${c.role}`)}`;
  };
  return (
    <section class="story" aria-label={store.t('story')} tabindex="0">
      <Show when={told().arrow} fallback={<p class="soft">{store.t('story-none')}</p>}>
        <p class="subject">{title()}</p>
      </Show>
      <For each={told().lines}>
        {(line) => (
          <p class={`line ${line.kind} ${told().arrow?.flight.from ?? ''}`}>
            <Show when={line.kind !== 'note'}>
              <span class="kind">{store.t(line.kind === 'say' ? 'kind-say' : 'kind-exact')}</span>
            </Show>
            {line.text}
          </p>
        )}
      </For>
    </section>
  );
}

/** What the visitor did, and the way back. */
export function Deeds(props: { store: Store }): JSX.Element {
  const { store } = props;
  const actions = () => store.spec().actions;
  return (
    <section class="deeds" aria-label={store.t('touched')}>
      <h2>{store.t('touched')}</h2>
      <Show when={actions().length > 0} fallback={<p class="soft">{store.t('nothing-touched')}</p>}>
        <ol>
          <For each={actions()}>{(action) => <li>{actionWords(store.lang(), action)}</li>}</For>
        </ol>
        <button type="button" onClick={() => store.undo(false)}>
          {store.t('undo')}
        </button>{' '}
        <button type="button" onClick={() => store.undo(true)}>
          {store.t('undo-all')}
        </button>
      </Show>
    </section>
  );
}
