// Knobs: what the path does, and how each end behaves, from this moment on.

import { For, type JSX, Show } from 'solid-js';
import { knobWords } from '../i18n/words.ts';
import { CONGESTION_CONTROLS, type Knob, knobAt } from '../model/actions.ts';
import { type End, PATH_DELAY } from '../model/scenario.ts';
import { scenarioOf } from '../model/scenarios.ts';
import type { Store } from './store.ts';

/** Values offered by the sliders of the path: what a reader wants to try, not every number there is. */
const OFFERED: Readonly<Record<'delay' | 'loss' | 'rate', readonly number[]>> = {
  delay: [1, 5, 10, 20, 50, 80, 120, 200, 300, 500, 1000, 2000],
  loss: [0, 1, 2, 5, 10, 15, 20, 30, 50, 70, 90],
  rate: [5, 10, 20, 50, 100, 200, 500, 1000, 0],
};
/** Sizes of a receive buffer. */
const WINDOWS: readonly number[] = [256, 1000, 2000, 4000, 16_000, 64_000, 512_000];
const PATH_KNOBS = ['delay', 'loss', 'rate'] as const;

/** What is done happens just after the moment that is seen, and shows at once, ms. */
const JUST_NOW = 0.002;

/** How a knob stands now, by the scenario and by what was turned. */
export function standing(store: Store, knob: Knob, end: End | ''): number {
  const scenario = scenarioOf(store.spec().scenario);
  const inside = end === '' ? null : (store.scene()?.ends[end].inside ?? null);
  const otherwise: Readonly<Record<Knob, number>> = {
    delay: PATH_DELAY,
    loss: 0,
    rate: Math.round(scenario.rate / 1000),
    window: inside?.receiveLimit ?? 512_000,
    nagle: inside?.noDelay === true ? 0 : 1,
    congestion: inside?.congestionControl === CONGESTION_CONTROLS[1] ? 1 : 0,
    reads: end === 'client' && scenario.clientSleeps > 0 ? 0 : 1,
  };
  return knobAt(store.spec().actions, knob, end, store.at() + JUST_NOW, otherwise[knob]);
}

/** A slider over the values that are offered. */
function PathKnob(props: { store: Store; knob: 'delay' | 'loss' | 'rate' }): JSX.Element {
  const { store, knob } = props;
  const offered = OFFERED[knob];
  const value = () => standing(store, knob, '');
  const place = () => {
    const exact = offered.indexOf(value());
    return exact >= 0
      ? exact
      : Math.max(
          offered.findIndex((v) => v > value()),
          0,
        );
  };
  return (
    <label class="knob">
      <span>{store.t(`knob-${knob}`)}</span>
      <input
        type="range"
        min="0"
        max={offered.length - 1}
        step="1"
        value={place()}
        style={{ '--share': `${(place() / (offered.length - 1)) * 100}%` }}
        aria-valuetext={knobWords(store.lang(), knob, value())}
        onChange={(event) => store.turn(knob, '', offered[event.currentTarget.valueAsNumber] ?? 0)}
      />
      <output>{knobWords(store.lang(), knob, value())}</output>
    </label>
  );
}

function Switch(props: { store: Store; knob: 'nagle' | 'reads'; end: End }): JSX.Element {
  const { store, knob, end } = props;
  return (
    <label class="switch">
      <input
        type="checkbox"
        checked={standing(store, knob, end) === 1}
        onChange={(event) => store.turn(knob, end, event.currentTarget.checked ? 1 : 0)}
      />
      <span>{store.t(`knob-${knob}`)}</span>
    </label>
  );
}

function EndKnobs(props: { store: Store; end: End }): JSX.Element {
  const { store, end } = props;
  const open = () => store.scene()?.ends[end].inside ?? null;
  return (
    <fieldset class={`knobs ${end}`}>
      <legend>{store.t(end)}</legend>
      <Show when={open()} fallback={<p class="soft">{store.t('inside-none', { who: store.t(end) })}</p>}>
        <label class="knob">
          <span>{store.t('knob-window')}</span>
          <select
            value={String(standing(store, 'window', end))}
            onChange={(event) => store.turn('window', end, Number(event.currentTarget.value))}
          >
            <For each={[...new Set([...WINDOWS, standing(store, 'window', end)])].sort((a, b) => a - b)}>
              {(size) => <option value={String(size)}>{knobWords(store.lang(), 'window', size)}</option>}
            </For>
          </select>
        </label>
        <label class="knob">
          <span>{store.t('knob-congestion')}</span>
          <select
            value={String(standing(store, 'congestion', end))}
            onChange={(event) => store.turn('congestion', end, Number(event.currentTarget.value))}
          >
            <For each={CONGESTION_CONTROLS}>{(name, i) => <option value={String(i())}>{name}</option>}</For>
          </select>
        </label>
        <Switch store={store} knob="nagle" end={end} />
        <Show when={!scenarioOf(store.spec().scenario).web}>
          <Switch store={store} knob="reads" end={end} />
        </Show>
      </Show>
    </fieldset>
  );
}

/** All knobs. */
export function Change(props: { store: Store }): JSX.Element {
  const { store } = props;
  return (
    <>
      <p class="soft">{store.t('change-about')}</p>
      <div class="change">
        <fieldset class="knobs">
          <legend>{store.t('the-path')}</legend>
          <For each={PATH_KNOBS}>{(knob) => <PathKnob store={store} knob={knob} />}</For>
        </fieldset>
        <EndKnobs store={store} end="client" />
        <EndKnobs store={store} end="server" />
      </div>
    </>
  );
}
