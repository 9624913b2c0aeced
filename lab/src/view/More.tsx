// The menu of what is not needed at every moment: for teachers, and for taking a run away.

import { type JSX, onCleanup, onMount } from 'solid-js';
import { timeText } from '../i18n/texts.ts';
import { captureOf } from '../model/capture.ts';
import { filmLadder, type LadderPrint, printLadder } from '../model/print.ts';
import type { End } from '../model/scenario.ts';
import type { Store } from './store.ts';
import { Theme } from './Theme.tsx';

/** Hands a file to the visitor. */
function download(name: string, type: string, content: string | Uint8Array): void {
  const url = URL.createObjectURL(new Blob([content as BlobPart], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

/** The menu. */
export function More(props: { store: Store }): JSX.Element {
  const { store } = props;
  let menu!: HTMLDetailsElement;
  const name = () => `synfin-${store.spec().scenario}-${store.spec().seed}`;
  const saveLadder = (draw: LadderPrint, suffix: string) => {
    const [scene, timeline, record] = [store.scene(), store.timeline(), store.record()];
    if (scene === null || timeline === null || record === null) return;
    const { scenario: run, seed } = store.spec();
    const head = {
      title: document.title.split(' \u00b7 ')[0] ?? '',
      client: store.t('client'),
      server: store.t('server'),
      note: store.t('print-note', { run, seed, t: timeText(store.at()) }),
    };
    const drawing = draw(scene, timeline, record, store.p(), store.lang(), head);
    download(`${name()}${suffix}.svg`, 'image/svg+xml', drawing);
  };
  const saveCapture = (end: End) => {
    const record = store.record();
    if (record !== null) {
      download(`${name()}-${end}.pcapng`, 'application/x-pcapng', captureOf(record, end, store.at()));
    }
  };
  const close = (event: Event) => {
    const outside = event.type === 'pointerdown' && !(event.target instanceof Node && menu.contains(event.target));
    const escaped = event instanceof KeyboardEvent && event.key === 'Escape' && menu.open;
    if (escaped) menu.querySelector('summary')?.focus();
    if (outside || escaped) menu.open = false;
  };
  onMount(() => {
    for (const type of ['pointerdown', 'keydown']) document.addEventListener(type, close);
    onCleanup(() => {
      for (const type of ['pointerdown', 'keydown']) document.removeEventListener(type, close);
    });
  });
  const flag = (key: 'projector' | 'covered' | 'asking', label: 'projector' | 'cover' | 'ask') => (
    <label class="switch">
      <input
        type="checkbox"
        checked={store.look()[key]}
        onChange={(event) => store.setLook({ [key]: event.currentTarget.checked })}
      />
      <span>{store.t(label)}</span>
    </label>
  );
  const item = (label: 'save-svg' | 'save-film' | 'save-client' | 'save-server' | 'print', act: () => void) => (
    <button type="button" onClick={act}>
      {store.t(label)}
    </button>
  );
  return (
    <details class="menu" ref={menu}>
      <summary>{store.t('more')}</summary>
      <div class="sheet">
        <Theme store={store} />
        <h2>{store.t('for-teachers')}</h2>
        {flag('projector', 'projector')}
        {flag('covered', 'cover')}
        {flag('asking', 'ask')}
        <h2>{store.t('save')}</h2>
        {item('save-svg', () => saveLadder(printLadder, ''))}
        {item('save-film', () => saveLadder(filmLadder, '-film'))}
        {item('save-client', () => saveCapture('client'))}
        {item('save-server', () => saveCapture('server'))}
        {item('print', () => window.print())}
      </div>
    </details>
  );
}
