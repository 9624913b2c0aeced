// The ladder: two lines of time, and every segment between them as something to touch.

import {
  createEffect,
  createMemo,
  createSignal,
  For,
  Index,
  type JSX,
  on,
  onCleanup,
  onMount,
  Show,
  untrack,
} from 'solid-js';
import { timeText } from '../i18n/texts.ts';
import { arrowLabel, marksOf, roleNumber, segmentWords } from '../i18n/words.ts';
import { FATES } from '../model/actions.ts';
import { payloadText } from '../model/fields.ts';
import type { Arrow } from '../model/moment.ts';
import type { End, Fate } from '../model/scenario.ts';
import type { Store } from './store.ts';

/** Room above the first event and below the last, pixels. */
const TOP = 26;
const FOOT = 120;
/** Half the width of the band that shows a state. */
const BAND = 6;
/** Where the present stands in the window while time passes, as a share of its height. */
const EYE = 0.84;

/** With more segments than this only those near the window are drawn, and what is `MARGIN` pixels around it. */
const MANY = 150;
const MARGIN = 500;
/** Words of parallel arrows nearer to each other than this would cover each other, pixels. */
const LINE_HEIGHT = 11.5;
/** The part that is drawn moves in steps, pixels. */
const STRIDE = 250;

const KEYS: Readonly<Record<string, Fate>> = {
  d: 'drop',
  Delete: 'drop',
  l: 'delay',
  u: 'duplicate',
  c: 'corrupt',
  o: 'linger',
};

/** Where things stand at a width of the window. */
interface Geometry {
  readonly width: number;
  /** The two lines of time. */
  readonly x: Readonly<Record<End, number>>;
  readonly narrow: boolean;
}

function geometryOf(width: number): Geometry {
  const narrow = width < 560;
  const margin = narrow ? 84 : 128;
  return { width, x: { client: margin, server: width - margin }, narrow };
}

/** An arrow in pixels, as far as it has come. */
interface Line {
  readonly x1: number;
  readonly y1: number;
  readonly x2: number;
  readonly y2: number;
  /** Where it is now. */
  readonly x: number;
  readonly y: number;
  readonly angle: number;
  readonly length: number;
}

function lineOf(g: Geometry, arrow: Arrow, gone: number): Line {
  const { from, sentP, endP } = arrow.flight;
  const sign = from === 'client' ? 1 : -1;
  const x1 = g.x[from] + sign * (BAND + 1);
  const x2 = g.x[from === 'client' ? 'server' : 'client'] - sign * (BAND + 2);
  const [y1, y2] = [sentP + TOP, endP + TOP];
  const [dx, dy] = [x2 - x1, y2 - y1];
  return {
    x1,
    y1,
    x2,
    y2,
    x: x1 + dx * gone,
    y: y1 + dy * gone,
    angle: (Math.atan2(sign * dy, sign * dx) * 180) / Math.PI,
    length: Math.hypot(dx, dy),
  };
}

/** The words along an arrow: flags and numbers in letters, then what it carries, as far as there is room. */
function words(store: Store, arrow: Arrow, room: number, narrow: boolean): string {
  const { crossing: c, stray } = arrow;
  let parts = segmentWords(c, store.scene()?.letters ?? null, stray !== '');
  if (stray !== '') parts.push(stray);
  // A narrow page has no room for what hardly changes.
  if (narrow && c.len > 0) parts = parts.filter((w) => !w.startsWith('ack='));
  const packet = store.packet(c.packet);
  const most = Math.floor(room / (narrow ? 6.5 : 7.6));
  let text = parts.join('  ');
  // On a narrow page what is usual is left out first.
  if (text.length > most) text = parts.filter((w) => !w.startsWith('seq=') || (c.flags & 3) !== 0).join(' ');
  const said = packet === undefined || c.len === 0 || !arrow.flight.alone ? '' : payloadText(packet.bytes, 28);
  return said.length > 5 && text.length + said.length + 4 < most ? `${text}  \u201c${said}\u201d` : text;
}

/** One segment. */
function Segment(props: {
  store: Store;
  arrow: Arrow;
  geometry: Geometry;
  tabbable: boolean;
  move: (step: number) => void;
}): JSX.Element {
  const { store } = props;
  const progress = createMemo(() => store.progress(props.arrow), undefined, {
    equals: (a, b) => a.gone === b.gone && a.status === b.status,
  });
  const line = createMemo(() => lineOf(props.geometry, props.arrow, progress().gone));
  const flying = () => progress().status === 'flying';
  const id = () => props.arrow.flight.packet;
  const chosen = () => store.look().chosen === id();
  /** Its second copy has come. */
  const doubled = createMemo(() => props.arrow.flight.twice && store.p() >= props.arrow.flight.copyP - 0.01);
  const marks = () => [
    ...marksOf(store.lang(), props.arrow.crossing, doubled(), progress().status),
    ...(props.arrow.flight.forged && props.arrow.stray === '' ? [store.t('mark-forged')] : []),
  ];
  const number = () => roleNumber(props.arrow.crossing);
  const from = () => props.arrow.flight.from;
  const tip = () => (props.arrow.flight.forged ? 'forged' : from());
  const room = () => line().length - (props.geometry.narrow ? 26 : 70);
  const text = createMemo(() => words(store, props.arrow, room(), props.geometry.narrow));
  /** Where arrows are dense, words are shown of the one that is looked at. */
  const dense = () => {
    const tilt = Math.abs(Math.cos((line().angle * Math.PI) / 180));
    return props.arrow.flight.apart * tilt < LINE_HEIGHT;
  };
  const visible = () => [number(), text(), ...marks()].filter((word) => word !== '').join(' ');
  const choose = () => {
    if (flying()) store.play(false);
    store.choose(chosen() && !flying() ? 0 : id());
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const fate = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (event.key === 'Enter' || event.key === ' ') choose();
    else if (event.key === 'ArrowDown' || event.key === 'ArrowRight') props.move(1);
    else if (event.key === 'ArrowUp' || event.key === 'ArrowLeft') props.move(-1);
    else if (event.key === 'Escape') store.choose(0);
    else if (fate !== undefined && flying()) {
      store.choose(id());
      store.touch(fate, id());
    } else return;
    event.preventDefault();
  };
  /** The envelope stays clear of the lines of time, so that it never covers what it left or where it goes. */
  const marker = () => {
    const { x1, y1, x2, y2 } = line();
    const share = 0.07 + progress().gone * 0.88;
    return { x: x1 + (x2 - x1) * share, y: y1 + (y2 - y1) * share };
  };
  const middle = () => ({ x: (line().x1 + line().x2) / 2, y: (line().y1 + line().y2) / 2 });
  /** Words stand in the middle, or near the sender where another arrow crosses. */
  const shift = () => {
    const sign = from() === 'client' ? -1 : 1;
    if (!props.arrow.flight.crossed) return props.geometry.narrow ? 0 : -sign * Math.min(24, line().length * 0.05);
    return sign * (line().length / 2 - (number() === '' ? 12 : 32));
  };
  const anchor = () => (props.arrow.flight.crossed ? (from() === 'client' ? 'start' : 'end') : 'middle');
  return (
    // biome-ignore lint/a11y/useSemanticElements: inside SVG there is no button element
    <g
      class={`segment ${from()} ${progress().status}`}
      classList={{
        chosen: chosen(),
        again: props.arrow.crossing.again,
        bare: props.arrow.crossing.role === 'ack',
        forged: props.arrow.flight.forged,
        stray: props.arrow.stray !== '',
        dense: dense(),
      }}
      role="button"
      tabindex={props.tabbable ? 0 : -1}
      data-packet={id()}
      aria-label={arrowLabel(store.lang(), props.arrow, progress(), visible())}
      aria-pressed={chosen()}
      onClick={choose}
      onKeyDown={onKeyDown}
    >
      <line class="hit" x1={line().x1} y1={line().y1} x2={line().x2} y2={line().y2} />
      <Show when={flying()}>
        <line class="ahead" x1={line().x} y1={line().y} x2={line().x2} y2={line().y2} />
      </Show>
      <line
        class="shaft"
        x1={line().x1}
        y1={line().y1}
        x2={line().x}
        y2={line().y}
        marker-end={progress().status === 'arrived' ? `url(#tip-${tip()})` : undefined}
      />
      <Show when={doubled()}>
        <line
          class="shaft copy"
          x1={line().x1}
          y1={line().y1 + 5}
          x2={line().x2}
          y2={Math.max(props.arrow.flight.copyP + TOP, line().y2 + 5)}
          marker-end={`url(#tip-${tip()})`}
        />
      </Show>
      <Show when={number() !== ''}>
        <g
          class="badge"
          transform={`translate(${line().x1 + (from() === 'client' ? 17 : -17)} ${line().y1 + (17 / Math.abs(line().x2 - line().x1)) * (line().y2 - line().y1)})`}
        >
          <rect x={number().length > 1 ? -14 : -9} y="-9" width={number().length > 1 ? 28 : 18} height="18" rx="9" />
          <text y="4">{`${number()} `}</text>
        </g>
      </Show>
      <g transform={`translate(${middle().x} ${middle().y}) rotate(${line().angle})`}>
        <text class="words" x={shift()} y="-7" text-anchor={anchor()}>
          {text()}
          <For each={marks()}>{(mark) => <tspan class="mark">{` ${mark}`}</tspan>}</For>
        </text>
      </g>
      <Show when={progress().status === 'lost'}>
        <path class="cross" transform={`translate(${line().x} ${line().y})`} d="M-7-7L7 7M-7 7L7-7" />
      </Show>
      <Show when={['corrupted', 'no-room', 'nobody'].includes(progress().status)}>
        <path class="cross" transform={`translate(${line().x2} ${line().y2})`} d="M-8-5H8M-8 5H8M-4-9L-6 9M6-9L4 9" />
      </Show>
      <Show when={flying()}>
        <g class="packet" transform={`translate(${marker().x} ${marker().y})`}>
          <circle class="glow" r="17" />
          <rect x="-15" y="-10" width="30" height="20" rx="5" />
          <path d="M-14-8L0 3L14-8" />
        </g>
      </Show>
    </g>
  );
}

/** A line of time with the states of its end, the moments, and the timers that went off. */
function Lifeline(props: {
  store: Store;
  end: End;
  geometry: Geometry;
  near: (fromP: number, toP: number) => boolean;
}): JSX.Element {
  const { store } = props;
  const view = createMemo(() => store.scene()?.ends[props.end] ?? null);
  const x = () => props.geometry.x[props.end];
  const out = () => (props.end === 'client' ? -1 : 1);
  const anchor = () => (props.end === 'client' ? 'end' : 'start');
  const now = () => store.p();
  const moments = createMemo(() => {
    const seen = new Map<number, number>();
    for (const { flight } of store.scene()?.arrows ?? []) {
      if (flight.from === props.end) seen.set(flight.sentP, flight.sentAt);
      else if (flight.arrives && flight.endP <= untrack(store.p) + 0.01) seen.set(flight.endP, flight.endAt);
    }
    let before = Number.NEGATIVE_INFINITY;
    // Of several at one instant, or too near, the first is enough.
    const places = [...seen].filter(([p]) => props.near(p, p)).sort((a, b) => a[0] - b[0]);
    return places.filter(([p], i) => {
      const alone = p - before >= 13 && (i === 0 || places[i - 1]![1] !== places[i]![1]);
      if (alone) before = p;
      return alone;
    });
  });
  return (
    // biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it takes the focus; the table says the same
    <g class={`lifeline ${props.end}`} aria-hidden="true">
      <line class="rest" x1={x()} x2={x()} y1={TOP - 14} y2={TOP + (store.timeline()?.length ?? 0) + 40} />
      <Index each={view()?.bands ?? []}>
        {(band) => {
          const to = () => Math.min(band().toP, now());
          return (
            <>
              <rect
                class={`band s-${band().state}`}
                x={x() - BAND}
                y={TOP + band().fromP}
                width={BAND * 2}
                height={Math.max(to() - band().fromP, 1)}
              />
              <Show when={band().toP - band().fromP > 9}>
                <text class="state" x={x() + out() * 13} y={TOP + band().fromP + 16} text-anchor={anchor()}>
                  {band().state}
                </text>
              </Show>
            </>
          );
        }}
      </Index>
      <Index each={moments()}>
        {(moment) => (
          <text class="time" x={x() + out() * 13} y={TOP + moment()[0] + 3} text-anchor={anchor()}>
            {Math.round(moment()[1] * 10) / 10}
          </text>
        )}
      </Index>
      <For each={view()?.timers.filter((k) => k.timer !== 'delayed-ack') ?? []}>
        {(timer) => (
          <g class="timer" transform={`translate(${x()} ${TOP + timer.p})`}>
            <circle r="8" />
            <path d="M0-5V0L3.5 2.5" />
          </g>
        )}
      </For>
    </g>
  );
}

/** What can be done to the chosen segment, beside it. */
function Touch(props: { store: Store; geometry: Geometry }): JSX.Element {
  const { store } = props;
  const target = createMemo(() => {
    const arrow = store.chosenArrow();
    if (arrow === null) return null;
    const progress = store.progress(arrow);
    return progress.status === 'flying' ? lineOf(props.geometry, arrow, progress.gone) : null;
  });
  const left = (line: Line) => Math.min(Math.max(line.x, 168), props.geometry.width - 168);
  return (
    <Show when={target()}>
      {(line) => (
        <div
          class="touch"
          role="toolbar"
          aria-label={store.t('touch')}
          style={{ left: `${left(line())}px`, top: `${line().y + 18}px` }}
        >
          <For each={FATES}>
            {(fate) => (
              <button type="button" class={fate} onClick={() => store.touch(fate, store.look().chosen)}>
                {store.t(fate)}
              </button>
            )}
          </For>
        </div>
      )}
    </Show>
  );
}

/** The ladder. */
export function Ladder(props: { store: Store }): JSX.Element {
  const { store } = props;
  let frame!: HTMLDivElement;
  const [width, setWidth] = createSignal(760);
  const geometry = createMemo(() => geometryOf(width()));
  const height = () => (store.timeline()?.length ?? 300) + TOP + FOOT;
  const arrows = createMemo(() => store.scene()?.arrows ?? []);
  /** The stretch of positions that is drawn when there are many segments. */
  const [stretch, setStretch] = createSignal<readonly [number, number]>([0, 2000], {
    equals: (a, b) => a[0] === b[0] && a[1] === b[1],
  });
  const many = createMemo(() => arrows().length > MANY);
  const near = (fromP: number, toP: number) => !many() || (toP >= stretch()[0] && fromP <= stretch()[1]);
  const drawn = createMemo(() => arrows().filter((a) => near(a.flight.sentP, Math.max(a.flight.endP, a.flight.copyP))));
  const look = () => {
    const from = Math.floor(frame.scrollTop / STRIDE) * STRIDE - MARGIN;
    setStretch([from, from + frame.clientHeight + STRIDE + 2 * MARGIN]);
  };
  /** The one that Tab reaches: the chosen one, else the newest in flight, else the newest. */
  const entry = createMemo(() => {
    if (drawn().some((a) => a.flight.packet === store.look().chosen)) return store.look().chosen;
    return drawn().at(-1)?.flight.packet ?? 0;
  });
  onMount(() => {
    const observer = new ResizeObserver(() => {
      setWidth(Math.max(frame.clientWidth, 300));
      look();
    });
    observer.observe(frame);
    onCleanup(() => observer.disconnect());
  });
  /** Keeps the present in the window: always while time passes, and after every jump. */
  const follow = () => {
    const y = store.p() + TOP;
    frame.scrollTop = Math.max(0, y - frame.clientHeight * EYE);
    look();
  };
  createEffect(() => {
    store.p();
    if (store.playing()) follow();
  });
  createEffect(on(store.jumps, follow));
  const move = (packet: number, step: number) => {
    const list = arrows();
    const at = list.findIndex((a) => a.flight.packet === packet);
    const next = list[Math.min(Math.max(at + step, 0), list.length - 1)];
    if (next === undefined) return;
    if (!drawn().includes(next)) {
      frame.scrollTop = next.flight.sentP - frame.clientHeight / 2;
      look();
    }
    const element = frame.querySelector<SVGGElement>(`[data-packet="${next.flight.packet}"]`);
    element?.focus();
  };
  const gaps = createMemo(() => store.timeline()?.gaps ?? []);
  return (
    <section class="ladder" aria-label={store.t('ladder')}>
      <p class="hidden" id="ladder-help">
        {store.t('ladder-help')}
      </p>
      <div class="window" ref={frame} onScroll={look}>
        {/* biome-ignore lint/a11y/useSemanticElements: inside SVG there is no fieldset */}
        <svg
          width={width()}
          height={height()}
          role="group"
          aria-label={store.t('ladder')}
          aria-describedby="ladder-help"
        >
          <defs>
            <For each={['client', 'server', 'forged'] as const}>
              {(end) => (
                <marker
                  id={`tip-${end}`}
                  class={`tip ${end}`}
                  viewBox="0 0 10 10"
                  refX="9"
                  refY="5"
                  markerWidth="11"
                  markerHeight="11"
                  markerUnits="userSpaceOnUse"
                  orient="auto"
                >
                  <path d="M0 0.5L10 5L0 9.5L2.5 5z" />
                </marker>
              )}
            </For>
          </defs>
          <For each={gaps()}>
            {(gap) => (
              <Show when={store.p() > (gap.fromP + gap.toP) / 2 + 8}>
                {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it takes the focus */}
                <g class="gap" aria-hidden="true">
                  <For each={['client', 'server'] as const}>
                    {(end) => (
                      <path d={`M${geometry().x[end] - 9} ${TOP + (gap.fromP + gap.toP) / 2 + 14}l6-5l6 8l6-5`} />
                    )}
                  </For>
                  <text x={width() / 2} y={TOP + (gap.fromP + gap.toP) / 2 + 16}>
                    {store.t('silence', { t: timeText(Math.min(store.at() - gap.fromAt, gap.ms)) })}
                  </text>
                </g>
              </Show>
            )}
          </For>
          {/* biome-ignore lint/a11y/noAriaHiddenOnFocusable: nothing in it takes the focus */}
          <g class="now" aria-hidden="true">
            <line x1={0} x2={width()} y1={TOP + store.p()} y2={TOP + store.p()} />
          </g>
          <Lifeline store={store} end="client" geometry={geometry()} near={near} />
          <Lifeline store={store} end="server" geometry={geometry()} near={near} />
          <Index each={drawn()}>
            {(arrow) => (
              <Segment
                store={store}
                arrow={arrow()}
                geometry={geometry()}
                tabbable={entry() === arrow().flight.packet}
                move={(step) => move(arrow().flight.packet, step)}
              />
            )}
          </Index>
        </svg>
        <Touch store={store} geometry={geometry()} />
      </div>
    </section>
  );
}
