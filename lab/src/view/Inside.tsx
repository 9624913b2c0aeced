// The inside of both ends: sequence space as rulers, buffers, timers that run, and what each has learnt of the path.

import { createMemo, For, Index, type JSX, Show } from 'solid-js';
import type { Inspection, RunningTimer } from 'synfin';
import type { Side } from 'synfin/trace';
import { type TextKey, timeText } from '../i18n/texts.ts';
import { other } from '../i18n/words.ts';
import { type Region, receiveRuler, sendRuler } from '../model/ruler.ts';
import type { End } from '../model/scenario.ts';
import type { Store } from './store.ts';

const SIDES: Readonly<Record<End, Side>> = { client: 'left', server: 'right' };

/** A stretch of sequence space as boxes; their widths grow with the logarithm, so that one octet can be seen. */
function Ruler(props: {
  store: Store;
  title: string;
  regions: readonly Region[];
  /** Whose numbers these are. */
  side: Side;
}): JSX.Element {
  const { store } = props;
  const number = (value: number) => store.scene()?.letters?.fromStart(props.side, value) ?? String(value >>> 0);
  return (
    <div class="ruler">
      <h4>{props.title}</h4>
      <ol aria-label={props.title}>
        <Index each={props.regions}>
          {(region) => (
            <li class={`region r-${region().kind}`} style={{ 'flex-grow': Math.log2(2 + region().length) }}>
              <span class="at">
                <Show when={region().starts !== ''}>
                  <b>{region().starts}</b>{' '}
                </Show>
                {number(region().from)}
              </span>
              <span class="box">
                {store.t(`ruler-${region().kind}` as TextKey)}
                <span class="size">{region().length} B</span>
              </span>
            </li>
          )}
        </Index>
        <li class="region edge">
          <span class="at">
            <b>{props.regions.at(-1)?.ends ?? ''}</b> {number(props.regions.at(-1)?.to ?? 0)}
          </span>
        </li>
      </ol>
    </div>
  );
}

/** When a timer was set: the oldest of the latest insides in a row that have it with the same deadline. */
function setAt(store: Store, end: End, timer: RunningTimer): number {
  const list = store.timeline()?.insides[end] ?? [];
  let found = store.at();
  for (let i = list.length - 1; i >= 0; i--) {
    const { p, inside } = list[i]!;
    if (p > store.p() + 0.01) continue;
    if (!inside.view.timers.some((t) => t.name === timer.name && t.at === timer.at)) break;
    found = inside.at;
  }
  return found;
}

function Clock(props: { store: Store; end: End; timer: RunningTimer }): JSX.Element {
  const { store } = props;
  const left = () => Math.max(props.timer.at - store.at(), 0);
  const whole = createMemo(() => Math.max(props.timer.at - setAt(store, props.end, props.timer), 1));
  return (
    <li class="clock-row">
      <span>{store.t(`clock-${props.timer.name}`)}</span>
      <span class="bar" aria-hidden="true">
        <span style={{ width: `${Math.min((left() / whole()) * 100, 100)}%` }} />
      </span>
      <span class="left">{store.t('timer-left', { t: timeText(left()) })}</span>
    </li>
  );
}

/** The timers of an end that run, each with the time it has left. */
export function Clocks(props: { store: Store; end: End }): JSX.Element {
  const { store } = props;
  const timers = createMemo(() => store.scene()?.ends[props.end].inside?.timers ?? []);
  return (
    <ul class="clocks">
      <Index each={timers()} fallback={<li class="soft">{store.t('timers-none')}</li>}>
        {(timer) => <Clock store={store} end={props.end} timer={timer()} />}
      </Index>
    </ul>
  );
}

function Numbers(props: { store: Store; view: Inspection }): JSX.Element {
  const { store } = props;
  const rows = (): readonly (readonly [string, string])[] => {
    const v = props.view;
    const srtt = v.srtt < 0 ? store.t('not-measured') : `${timeText(v.srtt)} \u00b1 ${timeText(v.rttvar)}`;
    const doubled = v.backoff > 0 ? ` (${store.t('times-doubled', { n: v.backoff })})` : '';
    return [
      ['cwnd', `${v.cwnd} B${v.recovering ? ` (${store.t('recovering')})` : ''}`],
      ['ssthresh', Number.isFinite(v.ssthresh) ? `${v.ssthresh} B` : store.t('no-threshold')],
      [store.t('ruler-flight'), `${v.flightSize} B`],
      ['srtt', srtt],
      ['RTO', `${timeText(v.rto)}${doubled}`],
      ['MSS', `${v.mss} B`],
      [store.t('retransmitted'), String(v.retransmissions)],
      [store.t('send-buffer'), store.t('send-buffer-is', { queued: v.queued, unsent: v.unsent })],
      [store.t('receive-buffer'), store.t('receive-buffer-is', { readable: v.readable, limit: v.receiveLimit })],
    ];
  };
  return (
    <dl class="numbers">
      <For each={rows()}>
        {([name, value]) => (
          <div>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        )}
      </For>
    </dl>
  );
}

function EndInside(props: { store: Store; end: End }): JSX.Element {
  const { store, end } = props;
  const view = createMemo(() => store.scene()?.ends[end].inside ?? null);
  const who = () => store.t(end);
  return (
    <section class={`inner ${end}`} aria-label={`${store.t('tab-inside')}: ${who()}`}>
      <h3>{who()}</h3>
      <Show when={view()} fallback={<p class="soft">{store.t('inside-none', { who: who() })}</p>}>
        {(v) => (
          <>
            <Ruler
              store={store}
              title={store.t('ruler-send', { who: who() })}
              regions={sendRuler(v())}
              side={SIDES[end]}
            />
            <Show when={receiveRuler(v()).length > 0}>
              <Ruler
                store={store}
                title={store.t('ruler-receive', { who: who() })}
                regions={receiveRuler(v())}
                side={SIDES[other(end)]}
              />
            </Show>
            <h4>{store.t('timers')}</h4>
            <Clocks store={store} end={end} />
            <Numbers store={store} view={v()} />
          </>
        )}
      </Show>
    </section>
  );
}

/** Both ends, side by side. */
export function Inside(props: { store: Store }): JSX.Element {
  return (
    <div class="insides">
      <EndInside store={props.store} end="client" />
      <EndInside store={props.store} end="server" />
    </div>
  );
}
