// Time: playing, stepping, the slider over all moments, and the speed.

import { For, type JSX } from 'solid-js';
import { timeText } from '../i18n/texts.ts';
import { SPEEDS, type Store } from './store.ts';

const ICONS = {
  restart: 'M6 5v14M19 5v14L9 12z',
  back: 'M17 5v14L7 12z',
  play: 'M7 4v16l13-8z',
  pause: 'M7 5h4v14H7zM14 5h4v14h-4z',
  forward: 'M7 5v14l10-7z M19 5v14',
  segment: 'M4 7L18 12M18 12l-5 2M18 12l-3-4 M4 18h16',
  timer: 'M12 6a7.5 7.5 0 1 0 .01 0zM12 9v5l3 2M9 3h6',
} as const;

function Icon(props: { name: keyof typeof ICONS }): JSX.Element {
  return (
    <svg class={`icon icon-${props.name}`} viewBox="0 0 24 24" aria-hidden="true">
      <path d={ICONS[props.name]} />
    </svg>
  );
}

/** The row of controls. */
export function Controls(props: { store: Store }): JSX.Element {
  const { store } = props;
  const length = () => store.timeline()?.length ?? 1;
  const end = () => store.record()?.end ?? 0;
  const value = () => store.t('moment-value', { t: timeText(store.at()), end: timeText(end()) });
  const button = (name: keyof typeof ICONS, label: string, act: () => void, wide = false) => (
    <button type="button" classList={{ wide }} aria-label={label} title={label} onClick={act}>
      <Icon name={name} />
      {wide ? <span>{label}</span> : null}
    </button>
  );
  return (
    <div class="controls">
      <div class="slider">
        <input
          type="range"
          min="0"
          max={length()}
          step="any"
          value={store.p()}
          style={{ '--share': `${(store.p() / length()) * 100}%` }}
          aria-label={store.t('moment')}
          aria-valuetext={value()}
          onInput={(event) => store.seek(event.currentTarget.valueAsNumber)}
          onKeyDown={(event) => {
            const forward = event.key === 'ArrowRight' || event.key === 'ArrowUp';
            if (!forward && event.key !== 'ArrowLeft' && event.key !== 'ArrowDown') return;
            event.preventDefault();
            store.step('event', forward);
          }}
        />
        <output class="clock" aria-hidden="true">
          <b>{timeText(store.at())}</b> / {timeText(end())}
        </output>
      </div>
      <div class="buttons">
        {button('restart', store.t('restart'), () => store.seek(0))}
        {button('back', store.t('back'), () => store.step('event', false))}
        <button
          type="button"
          class="play-button"
          aria-label={store.t(store.playing() ? 'pause' : 'play')}
          onClick={() => store.play(!store.playing())}
        >
          <Icon name={store.playing() ? 'pause' : 'play'} />
          <span>{store.t(store.playing() ? 'pause' : 'play')}</span>
        </button>
        {button('forward', store.t('forward'), () => store.step('event', true))}
        {button('segment', store.t('step-segment'), () => store.step('segment', true))}
        {button('timer', store.t('step-timer'), () => store.step('timer', true))}
        <label class="speed">
          <span class="hidden">{store.t('speed')}</span>
          <select value={String(store.speed())} onChange={(event) => store.setSpeed(Number(event.currentTarget.value))}>
            <For each={SPEEDS}>{(speed) => <option value={String(speed)}>{speed}×</option>}</For>
          </select>
        </label>
      </div>
    </div>
  );
}
