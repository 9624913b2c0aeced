// Windows and round-trip time of one end as curves over time; a minute of silence is short here too.

import { createMemo, createSignal, For, type JSX, on, Show, untrack } from 'solid-js';
import { timeText } from '../i18n/texts.ts';
import { clockOf, curveOf, type Plotted, plotOf } from '../model/plot.ts';
import type { End } from '../model/scenario.ts';
import type { Store } from './store.ts';

const WIDTH = 900;
const LEFT = 62;
const RIGHT = 14;
const OCTETS = { top: 12, height: 220 } as const;
const TIMES = { top: 268, height: 92 } as const;
const HEIGHT = 392;
const LINES = 4;
/** The plot is at least this long, ms. */
const SHORTEST = 500;
const TICKS = 5;

/** A round number at or above `most`. */
function ceiling(most: number): number {
  let step = 1;
  while (step * 10 <= most) step *= 10;
  return [1, 2, 4, 5, 8, 10].map((k) => k * step).find((k) => k >= most) ?? 10 * step;
}

/** Who sends more: its window is the one to look at. */
function sender(store: Store): End {
  const octets = { client: 0, server: 0 };
  for (const packet of store.record()?.packets ?? []) octets[packet.from] += packet.bytes.length;
  return octets.server >= octets.client ? 'server' : 'client';
}

/** The plot. */
export function Plot(props: { store: Store }): JSX.Element {
  const { store } = props;
  const [picked, setPicked] = createSignal<End | ''>('');
  const end = createMemo<End>(() => {
    const chosen = picked();
    return chosen === '' ? sender(store) : chosen;
  });
  const data = createMemo<Plotted>(() => {
    // The scene changes with what is known; between changes the curves are flat.
    store.scene();
    const line = store.timeline();
    return line === null ? { points: [], losses: [] } : plotOf(line, end(), store.p());
  });
  const clock = createMemo(() => {
    const line = store.timeline();
    return line === null ? () => 0 : clockOf(line);
  });
  /** The curves move when something happens. */
  const shownAt = createMemo(on(store.scene, () => untrack(store.at)));
  const far = () => Math.max(clock()(shownAt()), SHORTEST);
  const x = (at: number) => LEFT + (clock()(at) / far()) * (WIDTH - LEFT - RIGHT);
  const mostOctets = createMemo(() =>
    ceiling(Math.max(1000, ...data().points.map((q) => Math.max(q.cwnd, q.flight, q.ssthresh ?? 0)))),
  );
  const mostTime = createMemo(() => ceiling(Math.max(10, ...data().points.map((q) => Math.max(q.srtt ?? 0, q.rto)))));
  const y = (value: number, most: number, area: { top: number; height: number }) =>
    area.top + area.height * (1 - value / most);
  const curve = (name: 'cwnd' | 'ssthresh' | 'flight' | 'srtt' | 'rto', closed = false) => {
    const time = name === 'srtt' || name === 'rto';
    const area = time ? TIMES : OCTETS;
    const most = time ? mostTime() : mostOctets();
    return curveOf(data().points, name, shownAt(), x, (v) => y(v, most, area), closed ? area.top + area.height : -1);
  };
  const last = () => data().points.at(-1);
  const label = () =>
    store.t('plot-label', {
      who: store.t(end()),
      cwnd: last()?.cwnd ?? 0,
      flight: last()?.flight ?? 0,
      srtt: last()?.srtt === null ? store.t('not-measured') : timeText(last()?.srtt ?? 0),
      t: timeText(shownAt()),
    });
  /** Moments to be named below the curves: some of those at which something happened, well apart. */
  const ticks = createMemo(() => {
    const found: number[] = [];
    for (const { at } of store.timeline()?.instants ?? []) {
      const before = found.at(-1);
      if (at > shownAt()) break;
      if (before === undefined || clock()(at) - clock()(before) >= far() / TICKS) found.push(at);
    }
    return found;
  });
  const grid = (area: { top: number; height: number }, most: number, unit: string) => (
    <For each={Array.from({ length: LINES + 1 }, (_, i) => i)}>
      {(i) => (
        <>
          <line
            class="grid"
            x1={LEFT}
            x2={WIDTH - RIGHT}
            y1={area.top + (area.height * i) / LINES}
            y2={area.top + (area.height * i) / LINES}
          />
          <text class="tick" x={LEFT - 8} y={area.top + (area.height * i) / LINES + 4} text-anchor="end">
            {Math.round((most * (LINES - i)) / LINES)}
            {i === 0 ? ` ${unit}` : ''}
          </text>
        </>
      )}
    </For>
  );
  return (
    <>
      <p class="row">
        <label>
          <span>{store.t('plot-whose')}</span>{' '}
          <select value={end()} onChange={(event) => setPicked(event.currentTarget.value as End)}>
            <For each={['client', 'server'] as const}>{(name) => <option value={name}>{store.t(name)}</option>}</For>
          </select>
        </label>
      </p>
      <Show when={data().points.length > 0} fallback={<p class="soft">{store.t('plot-none')}</p>}>
        <ul class="legend" aria-label={store.t('plot-of', { who: store.t(end()) })}>
          <For each={['cwnd', 'ssthresh', 'flight', 'srtt', 'rto'] as const}>
            {(name) => (
              <li class={name}>
                <svg viewBox="0 0 34 10" width="34" height="10" aria-hidden="true">
                  <path class={`curve ${name}`} d={name === 'flight' ? 'M0 9V3H34V9z' : 'M0 5H34'} />
                </svg>
                {store.t(`plot-legend-${name}`)}
              </li>
            )}
          </For>
        </ul>
        <svg class="plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={label()}>
          {grid(OCTETS, mostOctets(), 'B')}
          {grid(TIMES, mostTime(), 'ms')}
          <For each={ticks()}>
            {(at) => (
              <text class="tick" x={x(at)} y={HEIGHT - 8} text-anchor="middle">
                {timeText(at)}
              </text>
            )}
          </For>
          <path class="curve flight" d={curve('flight', true)} />
          <path class="curve ssthresh" d={curve('ssthresh')} />
          <path class="curve cwnd" d={curve('cwnd')} />
          <path class="curve rto" d={curve('rto')} />
          <path class="curve srtt" d={curve('srtt')} />
          <For each={data().losses}>
            {(at) => (
              <path
                class="cross"
                transform={`translate(${x(at)} ${OCTETS.top + OCTETS.height})`}
                d="M-4-4L4 4M-4 4L4-4"
              />
            )}
          </For>
          <line class="cursor" x1={x(shownAt())} x2={x(shownAt())} y1={OCTETS.top} y2={TIMES.top + TIMES.height} />
        </svg>
      </Show>
    </>
  );
}
