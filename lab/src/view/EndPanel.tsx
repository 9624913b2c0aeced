// One host: the state it is in, its diagram, its program, and what its program can be made to do.

import { createMemo, createSignal, For, type JSX, Show } from 'solid-js';
import { timeText } from '../i18n/texts.ts';
import { programWords } from '../i18n/words.ts';
import type { End } from '../model/scenario.ts';
import { Clocks } from './Inside.tsx';
import { StateDiagram } from './StateDiagram.tsx';
import type { Store } from './store.ts';

/** How many lines of a program's doings are shown. */
const DOINGS = 4;

/** The state of an end in large letters, with what it means and how long TIME-WAIT has left. */
export function StateBadge(props: { store: Store; end: End }): JSX.Element {
  const { store } = props;
  const view = createMemo(() => store.scene()?.ends[props.end] ?? null);
  const state = () => view()?.state ?? 'CLOSED';
  const until = () => view()?.waitUntil ?? -1;
  const left = () => Math.max(until() - store.at(), 0);
  const share = () => left() / Math.max(until() - (view()?.waitFrom ?? 0), 1);
  return (
    <div class={`badge-card ${props.end}`}>
      <div class="who">
        <b>{store.t(props.end)}</b>
        <span class="address">{props.end === 'client' ? '10.0.0.1' : '10.0.0.2:80'}</span>
      </div>
      <div class={`state-name s-${state()}`}>{state()}</div>
      <Show when={until() >= 0} fallback={<p class="about-state">{store.t(`about-${state()}`)}</p>}>
        <div class="countdown">
          <span>{store.t('wait-left', { t: timeText(left()) })}</span>
          <div class="bar" aria-hidden="true">
            <div style={{ width: `${share() * 100}%` }} />
          </div>
        </div>
      </Show>
    </div>
  );
}

/** The side column of a host. */
export function EndPanel(props: { store: Store; end: End }): JSX.Element {
  const { store } = props;
  const [text, setText] = createSignal('hello\n');
  const view = createMemo(() => store.scene()?.ends[props.end] ?? null);
  const last = () => view()?.edges.at(-1);
  const who = () => store.t(props.end);
  const doings = () => (view()?.program ?? []).slice(-DOINGS);
  return (
    <section class={`end ${props.end}`} aria-label={who()}>
      <h2>{store.t('states', { who: who() })}</h2>
      <StateDiagram store={store} end={props.end} />
      <p class="edge-words">
        <Show when={last()} fallback={store.t('edge-none')}>
          {(edge) => (
            <>
              <span class="hidden">{store.t('edge-last')}</span>
              <span class="way">
                {edge().from} → {edge().to}
              </span>
              <br />
              <b>{edge().cause}</b>
              {edge().sends === '' ? '' : `, ${store.t('edge-sends', { what: edge().sends })}`}
            </>
          )}
        </Show>
      </p>
      <h3>{store.t('program')}</h3>
      <ol class="doings">
        <For each={doings()} fallback={<li>{store.t('program-none')}</li>}>
          {(e) => (
            <li>
              <span class="when">{timeText(e.at)}</span> {programWords(store.lang(), e)}
            </li>
          )}
        </For>
      </ol>
      <h3>{store.t('timers')}</h3>
      <Clocks store={store} end={props.end} />
      <form
        class="commands"
        aria-label={store.t('commands', { who: who() })}
        onSubmit={(event) => {
          event.preventDefault();
          if (text() !== '') store.command('send', props.end, text());
        }}
      >
        <input
          type="text"
          value={text().trimEnd()}
          maxlength="400"
          aria-label={store.t('send-what', { who: who() })}
          onInput={(event) => setText(event.currentTarget.value === '' ? '' : `${event.currentTarget.value}\n`)}
        />
        <button type="submit">{store.t('send')}</button>
        <button type="button" onClick={() => store.command('close', props.end)}>
          {store.t('close')}
        </button>
        <button type="button" class="danger" onClick={() => store.command('abort', props.end)}>
          {store.t('abort')}
        </button>
      </form>
    </section>
  );
}
