// What happens, in words: the latest change of state, the next event, and what the latest or chosen segment means.

import { createMemo, createSignal, For, type JSX, Show } from 'solid-js';
import { timeText } from '../i18n/texts.ts';
import { actionWords, beatWords, other, segmentName } from '../i18n/words.ts';
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
      const mine = e.conn === 0 || e.conn === line.connections[e.host === 'client' ? 'client' : 'server'];
      if (!mine || (e.from === 'LISTEN' && e.to === 'CLOSED')) continue;
      const who = store.t(e.host === 'client' ? 'client' : 'server');
      words = store.t('status-state', { t: timeText(e.at), who, state: e.to, cause: e.cause });
    }
    return words;
  });
  const next = createMemo(() => {
    const beat = store.scene()?.next ?? null;
    return beat === null ? '' : beatWords(store.lang(), beat, nameOf);
  });
  /** What comes next would be the answer. */
  const hidden = () => store.look().covered || (store.asking.here() !== null && store.asking.given() === 0);
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
        <Show when={!hidden()} fallback={<span class="soft">{store.t('question')}</span>}>
          <Show when={next() !== ''} fallback={store.t('next-none')}>
            {next()} <span class="soft">{wait()}</span>
          </Show>
        </Show>
      </p>
    </div>
  );
}

interface Told {
  readonly kind: 'say' | 'exact' | 'note';
  readonly text: string;
}

/** What there is to say of a segment that the tale passes over. */
function plainWords(store: Store, arrow: Arrow): Told[] {
  const { crossing: c, flight, stray } = arrow;
  if (stray !== '') return [{ kind: 'exact', text: store.t('plain-stray', { from: stray }) }];
  const letters = store.scene()?.letters;
  if (letters === null || letters === undefined) return [];
  const who = store.t(flight.from);
  const lines: Told[] = [];
  if (c.len > 0) {
    lines.push({ kind: 'exact', text: store.t('plain-data', { who, n: c.len, seq: letters.seq(c) }) });
  }
  if ((c.flags & 16) !== 0) lines.push({ kind: 'exact', text: store.t('plain-ack', { who, ack: letters.ack(c) }) });
  return lines;
}

/** What the lab itself knows of a segment: where it ended, who made it, what came of its copy. */
function labWords(store: Store, arrow: Arrow): Told[] {
  const { flight } = arrow;
  const lines: Told[] = [];
  if (flight.forged && arrow.stray === '') {
    lines.push({ kind: 'note', text: store.t('plain-forged', { who: store.t(other(flight.from)) }) });
  }
  if (flight.landing === 'no-room' && store.p() >= flight.endP) {
    lines.push({ kind: 'exact', text: store.t('plain-full') });
  }
  if (flight.copyP > flight.endP + 50 && store.p() >= flight.copyP) {
    lines.push({ kind: 'note', text: store.t('plain-copy', { t: timeText(flight.copyAt) }) });
  }
  return lines;
}

/** What was said of the chosen segment, or else of the latest that there is something to say of. */
export function Story(props: { store: Store }): JSX.Element {
  const { store } = props;
  const [shown, setShown] = createSignal('');
  const told = createMemo<{ arrow: Arrow | null; lines: readonly Told[] }>(() => {
    const story = store.story();
    const scene = store.scene();
    if (story === null || scene === null) return { arrow: null, lines: [] };
    // Of a burst, what there is to tell may be of one that left just before the last.
    const latest = scene.arrows.slice(-RECENT).reverse();
    const arrow = store.chosenArrow() ?? latest.find((a) => story.of(a.crossing).length > 0) ?? latest[0] ?? null;
    if (arrow === null) return { arrow, lines: [] };
    // Nobody of the tale has said what was made by hand.
    const lines = arrow.flight.forged || arrow.stray !== '' ? [] : story.of(arrow.crossing);
    return { arrow, lines: [...(lines.length > 0 ? lines : plainWords(store, arrow)), ...labWords(store, arrow)] };
  });
  const title = () => {
    const { arrow } = told();
    if (arrow === null) return '';
    const c = arrow.crossing;
    return `${store.t('segment', { n: c.packet })}: ${segmentName(c.flags, c.len)}, ${store.t(`role-${c.role}`)}`;
  };
  /** The answer stays covered until it is asked for; another segment has another. */
  const covered = () => store.look().covered && shown() !== title();
  return (
    <section class="story" aria-label={store.t('story')} tabindex="0">
      <Show when={told().arrow} fallback={<p class="soft">{store.t('story-none')}</p>}>
        <p class="subject">{title()}</p>
        <Show
          when={!covered()}
          fallback={
            <p>
              <span class="soft">{store.t('covered')}</span>{' '}
              <button type="button" onClick={() => setShown(title())}>
                {store.t('reveal')}
              </button>
            </p>
          }
        >
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
        </Show>
      </Show>
    </section>
  );
}

/** What the visitor did, and the way back. */
export function Deeds(props: { store: Store }): JSX.Element {
  const { store } = props;
  /** What a frame asks for is no deed of the visitor's. */
  const actions = () => store.spec().actions.filter((action) => action.kind !== 'get');
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
